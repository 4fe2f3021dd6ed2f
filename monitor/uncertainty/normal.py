"""Minimum-effect tests of what is nearly normal."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.special import ndtr
from monitor.uncertainty.interval import FloatArray

NODES = np.linspace(-6.0, 6.0, 121)
"""Standard normal numbers, far into the tails: what a mean over a normal law is taken at …"""

WEIGHTS = np.exp(-(NODES**2) / 2) / np.sum(np.exp(-(NODES**2) / 2))
"""… and with which weights."""


def beyond_normal(
    value: ArrayLike, standard_error: ArrayLike, tolerance: ArrayLike, *, either_side: bool
) -> FloatArray:
    """Return the p-value of the hypothesis that a quantity is within a tolerance.

    The largest probability, over true quantities up to the tolerance (between minus and plus the
    tolerance), of an estimate at least as far out: ``Φ((τ − x) / s)``, and with both sides
    ``Φ((τ − |x|) / s) + Φ((−τ − |x|) / s)``. For a tolerance of 0 these are the usual tests. Without
    error it is 0 beyond the tolerance and 1 within it.

    Args:
        value: Estimates, any shape.
        standard_error: Of the estimates, not negative.
        tolerance: Not negative.
        either_side: Whether a fall counts like a rise.

    Returns:
        Array of the broadcast shape, in [0, 1].

    Source:
        J. L. Hodges and E. L. Lehmann (1954), J. R. Stat. Soc. B 16, 261-268.
    """
    x, s, tau = np.broadcast_arrays(
        *(np.asarray(item, np.float64) for item in (value, standard_error, tolerance))
    )
    size = np.abs(x) if either_side else x
    certain = s == 0
    scale = np.where(certain, 1.0, s)
    p = ndtr((tau - size) / scale)
    if either_side:
        p = p + ndtr((-tau - size) / scale)
    return np.where(certain, np.where(size > tau, 0.0, 1.0), np.minimum(p, 1.0))
