"""The ``modelmon`` command."""

import gc
import sys

from monitor.cli.main import run

_BETWEEN_COLLECTIONS = 20_000
"""New objects after which Python looks for cycles among them, which it does after 700 of itself: three
hundred modules are loaded for a run, and none of what they bring is garbage."""


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(_BETWEEN_COLLECTIONS)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
