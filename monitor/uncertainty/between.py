"""How far windows lie apart that nothing happened to."""

from typing import NamedTuple

import numpy as np

from monitor.special import fdtri
from monitor.uncertainty.interval import FloatArray

LEAST_WINDOWS = 7
"""Windows from which a variability is learned: a week of days. With fewer, chance decides."""

_CERTAIN = 1.645  # standard normal: agreement is rejected at 5 %, one-sided
_FLATTEST = 0.05  # of the gamma law's shape: one window in ten that does all the varying


class Squares(NamedTuple):
    """Squared distances of windows from the others, and what sampling alone would make of them.

    Attributes:
        observed: shape (windows, …), squared distances.
        expected: The same shape, their means when nothing differs.
        variance: The same shape, their variances when nothing differs.
        df: Dimensions in which windows can differ.
    """

    observed: FloatArray
    expected: FloatArray
    variance: FloatArray
    df: float


def reach(squares: Squares, tails: tuple[float, ...]) -> FloatArray:
    """Return what the true squared distance of another such window exceeds with small probability.

    What sampling explains is taken off; what is left has a mean and a variance, and by these
    moments a gamma law (the square of one normal effect is one of shape ½; an effect in several
    directions has a larger shape, rare bursts a smaller one). The mean is itself that of ``k``
    windows: another window's effect over it has the F distribution with ``2a`` and ``2ak`` degrees
    of freedom, ``a`` being the shape, and few windows reach farther than many for that reason.
    0 when the windows agree: when a one-sided 5 % test does not reject that sampling explains them.
    0 as well for fewer than `LEAST_WINDOWS`.

    Args:
        squares: Of the windows.
        tails: The small probabilities.

    Returns:
        shape (tails, …), in the unit of the squares, never negative.

    Source:
        Method of moments as for random effects: R. DerSimonian and N. Laird (1986), Controlled
        Clinical Trials 7, 177-188; prediction from the mean of a gamma sample: the ratio of two
        independent gamma means, N. L. Johnson, S. Kotz and N. Balakrishnan (1995), Continuous
        Univariate Distributions 2, chapter 27.
    """
    windows = len(squares.observed)
    if windows < LEAST_WINDOWS:
        return np.zeros((len(tails), *squares.observed.shape[1:]))
    excess = squares.observed - squares.expected
    noise = squares.variance.sum(axis=0)
    differ = excess.sum(axis=0) > _CERTAIN * np.sqrt(noise)
    mean = np.where(differ, excess.mean(axis=0), 1.0)
    spread = excess.var(axis=0, ddof=1) - noise / windows
    shape = np.clip(
        np.square(mean) / np.maximum(spread, np.finfo(np.float64).tiny),
        _FLATTEST,
        max(squares.df / 2, _FLATTEST),
    )
    levels = 1 - np.array(tails).reshape(-1, *(1,) * mean.ndim)
    times = np.asarray(fdtri(2 * shape, np.maximum(2 * shape, 1.0) * windows, levels), np.float64)
    return np.where(differ, mean * times, 0.0)
