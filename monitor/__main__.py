"""The ``modelmon`` command."""

import gc
import sys

from monitor.cli.main import run

_YOUNG = 10_000
"""New objects at which Python looks for garbage among them, instead of 700: of those that come while
a command loads and computes hardly any is ever in a cycle, and what is takes a few megabytes."""


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(_YOUNG)
    code = run(sys.argv[1:])
    gc.freeze()  # else Python looks for garbage among all that is about to go anyway
    sys.exit(code)


if __name__ == "__main__":
    main()
