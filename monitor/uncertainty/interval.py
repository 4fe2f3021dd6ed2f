"""What every interval estimator here returns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.special import ndtri

FloatArray = NDArray[np.float64]


class Interval(NamedTuple):
    """Lower and upper ends, arrays of one shape; an upper end may be +inf, never NaN."""

    low: FloatArray
    high: FloatArray


def normal_quantile(level: ArrayLike) -> FloatArray:
    """Return z such that a standard normal lies in ±z with the given probability."""
    return np.asarray(ndtri(0.5 + np.asarray(level, np.float64) / 2), np.float64)


def counts(successes: ArrayLike, trials: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both as doubles of one shape.

    Raises:
        ValueError: There are no trials, or successes are not within them: the caller owes a
            reason for the missing number instead of a call.
    """
    x, n = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(trials, np.float64))
    if not ((n > 0) & (x >= 0) & (x <= n)).all():
        if not (n > 0).all():
            raise ValueError("a proportion of no trials does not exist")
        raise ValueError("successes lie between 0 and the number of trials")
    return x, n
