"""A baseline and a window in one process and a database in memory, as in a notebook."""

import sys

import monitor


def main(policy: str) -> None:
    """Register the baseline and run the window of the benchmarks' logs.

    Args:
        policy: The model's file.
    """
    model = monitor.open_model(policy)
    model.register(start="2026-01-01", end="2026-02-01", why="benchmark")
    (ran,) = model.run(start="2026-02-01", end="2026-03-01")
    assert ran.run.findings is not None


if __name__ == "__main__":
    main(sys.argv[1])
