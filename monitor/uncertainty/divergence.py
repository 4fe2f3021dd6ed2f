"""The uncertainty of a divergence between two samples' shares."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chndtr, chndtrinc, ndtri

from monitor.uncertainty.interval import FloatArray, Interval

_LARGE = 1e4  # above this the normal approximation on the square-root scale is good to 1e-4


def effective_rows(rows: float, other_rows: float) -> float:
    """Return ``n m / (n + m)``, the size of one sample that is as noisy as the two together."""
    return rows * other_rows / (rows + other_rows)


def noncentrality(statistic: ArrayLike, df: ArrayLike, level: float) -> Interval:
    """Return the equal-tailed interval of a noncentral chi-square's noncentrality.

    A divergence with ``φ''(1) = c`` between the shares of two samples in B groups, times
    ``2 n_eff / c``, is close to noncentral chi-square with B − 1 degrees of freedom, and its
    noncentrality is the same multiple of the true divergence (Jeffreys: ``n_eff PSI``; squared
    Hellinger and Jensen-Shannon in nats: ``8 n_eff D``; chi-square itself). The
    interval holds the noncentralities under which the observed value is in neither tail; an end
    is 0 when even a noncentrality of 0 puts it there. The upper end is that of a statistic of at
    least df, its mean when nothing differs: chance agreement closer than that is no proof of
    equality. So the lower end of a 90 % interval exceeds a
    limit exactly when a 5 % test rejects that the true divergence is within the limit.

    Args:
        statistic: Observed, not negative; any shape.
        df: Degrees of freedom, above zero.
        level: Confidence level of the two-sided interval.

    Returns:
        Arrays of the broadcast shape, 0 ≤ low ≤ high. ``low`` is below the statistic; ``high`` may
        be below it as well when there are few rows, since the statistic is biased upwards by df.

    Source:
        B. Yurdakul and J. Naranjo (2020), J. Risk Model Validation 14(4), for PSI; I. Csiszár and
        P. Shields (2004), Information Theory and Statistics, section 4, for φ-divergences;
        W. N. Venables (1975), J. R. Stat. Soc. B 37, 406-412, for the inversion.
    """
    x, k = np.broadcast_arrays(np.asarray(statistic, np.float64), np.asarray(df, np.float64))
    tail = (1 - level) / 2
    return Interval(_inverted(x, k, 1 - tail), _inverted(np.maximum(x, k), k, tail))


def _inverted(x: FloatArray, df: FloatArray, mass: float) -> FloatArray:
    """Return the noncentrality with this probability at or below x; 0 if none has as little."""
    small = np.minimum(x, _LARGE)
    exact = np.where(chndtr(small, df, 0.0) <= mass, 0.0, chndtrinc(small, df, mass))
    large = np.maximum(np.sqrt(x) - ndtri(mass), 0.0) ** 2 - (df - 1)
    return np.maximum(np.where(x > _LARGE, large, exact), 0.0)
