"""Two samples compared within strata: what difference there is once the strata are held equal.

Every function takes four arrays of one shape (…, strata): successes and trials of the first sample,
and of the second. A stratum in which either sample has no trials compares nobody with anybody: it
has no weight, and whoever calls says so. At least one stratum must have trials of both.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monitor.special import chdtrc
from monitor.uncertainty.interval import FloatArray, Interval, normal_quantile
from monitor.uncertainty.proportion import wilson
from monitor.uncertainty.ratio import koopman

CONTINUITY = 0.5
"""Successes by which a sum of whole numbers overstates its distance from what is expected of it."""


class Pooled(NamedTuple):
    """One number over all strata, its standard error at that number, and its interval.

    Arrays of shape (…). The error of a ratio is that of its logarithm, +inf at 0.
    """

    value: FloatArray
    error: FloatArray
    interval: Interval


class Chi(NamedTuple):
    """A statistic with a chi-square law, its degrees of freedom and p-value; arrays of shape (…)."""

    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray


def difference(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    level: ArrayLike = 0.95,
) -> Pooled:
    """Return the Mantel–Haenszel difference of two proportions.

    ``D = Σ wₖ(xₖ/nₖ − yₖ/mₖ) / W`` with ``wₖ = nₖmₖ/Nₖ``, ``Nₖ = nₖ + mₖ`` and ``W = Σ wₖ``: the mean
    of the strata's differences, each with the weight of what it can tell. In [−1, 1], 0 when the
    samples are alike within every stratum.

    Sato's variance ``(d P + Q) / W²``, with ``P = Σ (nₖ²yₖ − mₖ²xₖ + nₖmₖ(mₖ − nₖ)/2)/Nₖ²`` and
    ``Q = Σ (xₖ(mₖ − yₖ) + yₖ(nₖ − xₖ))/2Nₖ``, holds for few large strata and for many small ones. The
    error is that at ``d = D``; the interval holds the differences d with ``(D − d)² ≤ z²(dP + Q)/W²``,
    whose coverage stays near nominal where ``D ± z·error`` falls to 75 % (20 rows against 200, rates
    of 6 and 10 %). Where no stratum has both successes and failures there is no such variance: the
    ends are as far from 0 as the farther end of Newcombe's interval, with the trials that the weights
    leave, ``W²/Σ(wₖ²/nₖ)`` and ``W²/Σ(wₖ²/mₖ)``.

    Args:
        successes: Of the first sample, shape (…, strata).
        trials: Of the first sample.
        other_successes: Of the second sample, which is subtracted.
        other_trials: Of the second sample.
        level: Confidence level, broadcast over (…).

    Raises:
        ValueError: No stratum has trials of both samples, or successes are not within trials.

    Source:
        S. Greenland and J. M. Robins (1985), Biometrics 41, 55-68; T. Sato (1989), Biometrics 45,
        1323-1324, for the variance.
    """
    x, n, y, m, total = _strata(successes, trials, other_successes, other_trials)
    weight = (n * m / total).sum(-1)
    value = ((x * m - y * n) / total).sum(-1) / weight
    slope = ((n**2 * y - m**2 * x + n * m * (m - n) / 2) / total**2).sum(-1) / weight**2
    still = ((x * (m - y) + y * (n - x)) / (2 * total)).sum(-1) / weight**2
    error = np.sqrt(np.maximum(value * slope + still, 0.0))
    z2 = normal_quantile(level) ** 2
    middle = value + z2 * slope / 2
    reach = np.sqrt(np.maximum(middle**2 - value**2 + z2 * still, 0.0))
    ends = (wilson(0, trials, level).high for trials in _effective(n, m))
    farther = np.maximum(*ends)
    alike = still == 0
    low = np.where(alike, -farther, np.maximum(middle - reach, -1.0))
    high = np.where(alike, farther, np.minimum(middle + reach, 1.0))
    return Pooled(value, error, Interval(low, high))


def ratio(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    level: ArrayLike = 0.95,
) -> Pooled:
    """Return the Mantel–Haenszel ratio of two proportions.

    ``R / S`` with ``R = Σ xₖmₖ/Nₖ``, ``S = Σ yₖnₖ/Nₖ`` and ``Nₖ = nₖ + mₖ``. From 0, 1 when the
    samples are alike within every stratum.

    Greenland and Robins' variance of the logarithm is ``V / RS`` with
    ``V = Σ (nₖmₖ(xₖ + yₖ) − xₖyₖNₖ)/Nₖ²``. The error is its root; the interval holds the ratios r
    with ``(R − rS)² ≤ z² r V``. It lies around the ratio on the log scale as theirs does, agrees with
    it in large samples, and has an upper end at 0 too, where theirs has none. Where all succeeded in
    every stratum that has successes, there is no such variance: Koopman's interval, with the trials
    that the weights of `difference` leave.

    Args:
        successes: Of the first sample (numerator), shape (…, strata).
        trials: Of the first sample.
        other_successes: Of the second sample (denominator); some in a stratum with trials of both.
        other_trials: Of the second sample.
        level: Confidence level, broadcast over (…).

    Raises:
        ValueError: As for `difference`; or the ratio does not exist, because no comparable stratum
            has successes of the second sample.

    Source:
        S. Greenland and J. M. Robins (1985), Biometrics 41, 55-68; the inversion is that of T. Sato
        (1990), Biometrics 46, 71-80, for odds ratios.
    """
    x, n, y, m, total = _strata(successes, trials, other_successes, other_trials)
    above, below = (x * m / total).sum(-1), (y * n / total).sum(-1)
    if not (below > 0).all():
        raise ValueError("a ratio to no successes does not exist")
    spread = ((n * m * (x + y) - x * y * total) / total**2).sum(-1)
    with np.errstate(divide="ignore"):
        error = np.sqrt(spread / (above * below))
    middle = above * below + normal_quantile(level) ** 2 * spread / 2
    root = np.sqrt(np.maximum(middle**2 - (above * below) ** 2, 0.0))
    # The lower end by the product of both, so that nothing cancels.
    low, high = above**2 / (middle + root), (middle + root) / below**2
    if (alike := spread == 0).any():
        trials, other = _effective(n, m)
        saturated = koopman(trials, trials, other, other, level)
        low, high = np.where(alike, saturated.low, low), np.where(alike, saturated.high, high)
    return Pooled(above / below, error, Interval(low, high))


def odds_ratio(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    level: ArrayLike = 0.95,
) -> Pooled:
    """Return the Mantel–Haenszel odds ratio.

    ``R / S`` with ``R = Σ xₖ(mₖ − yₖ)/Nₖ`` and ``S = Σ yₖ(nₖ − xₖ)/Nₖ``. From 0, 1 when the samples
    are alike within every stratum. Log-normal interval with the variance of Robins, Breslow and
    Greenland, as R's ``mantelhaen.test`` gives it.

    Args:
        successes: Of the first sample (numerator), shape (…, strata).
        trials: Of the first sample.
        other_successes: Of the second sample (denominator).
        other_trials: Of the second sample.
        level: Confidence level, broadcast over (…).

    Raises:
        ValueError: As for `difference`; or R or S is 0: then its logarithm does not exist.

    Source:
        N. Mantel and W. Haenszel (1959), J. Natl. Cancer Inst. 22, 719-748; J. Robins, N. Breslow
        and S. Greenland (1986), Biometrics 42, 311-323.
    """
    x, n, y, m, total = _strata(successes, trials, other_successes, other_trials)
    up, down = x * (m - y) / total, y * (n - x) / total
    above, below = up.sum(-1), down.sum(-1)
    if not ((above > 0) & (below > 0)).all():
        raise ValueError("the logarithm of an odds ratio of 0 or of no odds does not exist")
    same, other = (x + m - y) / total, (y + n - x) / total
    variance = (
        (same * up).sum(-1) / above**2
        + (same * down + other * up).sum(-1) / (above * below)
        + (other * down).sum(-1) / below**2
    ) / 2
    value, error = above / below, np.sqrt(variance)
    reach = np.exp(normal_quantile(level) * error)
    return Pooled(value, error, Interval(value / reach, value * reach))


def association(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    *,
    continuity: bool = False,
) -> Chi:
    """Return the Cochran–Mantel–Haenszel test of "within each stratum, the proportions are equal".

    ``(|Σ (xₖ − Eₖ)| − c)² / Σ Vₖ`` with the mean and variance of ``xₖ`` given all margins; one
    degree of freedom. Sees differences that go the same way in most strata. Where no stratum holds
    both successes and failures the statistic is 0 and p is 1: no evidence of a difference.

    Args:
        successes: Of the first sample, shape (…, strata).
        trials: Of the first sample.
        other_successes: Of the second sample.
        other_trials: Of the second sample.
        continuity: Whether to take `CONTINUITY`, at most the whole distance, off (R's default).

    Raises:
        ValueError: As for `difference`.

    Source:
        W. G. Cochran (1954), Biometrics 10, 417-451; N. Mantel and W. Haenszel (1959), J. Natl.
        Cancer Inst. 22, 719-748.
    """
    x, n, y, m, total = _strata(successes, trials, other_successes, other_trials)
    won = x + y
    distance = np.abs((x - n * won / total).sum(-1))
    if continuity:
        distance = np.maximum(distance - CONTINUITY, 0.0)
    # A stratum of one row has no variance: its only success is where it must be.
    variance = (n * m * won * (total - won) / (total**2 * np.maximum(total - 1, 1))).sum(-1)
    statistic = np.divide(distance**2, variance, out=np.zeros(distance.shape), where=variance > 0)
    df = np.ones(statistic.shape)
    return Chi(statistic, df, np.asarray(chdtrc(df, statistic)))


def heterogeneity(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    *,
    tarone: bool = True,
) -> Chi:
    """Return the Breslow–Day test of "the odds ratio is the same in every stratum".

    ``Σ (xₖ − Eₖ)² / Vₖ``, where ``Eₖ`` is what the stratum's margins and the Mantel–Haenszel odds
    ratio expect and ``Vₖ`` its asymptotic variance; less ``(Σ (xₖ − Eₖ))² / Σ Vₖ`` by Tarone. One
    degree of freedom less than there are strata with trials of both samples, successes and failures;
    with fewer than two of them nothing can differ, df is 0 and p is 1. A law of large strata: where
    cells are expected to hold fewer than five rows, leave them out.

    Args:
        successes: Of the first sample, shape (…, strata).
        trials: Of the first sample.
        other_successes: Of the second sample.
        other_trials: Of the second sample.
        tarone: Whether to apply Tarone's correction, without which the law holds for the
            maximum-likelihood odds ratio only.

    Raises:
        ValueError: As for `odds_ratio`.

    Source:
        N. E. Breslow and N. E. Day (1980), Statistical Methods in Cancer Research 1, IARC, 142;
        R. E. Tarone (1985), Biometrika 72, 91-95.
    """
    common = odds_ratio(successes, trials, other_successes, other_trials).value[..., None]
    x, n, y, m, total = _strata(successes, trials, other_successes, other_trials)
    won = x + y
    # Expected: the root of e (m − won + e) = common (n − e)(won − e) within the margins, written so
    # that nothing cancels when the odds ratio is near 1.
    a, b, c = common - 1, common * (n + won) + m - won, common * n * won
    told = (n > 0) & (won > 0) & (won < total)
    below = b + np.sqrt(np.maximum(b**2 - 4 * a * c, 0.0))
    expected = np.divide(2 * c, below, out=np.ones(x.shape), where=told)
    cells = np.stack([expected, n - expected, won - expected, m - won + expected])
    variance = np.where(told, 1 / (1 / np.where(told, cells, 1.0)).sum(0), 0.0)
    distance = np.where(told, x - expected, 0.0)
    statistic = np.divide(distance**2, variance, out=np.zeros(x.shape), where=told).sum(-1)
    df = np.maximum(told.sum(-1) - 1, 0).astype(np.float64)
    if tarone:
        statistic = statistic - distance.sum(-1) ** 2 / variance.sum(-1)
    statistic = np.where(df > 0, np.maximum(statistic, 0.0), 0.0)
    p_value = np.where(df > 0, chdtrc(np.maximum(df, 1), statistic), 1.0)
    return Chi(statistic, df, p_value)


def _strata(*tables: ArrayLike) -> tuple[FloatArray, ...]:
    """Return the four arrays, empty strata without any row, and their total (1 where there is none)."""
    x, n, y, m = np.broadcast_arrays(*(np.asarray(table, np.float64) for table in tables))
    if not ((x >= 0) & (x <= n) & (y >= 0) & (y <= m)).all():
        raise ValueError("successes lie between 0 and the number of trials")
    comparable = (n > 0) & (m > 0)
    if not comparable.any(-1).all():
        raise ValueError("no stratum has trials of both samples")
    x, n, y, m = (np.where(comparable, part, 0.0) for part in (x, n, y, m))
    return x, n, y, m, np.where(comparable, n + m, 1.0)


def _effective(n: FloatArray, m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how many trials of each sample in a single stratum tell as much: ``W²/Σ(wₖ²/nₖ)``."""
    weights = n * m / np.maximum(n + m, 1.0)
    total = weights.sum(-1)
    first, second = (
        np.asarray(total**2 / (weights**2 / np.maximum(trials, 1.0)).sum(-1)) for trials in (n, m)
    )
    return first, second
