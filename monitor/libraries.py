"""What the libraries that compute are told before they load, by the environment that they read."""

import os

_said: dict[str, str] = {}
"""What was added to the environment of this process: not meant for those that it starts."""


def _say(name: str, value: str) -> None:
    """Tell a library how to go about it, unless somebody has."""
    if name not in os.environ:
        os.environ[name] = _said[name] = value


def given_environment() -> dict[str, str]:
    """Return the environment that this process was given: for commands that are not modelmon's."""
    return {name: value for name, value in os.environ.items() if _said.get(name) != value}


# These are read when pyarrow and numpy are imported, so they are said before.
_say("ARROW_DEFAULT_MEMORY_POOL", "system")
# Columns are decoded one after the other into memory that the last one left; Arrow's own choice
# (mimalloc) keeps 60 MB more of it, and more still the longer it runs. Counts are the same by any.
_say("OPENBLAS_NUM_THREADS", "1")
# Matrices are small here, and waking a thread for one takes ten times as long as the work; columns
# are what threads are given. Sums are also added in one order, whatever the processors.
