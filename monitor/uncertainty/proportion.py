"""The uncertainty of one proportion."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import Interval, counts, normal_quantile


def wilson_of_variance(
    value: float, variance: float, fewest: float, most: float, level: float = 0.95
) -> Interval:
    """Return Wilson's interval of a share whose variance is not that of counted successes.

    That of as many independent trials as have the variance, ``value (1 − value) / variance``, at
    most ``most``; where the variance is 0, for want of any difference, of ``fewest``. It stays in
    [0, 1] and has a width at 0 and 1.

    Args:
        value: In [0, 1].
        variance: Of the value, at least 0.
        fewest: Trials to suppose where the variance is 0, above zero.
        most: Rows that the value rests on, above zero.
        level: Confidence level.

    Source:
        E. L. Korn and B. I. Graubard (1998), Survey Methodology 24, 193-201, for the effective
        number of trials.
    """
    trials = value * (1 - value) / variance if variance > 0 else fewest
    trials = min(max(trials, 1.0), most)
    return wilson(value * trials, trials, level)


def wilson(successes: ArrayLike, trials: ArrayLike, level: ArrayLike = 0.95) -> Interval:
    """Return the Wilson score interval of a proportion.

    The proportions ``p`` that a score test does not reject: ``(x/n − p)² ≤ z² p(1 − p)/n``. Ends
    lie in [0, 1] and are proper at 0 and n successes, where the Wald interval has no width.

    Args:
        successes: Any shape; whole or (effective) fractional counts.
        trials: The same shape, above zero.
        level: Confidence level, broadcast.

    Returns:
        Arrays of that shape.

    Raises:
        ValueError: No trials, or successes outside them.

    Source:
        E. B. Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
    """
    x, n = counts(successes, trials)
    z2 = normal_quantile(level) ** 2
    middle = x + z2 / 2
    spread = np.sqrt(z2 * (x * (n - x) / n + z2 / 4))
    # The ends at 0 and n successes are exact, whatever rounding says.
    low = np.where(x == 0, 0.0, (middle - spread) / (n + z2))
    high = np.where(x == n, 1.0, (middle + spread) / (n + z2))
    return Interval(np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0))
