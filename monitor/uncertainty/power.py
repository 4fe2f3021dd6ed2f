"""What a comparison of two proportions could have shown."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.special import ndtr, ndtri
from monitor.uncertainty.interval import FloatArray

POWER = 0.8
"""How often a difference that is there is to be found: the usual four times in five."""

_HALVINGS = 40  # of a ratio's range: down to 1e-12 of it


class Detectable(NamedTuple):
    """Ratios that would be found, arrays of one shape.

    Attributes:
        ratio: The one nearest to 1; without meaning where there is none.
        exists: Whether any would be.
    """

    ratio: FloatArray
    exists: NDArray[np.bool_]


def detectable_ratio(
    trials: ArrayLike,
    other_trials: ArrayLike,
    other_rate: ArrayLike,
    alpha: ArrayLike = 0.05,
    *,
    above: bool = False,
    power: float = POWER,
) -> Detectable:
    """Return the ratio nearest to 1 that a two-sided z test would find with the given power.

    Of the ratios ``r = p₁ / p₂`` with the second proportion held at ``other_rate``: the largest
    below 1 (or the smallest above) for which ``Φ((|p₁ − p₂| − z √(p(1−p)(1/n₁ + 1/n₂))) / √(p₁(1−p₁)/n₁
    + p₂(1−p₂)/n₂))`` reaches the power, ``p`` the pooled proportion and ``z`` the quantile of
    ``1 − α/2``. Solved by bisection. Small samples cannot show any: not even a proportion of 0, or of 1.

    Args:
        trials: Of the first sample (numerator), any shape, above zero.
        other_trials: Of the second sample, above zero.
        other_rate: The second proportion, in [0, 1].
        alpha: Error of the test, in (0, 1).
        above: Whether the ratio is to be above 1.
        power: In (0, 1).

    Returns:
        Arrays of the broadcast shape; ratios in [0, 1], or in [1, 1/``other_rate``].

    Raises:
        ValueError: A number outside its range.

    Source:
        J. L. Fleiss, A. Tytun and H. K. Ury (1980), Biometrics 36, 343-346, without the correction
        for continuity.
    """
    n, m, rate, z = np.broadcast_arrays(
        np.asarray(trials, np.float64),
        np.asarray(other_trials, np.float64),
        np.asarray(other_rate, np.float64),
        ndtri(1 - np.asarray(alpha, np.float64) / 2),
    )
    if not ((n > 0).all() and (m > 0).all() and ((rate >= 0) & (rate <= 1)).all()):
        raise ValueError("samples have rows, and a proportion lies between 0 and 1")
    if not (np.isfinite(z).all() and 0 < power < 1):
        raise ValueError("alpha and power lie between 0 and 1")
    farthest = np.ones(rate.shape) if above else np.zeros(rate.shape)
    exists = (_power(n, m, farthest, rate, z) >= power) & (rate > 0) & (rate != farthest)
    found, missed = farthest, rate.copy()
    for _ in range(_HALVINGS):
        half = (found + missed) / 2
        enough = _power(n, m, half, rate, z) >= power
        found, missed = np.where(enough, half, found), np.where(enough, missed, half)
    ratio = np.divide(found, rate, out=np.ones(rate.shape), where=rate > 0)
    return Detectable(ratio, exists)


def _power(n: FloatArray, m: FloatArray, p: FloatArray, q: FloatArray, z: FloatArray) -> FloatArray:
    pooled = (n * p + m * q) / (n + m)
    equal = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    error = np.sqrt(p * (1 - p) / n + q * (1 - q) / m)
    beyond = np.abs(p - q) - z * equal
    # Without any spread the test finds what lies beyond, always.
    certain = np.where(beyond > 0, np.inf, -np.inf)
    return np.asarray(ndtr(np.divide(beyond, error, out=certain, where=error > 0)))
