"""The uncertainty of correlations."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.special import ndtr
from monitor.uncertainty.interval import FloatArray, Interval, normal_quantile

LEAST_ROWS = 4
"""Rows that a correlation takes to have an error: Fisher's is 1 / √(n − 3)."""

_NEAR_ONE = 1 - 1e-9  # a correlation of 1 is at infinity on Fisher's scale


def fisher_z(correlation: ArrayLike) -> FloatArray:
    """Return correlations on the scale on which they are nearly normal: ``arctanh r``."""
    r = np.clip(np.asarray(correlation, np.float64), -_NEAR_ONE, _NEAR_ONE)
    return np.arctanh(r)


def fisher_interval(correlation: ArrayLike, rows: ArrayLike, level: ArrayLike = 0.95) -> Interval:
    """Return Fisher's interval of a correlation: ``tanh(arctanh r ± z / √(n − 3))``.

    Args:
        correlation: Any shape.
        rows: The same shape, at least `LEAST_ROWS`.
        level: Confidence level, broadcast.

    Returns:
        Arrays of that shape, in [−1, 1].

    Raises:
        ValueError: There are too few rows.

    Source:
        R. A. Fisher (1921), Metron 1, 3-32.
    """
    reach = normal_quantile(level) * np.sqrt(_error2(rows))
    z = fisher_z(correlation)
    return Interval(np.tanh(z - reach), np.tanh(z + reach))


def same_correlation(
    correlation: ArrayLike, rows: ArrayLike, other: ArrayLike, other_rows: ArrayLike
) -> FloatArray:
    """Return the two-sided p-value of "two independent samples have the same correlation".

    ``2 Φ(−|arctanh r₁ − arctanh r₂| / √(1/(n₁ − 3) + 1/(n₂ − 3)))``.

    Args:
        correlation: Of the first sample, any shape.
        rows: Of the first sample, at least `LEAST_ROWS`.
        other: Of the second sample.
        other_rows: Of the second sample, at least `LEAST_ROWS`.

    Raises:
        ValueError: There are too few rows.

    Source:
        R. A. Fisher (1921), Metron 1, 3-32.
    """
    error = np.sqrt(_error2(rows) + _error2(other_rows))
    apart = np.abs(fisher_z(correlation) - fisher_z(other))
    return np.asarray(2 * ndtr(-apart / error))


def _error2(rows: ArrayLike) -> FloatArray:
    n = np.asarray(rows, np.float64)
    if not (n >= LEAST_ROWS).all():
        raise ValueError(f"the error of a correlation takes at least {LEAST_ROWS} rows")
    return np.asarray(1 / (n - 3))
