"""What rows of unknown membership could make of a ratio."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import Interval, counts


def membership_bounds(
    tables: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    unknown_successes: int,
    unknown_trials: int,
) -> Interval:
    """Return the least and the greatest ratio, whoever the rows of unknown membership are.

    Any of them may belong to the first sample, to the second, or to neither. The ratio is least when
    all failures among them are the first sample's and all successes the second's, ``[x / (n + U − S)] /
    [(y + S) / (m + S)]``, and greatest when it is the other way round, ``[(x + S) / (n + S)] / [y / (m
    + U − S)]``. Both are possible at once with the counts, so the bounds are sharp; they are no
    interval of confidence, and wider than with the second sample held fixed.

    Args:
        tables: Successes and trials of the first sample, and of the second; broadcast. Trials and
            the second's successes are above zero.
        unknown_successes: Successes among the rows of unknown membership, S.
        unknown_trials: These rows, U.

    Returns:
        Arrays of the broadcast shape; the ratio itself where nobody is unknown.

    Raises:
        ValueError: No trials, successes outside them, or none in the second sample.

    Source:
        C. F. Manski (2003), Partial Identification of Probability Distributions, ch. 1.
    """
    x, n = counts(*tables[:2])
    y, m = counts(*tables[2:])
    counts(unknown_successes, max(unknown_trials, 1))
    if not (y > 0).all():
        raise ValueError("a ratio to a proportion of zero does not exist")
    won, lost = unknown_successes, unknown_trials - unknown_successes
    low = (x / (n + lost)) / ((y + won) / (m + won))
    high = ((x + won) / (n + won)) / (y / (m + lost))
    return Interval(np.asarray(low), np.asarray(high))
