"""How often a true change can be found at all: closed forms, before anything is drawn."""

from math import ceil, sqrt

from scipy.special import ndtr, ndtri
from scipy.stats import ncx2

from monitor.uncertainty.divergence import effective_rows

GROUPS = 10
"""Of a numeric field without nulls."""

LEVEL = 0.05
"""Of the test of a single field."""


def best(rows: float, reference_rows: float, tolerance: float, true: float) -> float:
    """Return the power that no 5 % test of "the index is within the tolerance" can exceed.

    The shares of two samples, on the square-root scale and times ``√n_eff``, are near a normal
    vector of unit variance whose distance from the origin is ``√(n_eff PSI)``. A test that keeps its
    level at every index within the tolerance keeps it at the point of the tolerance that lies
    towards the change, and of two points the most powerful test (Neyman and Pearson) has power
    ``Φ(√n_eff (√true − √tolerance) − z)``. It is told in which direction to look; no test of ours is.
    """
    apart = sqrt(effective_rows(rows, reference_rows)) * (sqrt(true) - sqrt(tolerance))
    return float(ndtr(apart + ndtri(LEVEL)))


def lawful(
    rows: float, reference_rows: float, tolerance: float, true: float, groups: int = GROUPS
) -> float:
    """Return the power of the test that modelmon takes, by its law.

    The index times n_eff is near a noncentral chi-square with ``groups − 1`` degrees of freedom
    around ``n_eff true``; the test rejects above the quantile of the one around ``n_eff tolerance``.
    """
    n_eff = effective_rows(rows, reference_rows)
    beyond = ncx2.isf(LEVEL, groups - 1, n_eff * tolerance)
    return float(ncx2.sf(beyond, groups - 1, n_eff * true))


def least_effective_rows(power: float, tolerance: float, true: float) -> int:
    """Return the effective rows below which no test reaches a power: `best`, solved for them."""
    return ceil(((ndtri(power) - ndtri(LEVEL)) / (sqrt(true) - sqrt(tolerance))) ** 2)
