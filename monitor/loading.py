"""Loading what computes: no more than that, and no garbage looked for among it."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from types import ModuleType

_JUST_BEGUN = 50_000
"""Objects of a process that has loaded little but the standard library and the first of our modules;
a notebook has more."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from collecting cycles while modules are loaded, and from going through them later.

    Three hundred modules are as many thousand objects, none of which is garbage; looking through
    them again and again as they come takes a sixth of the time that loading them takes, and as
    much once more when the process ends. In a process that has just begun they are left out for
    good; in another they only count as old, so that no garbage of somebody else's is left out.
    Where no module was loaded nothing is done: what has come since the last time is not ours.
    """
    was, loaded = gc.isenabled(), len(sys.modules)
    begun = len(gc.get_objects()) < _JUST_BEGUN
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > loaded:
            _leave_out(for_good=begun)
        if was:
            gc.enable()


def _leave_out(*, for_good: bool) -> None:
    if for_good:
        gc.freeze()
    elif not gc.get_freeze_count():  # what others have left out stays so
        gc.freeze()
        gc.unfreeze()


@contextmanager
def bare(package: str) -> Iterator[ModuleType | None]:
    """Have a package be nothing but its folder, in here: modules of it load without its own code.

    Its place is free again afterwards for whoever imports it. Where it is there already it stays as
    it is.

    Args:
        package: Its full name.

    Returns:
        The bare package, in which the names are to be put that are imported from it; None where
        there is the whole of it.
    """
    spec = None if package in sys.modules else find_spec(package)
    if spec is None:
        yield None
        return
    alone = sys.modules[package] = module_from_spec(spec)
    try:
        yield alone
    finally:
        if sys.modules.get(package) is alone:
            del sys.modules[package]
