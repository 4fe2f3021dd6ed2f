"""The uncertainty of a divergence between two samples' shares."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.special import chdtrc, chndtr, chndtrinc, ndtr, ndtri
from monitor.uncertainty.interval import FloatArray, Interval

_LARGE = 1e4  # above this the normal approximation on the square-root scale is good to 1e-4
_FAR = 1e-6  # below this 1 − chndtr has lost digits
_LEAST = 1e-3  # of the mean: smaller statistics are as good as certain to be exceeded
_MIDDLE = 1e-4  # standard deviations around the mean where the saddlepoint formula loses digits


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


def exceedance(statistic: ArrayLike, df: ArrayLike, noncentrality: ArrayLike) -> FloatArray:
    """Return the probability of a noncentral chi-square at least as large as this.

    With the statistic of a divergence, and the noncentrality of a tolerated one, the p-value of the
    hypothesis that the true divergence is within the tolerance (a minimum-effect test). Near the
    middle from the distribution function; in the upper tail, and for large arguments, from the
    saddlepoint approximation, whose relative error is below 0.01 for three degrees of freedom or
    more, and far below it for a noncentrality of 10 or more. It neither loses digits nor fails
    where a distribution function near 1 does. 0 only beyond the smallest double.

    Args:
        statistic: Observed, not negative; any shape.
        df: Degrees of freedom; 0 where nothing can have moved, which gives 1.
        noncentrality: Not negative.

    Returns:
        Array of the broadcast shape, in [0, 1].

    Source:
        R. Lugannani and S. Rice (1980), Adv. Appl. Probab. 12, 475-490; minimum-effect tests:
        K. R. Murphy and B. Myors (1999), J. Appl. Psychol. 84, 234-248.
    """
    x, k, center = np.broadcast_arrays(
        *(np.asarray(item, np.float64) for item in (statistic, df, noncentrality))
    )
    some = np.maximum(k, 1.0)
    small, near = np.minimum(x, _LARGE), np.minimum(center, _LARGE)
    body = 1 - np.asarray(chndtr(small, some, near), np.float64)
    exact = (x <= _LARGE) & (center <= _LARGE) & (body > _FAR)
    tail = body
    if not exact.all():
        tail = np.where(center == 0, chdtrc(some, x), _saddlepoint(x, some, center))
    return np.where(k == 0, 1.0, np.clip(np.where(exact, body, tail), 0.0, 1.0))


def _saddlepoint(x: FloatArray, df: FloatArray, center: FloatArray) -> FloatArray:
    x = np.maximum(x, _LEAST * (df + center))  # further below the mean the probability is 1
    inverse = 2 * x / (df + np.sqrt(df**2 + 4 * center * x))  # 1 / (1 − 2 s) at the saddlepoint s
    s = (1 - 1 / inverse) / 2
    cumulants = center * s * inverse + df / 2 * np.log(inverse)
    w = np.sign(s) * np.sqrt(np.maximum(2 * (s * x - cumulants), 0.0))
    v = s * np.sqrt(4 * center * inverse**3 + 2 * df * inverse**2)
    middle = np.abs(w) < _MIDDLE
    w_, v_ = np.where(middle, 1.0, w), np.where(middle, 1.0, v)
    density = np.exp(-np.square(w) / 2) / np.sqrt(2 * np.pi)
    # At the mean both reciprocals are infinite; their difference tends to −κ₃ / 6 κ₂^1.5.
    skewness = (24 * center + 8 * df) / (4 * center + 2 * df) ** 1.5
    return np.asarray(ndtr(-w) + density * np.where(middle, -skewness / 6, 1 / v_ - 1 / w_))


def _inverted(x: FloatArray, df: FloatArray, mass: float) -> FloatArray:
    """Return the noncentrality with this probability at or below x; 0 if none has as little."""
    small = np.minimum(x, _LARGE)
    exact = np.where(chndtr(small, df, 0.0) <= mass, 0.0, chndtrinc(small, df, mass))
    large = np.maximum(np.sqrt(x) - ndtri(mass), 0.0) ** 2 - (df - 1)
    return np.maximum(np.where(x > _LARGE, large, exact), 0.0)
