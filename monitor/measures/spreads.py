"""How far the windows of a baseline lie apart, for the measures that share a law."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.measures.grouping import Groups
from monitor.special import ndtri
from monitor.uncertainty.between import Squares
from monitor.uncertainty.interval import FloatArray

_STEPS = 4000
"""Of a quantile function, to have its mean and variance to a few per mille."""


def of_divergence(divergence: FloatArray, groups: Groups, per_square: float) -> Squares:
    """Return squares of which ``per_square · n_eff`` times each is noncentral chi-square.

    Args:
        divergence: shape (parts,), or squared distances.
        groups: What they were taken over.
        per_square: Twice the divergence's inverse curvature at equality.
    """
    scale = per_square * groups.n_eff
    return Squares(divergence, groups.df / scale, 2 * groups.df / scale**2, groups.df)


def of_shares(
    counted: ArrayLike, rows: ArrayLike, whole_counted: int, whole_rows: int
) -> Squares | None:
    """Return the squared differences between a share in each window and in the others.

    Args:
        counted: shape (parts,), rows that count.
        rows: shape (parts,), rows.
        whole_counted: Their sum in the baseline.
        whole_rows: Its rows.
    """
    x, n = np.asarray(counted, np.float64), np.asarray(rows, np.float64)
    some = (n > 0) & (n < whole_rows)
    x, n = x[some], n[some]
    share = whole_counted / whole_rows if whole_rows else 0.0
    difference = x / n - (whole_counted - x) / (whole_rows - n)
    return of_differences(difference, share * (1 - share) * (1 / n + 1 / (whole_rows - n)))


def of_largest(difference: FloatArray, error2: FloatArray) -> Squares | None:
    """Return the square of the largest of many differences in each part.

    What sampling makes of it is the largest of as many independent squares of normal errors: of
    correlated ones it is less.

    Args:
        difference: shape (parts, many).
        error2: shape (parts,), the variances when nothing differs.
    """
    if not len(difference):
        return None
    many = difference.shape[1]
    steps = (np.arange(_STEPS) + 0.5) / _STEPS
    largest = np.square(ndtri((1 + steps ** (1 / many)) / 2))
    observed = np.square(difference).max(axis=1)
    return Squares(observed, largest.mean() * error2, largest.var() * error2**2, many)


def of_differences(difference: FloatArray, error2: FloatArray) -> Squares | None:
    """Return squares of differences that are nearly normal.

    Args:
        difference: shape (parts, …).
        error2: The same shape, their variances when nothing differs.
    """
    if not len(difference):
        return None
    return Squares(difference**2, error2, 2 * error2**2, 1.0)
