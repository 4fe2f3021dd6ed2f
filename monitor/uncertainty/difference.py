"""The uncertainty of a difference."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import Interval, counts
from monitor.uncertainty.proportion import wilson


def mover(first: ArrayLike, of_first: Interval, second: ArrayLike, of_second: Interval) -> Interval:
    """Return an interval for ``first − second`` from an interval of each.

    Method of variance estimates recovery: each end takes the squared distances to the ends that
    matter to it, ``d − √((a − a_low)² + (b_high − b)²)`` and its mirror image. The two estimates
    are independent.

    Args:
        first: Estimates, any shape.
        of_first: Their intervals.
        second: Estimates to subtract, the same shape.
        of_second: Their intervals, at the same level.

    Returns:
        Arrays of that shape.

    Source:
        G. Y. Zou and A. Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    below = np.hypot(a - of_first.low, of_second.high - b)
    above = np.hypot(of_first.high - a, b - of_second.low)
    return Interval(a - b - below, a - b + above)


def newcombe(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    level: ArrayLike = 0.95,
) -> Interval:
    """Return Newcombe's hybrid score interval of the difference of two proportions.

    `mover` over two Wilson intervals; no continuity correction. Ends lie in [−1, 1]; proper at
    empty cells.

    Args:
        successes: Of the first sample, any shape.
        trials: Of the first sample, above zero.
        other_successes: Of the second sample, which is subtracted.
        other_trials: Of the second sample, above zero.
        level: Confidence level, broadcast.

    Returns:
        Arrays of the broadcast shape.

    Raises:
        ValueError: No trials, or successes outside them.

    Source:
        R. G. Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    x, n = counts(successes, trials)
    y, m = counts(other_successes, other_trials)
    ends = mover(x / n, wilson(x, n, level), y / m, wilson(y, m, level))
    return Interval(np.clip(ends.low, -1.0, 1.0), np.clip(ends.high, -1.0, 1.0))
