"""Loading what computes: no module for nothing, and no garbage looked for among them."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import LazyLoader, find_spec, module_from_spec

_JUST_BEGUN = 20_000
"""Objects of a process that has done nothing yet but load a few modules; a notebook has more."""

_UNUSED = ("numpy.f2py", "numpy.testing")
"""A compiler for Fortran and tools for tests, which scipy loads because it copies all names that numpy
has: a third of the time that scipy.special takes, and a hundred modules."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from collecting cycles while modules are loaded, and from going through them later.

    Three hundred modules are as many thousand objects, none of which is garbage; looking through
    them again and again as they come takes a sixth of the time that loading them takes, and as
    much once more when the process ends. In a process that has just begun they are left out for
    good; in another they only count as old, so that no garbage of somebody else's is left out.
    Where no module was loaded nothing is done: what has come since the last time is not ours.
    """
    for name in _UNUSED:
        _put_off(name)
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


def _put_off(name: str) -> None:
    """Have a module of a package load when something of it is first used."""
    package, _, attribute = name.rpartition(".")
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    setattr(sys.modules[package], attribute, module)
