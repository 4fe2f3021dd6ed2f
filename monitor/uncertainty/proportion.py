"""The uncertainty of one proportion."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import Interval, counts, normal_quantile


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
