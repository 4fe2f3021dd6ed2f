"""What libraries are told before they load, by the environment that they read."""

import os
import sys

_said: dict[str, str] = {}
"""What was added to the environment of this process: not meant for those that it starts."""


def _say(name: str, value: str) -> None:
    """Tell a library how to go about it, unless somebody has."""
    if name not in os.environ:
        os.environ[name] = _said[name] = value


def given_environment() -> dict[str, str]:
    """Return the environment that this process was given: for commands that are not modelmon's."""
    return {name: value for name, value in os.environ.items() if _said.get(name) != value}


# These are read when pyarrow, numpy and pydantic are imported, so they are said before.
_say("ARROW_DEFAULT_MEMORY_POOL", "jemalloc" if sys.platform == "linux" else "system")
# What columns are decoded with lives long where a large row group is read piece by piece, and grows
# between what lives for the length of a batch. The C library's allocator cannot give back the gaps:
# ten million rows in one row group took 150 MB more with it, and more CPU. Arrow's
# own choice (mimalloc) keeps 60 MB more, and more still the longer it runs. Not every build of
# Arrow for other systems has jemalloc. Counts are the same by any.
_say("OPENBLAS_NUM_THREADS", "1")
# Matrices are small here, and waking a thread for one takes ten times as long as the work; columns
# are what threads are given. Sums are also added in one order, whatever the processors.
_say("PYDANTIC_DISABLE_PLUGINS", "__all__")
# Else it looks through every package that is installed for one that wants to watch how settings and
# policies are checked: none of ours does, and no other has anything to do with it.
