"""The uncertainty of a ratio."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import FloatArray, Interval, counts, normal_quantile
from monitor.uncertainty.proportion import wilson

_FARTHEST = 80.0  # of |log ratio|: e^80 is beyond any ratio of countable rows
_HALVINGS = 56  # of that range: the ends are right to 2e-15 of themselves


def koopman(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    level: ArrayLike = 0.95,
) -> Interval:
    """Return Koopman's score interval of the ratio of two proportions.

    The ratios ``r`` with ``(p₁ − r p₂)² / (q₁(1−q₁)/n₁ + r² q₂(1−q₂)/n₂) ≤ z²``, where ``q₁ = r q₂``
    and ``q₂`` are the maximum-likelihood proportions under that ratio; without the factor
    N/(N−1). Solved on log r by bisection, all tables at once. Coverage stays near nominal for
    small counts, where the log (Katz) interval fails.

    No successes in the first sample: the lower end is 0. None in the second: the upper end is
    +inf.

    Args:
        successes: Of the first sample (numerator), any shape.
        trials: Of the first sample, above zero.
        other_successes: Of the second sample (denominator).
        other_trials: Of the second sample, above zero.
        level: Confidence level, broadcast.

    Returns:
        Arrays of the broadcast shape, 0 ≤ low ≤ high ≤ +inf.

    Raises:
        ValueError: No trials, successes outside them, or none in both samples: the ratio is then
            undefined.

    Source:
        P. A. R. Koopman (1984), Biometrics 40, 513-517.
    """
    x, n, y, m, critical = np.broadcast_arrays(
        *counts(successes, trials),
        *counts(other_successes, other_trials),
        normal_quantile(level) ** 2,
    )
    tables = _Tables(x, n, y, m)
    if ((x == 0) & (y == 0)).any():
        raise ValueError("the ratio of two proportions that are both zero does not exist")
    with np.errstate(divide="ignore"):
        middle = np.clip(np.log(x / n) - np.log(y / m), -_FARTHEST, _FARTHEST)

    low, high = _ends(tables, critical, middle)
    return Interval(np.where(x == 0, 0.0, low), np.where(y == 0, np.inf, high))


class _Tables(NamedTuple):
    x: FloatArray
    n: FloatArray
    y: FloatArray
    m: FloatArray

    def score(self, ratio: FloatArray) -> FloatArray:
        """Return the squared distance from a ratio, in standard errors under it."""
        x, n, y, m = self
        a = (n + m) * ratio
        b = n * ratio + x + m + y * ratio
        c = x + y
        # The smaller root, written so that nothing cancels.
        q2 = np.minimum(2 * c / (b + np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))), 1.0)
        q1 = np.minimum(ratio * q2, 1.0)
        variance = q1 * (1 - q1) / n + ratio**2 * q2 * (1 - q2) / m
        distance = (x / n - ratio * y / m) ** 2
        # Both samples saturated at ratio 1: no variance, and no distance.
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(distance == 0, 0.0, distance / variance))


def _ends(tables: _Tables, critical: FloatArray, middle: FloatArray) -> FloatArray:
    """Return both ends, shape (2, …): the score grows from the estimate outwards, so halving finds them."""
    inside = np.stack([middle, middle])
    outside = np.stack([np.full(middle.shape, -_FARTHEST), np.full(middle.shape, _FARTHEST)])
    for _ in range(_HALVINGS):
        half = (outside + inside) / 2
        rejected = tables.score(np.exp(half)) > critical
        outside, inside = np.where(rejected, half, outside), np.where(rejected, inside, half)
    return np.exp(inside)


def rate_ratio(
    events: ArrayLike,
    exposure: ArrayLike,
    other_events: ArrayLike,
    other_exposure: ArrayLike,
    level: ArrayLike = 0.95,
) -> Interval:
    """Return an interval for the ratio of two Poisson rates.

    Given the total, the events of the first sample are binomial with ``p = r t / (r t + u)``; its
    Wilson interval is carried over to the ratio ``r``. Events are taken as independent: arrivals that come
    in bursts vary more than this says.

    Args:
        events: Of the first sample (numerator), any shape.
        exposure: Of the first sample, above zero.
        other_events: Of the second sample, above zero.
        other_exposure: Of the second sample, above zero.
        level: Confidence level, broadcast.

    Returns:
        Arrays of the broadcast shape, 0 ≤ low ≤ high < +inf.

    Raises:
        ValueError: No event in the second sample, or an exposure that is not above zero.

    Source:
        J. Przyborowski and H. Wilenski (1940), Biometrika 31, 313-323, for the conditional
        argument.
    """
    x, y = np.asarray(events, np.float64), np.asarray(other_events, np.float64)
    t, u = np.asarray(exposure, np.float64), np.asarray(other_exposure, np.float64)
    if not ((y > 0).all() and (t > 0).all() and (u > 0).all()):
        raise ValueError("a rate to divide by needs events, and both rates need an exposure")
    share = wilson(x, x + y, level)
    low, high = (end / (1 - end) * u / t for end in share)
    return Interval(low, high)
