"""The functions of scipy.special that measures and intervals are made of.

They are compiled functions of one module. The package around it also prepares for arrays of other
libraries and writes the documentation of its functions anew each time that it loads, for which it
loads most of numpy: a twentieth of the CPU of a daily check, for nothing that is used here. So the
module is loaded without the package, whose place is free again afterwards for whoever imports it.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from monitor.loading import bare

_PACKAGE = "scipy.special"
_COMPILED = "scipy.special._ufuncs"

__all__ = [
    "betainc",
    "betaincinv",
    "chdtrc",
    "chndtr",
    "chndtrinc",
    "expit",
    "fdtri",
    "gammaln",
    "kolmogi",
    "kolmogorov",
    "ndtr",
    "ndtri",
    "stdtr",
    "stdtrit",
    "xlogy",
]


@contextmanager
def _compiled_alone(names: Sequence[str]) -> Iterator[None]:
    """Have the package consist of these compiled functions, in here.

    It is the package itself that is imported where it is there already, where it was told to look
    after other arrays, and where a version of scipy keeps one of the functions elsewhere.
    """
    if os.environ.get("SCIPY_ARRAY_API"):
        yield
        return
    with bare(_PACKAGE) as package:
        if package is not None:
            try:
                compiled = import_module(_COMPILED)
                package.__dict__.update({name: getattr(compiled, name) for name in names})
            except (ImportError, AttributeError):
                del sys.modules[_PACKAGE]
        yield


with _compiled_alone(__all__):
    from scipy.special import (
        betainc,
        betaincinv,
        chdtrc,
        chndtr,
        chndtrinc,
        expit,
        fdtri,
        gammaln,
        kolmogi,
        kolmogorov,
        ndtr,
        ndtri,
        stdtr,
        stdtrit,
        xlogy,
    )
