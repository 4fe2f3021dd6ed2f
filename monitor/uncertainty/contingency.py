"""How strongly two ways to divide the same rows go together."""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

SMALLEST = 2
"""Lines and columns with rows that a table must have."""


def cramers_v(table: ArrayLike) -> float | None:
    """Return bias-corrected Cramér's V of a table of counts.

    ``V = √(φ̃² / min(r̃ − 1, c̃ − 1))`` with ``φ̃² = max(0, χ²/n − (r − 1)(c − 1)/(n − 1))``,
    ``r̃ = r − (r − 1)²/(n − 1)`` and ``c̃`` alike: in [0, 1], 0 where the one tells nothing of the other
    (and on average near 0 when they are independent, however small n), 1 where it tells all;
    symmetric. Lines and columns without rows do not count.

    Args:
        table: shape (r, c), rows.

    Returns:
        V; None where fewer than two lines or columns have rows, or every row is a cell of its own.

    Source:
        H. Cramér (1946), Mathematical Methods of Statistics, p. 282; W. Bergsma (2013), J. Korean
        Stat. Soc. 42, 323-328.
    """
    counts = np.asarray(table, np.float64)
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    rows, columns = counts.shape
    total = float(counts.sum())
    if min(rows, columns) < SMALLEST or total <= max(rows, columns):
        return None
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    phi2 = max(0.0, chi2 / total - (rows - 1) * (columns - 1) / (total - 1))
    least = min(size - (size - 1) ** 2 / (total - 1) for size in (rows, columns)) - 1
    return min(sqrt(phi2 / least), 1.0) if least > 0 else None
