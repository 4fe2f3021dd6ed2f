"""Comparisons within strata against statsmodels, R's documentation and slow definitions."""

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import StratifiedTable

from monitor.uncertainty.stratified import (
    association,
    difference,
    heterogeneity,
    odds_ratio,
    ratio,
)

pytestmark = pytest.mark.oracle


@pytest.fixture(params=range(12))
def tables(request):
    rng = np.random.default_rng(request.param)
    n, m = rng.integers(4, 300, (2, int(rng.integers(2, 9))))
    return rng.integers(1, n), n, rng.integers(1, m), m


def stratified(x, n, y, m):
    return StratifiedTable(np.array([[x, n - x], [y, m - y]], float))


def test_odds_and_risk_ratios_equal_statsmodels(tables):
    expected = stratified(*tables)
    found = odds_ratio(*tables, 0.9)
    assert found.value == pytest.approx(expected.oddsratio_pooled, rel=1e-12)
    assert found.error == pytest.approx(expected.logodds_pooled_se, rel=1e-12)
    assert found.interval == pytest.approx(expected.oddsratio_pooled_confint(0.1), rel=1e-12)
    assert ratio(*tables).value == pytest.approx(expected.riskratio_pooled, rel=1e-12)


@pytest.mark.parametrize("continuity", [False, True])
def test_the_test_of_no_association_equals_statsmodels(tables, continuity):
    expected = stratified(*tables).test_null_odds(correction=continuity)
    found = association(*tables, continuity=continuity)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("tarone", [False, True])
def test_the_test_of_equal_odds_ratios_equals_statsmodels(tables, tarone):
    expected = stratified(*tables).test_equal_odds(adjust=tarone)
    found = heterogeneity(*tables, tarone=tarone)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-7)
    # statsmodels' p is 1 − cdf: nothing is left of one below 1e-16.
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


def test_the_difference_and_its_variance_are_satos_sums(tables):
    """Sato (1989), term by term, in his letters."""
    top = below = p = q = 0.0
    for x, n, y, m in zip(*(part.tolist() for part in tables), strict=True):
        t = n + m
        a, b, c, d = x, y, n - x, m - y  # cases and others, first sample and second
        top += (a * m - b * n) / t
        below += n * m / t
        p += (n**2 * b - m**2 * a + n * m * (m - n) / 2) / t**2
        q += (a * d + b * c) / (2 * t)
    found = difference(*tables)
    assert found.value == pytest.approx(top / below)
    assert found.error == pytest.approx(np.sqrt(top / below * p + q) / below)
    z = stats.norm.ppf(0.975)
    for end, side in zip(found.interval, (-1, 1), strict=True):
        root = optimize.brentq(
            lambda d: (top / below - d) ** 2 - z**2 * (d * p + q) / below**2,
            top / below,
            top / below + side * 3,
        )
        assert end == pytest.approx(np.clip(root, -1, 1), abs=1e-9)


def test_the_ratio_and_its_variance_are_greenlands_and_robins_sums(tables):
    """Greenland and Robins (1985), table by table; the interval by a search."""
    r = s = v = 0.0
    for x, n, y, m in zip(*(part.tolist() for part in tables), strict=True):
        t = n + m
        r += x * m / t
        s += y * n / t
        v += (n * m * (x + y) - x * y * t) / t**2
    found = ratio(*tables, 0.9)
    assert found.value == pytest.approx(r / s)
    assert found.error == pytest.approx(np.sqrt(v / (r * s)))
    z = stats.norm.ppf(0.95)
    for end, far in zip(found.interval, (1e-9, 1e9), strict=True):
        root = optimize.brentq(
            lambda k: (r - k * s) ** 2 - z**2 * k * v, r / s, far, xtol=1e-13, rtol=1e-13
        )
        assert end == pytest.approx(root, rel=1e-6)


def test_large_samples_have_the_intervals_of_the_textbooks():
    x, n, y, m = (np.array(part) * 10_000 for part in ([3, 5, 1], [9, 8, 7], [4, 2, 2], [11, 5, 6]))
    z = stats.norm.ppf(0.975)
    found = difference(x, n, y, m)
    assert found.interval == pytest.approx(
        (found.value - z * found.error, found.value + z * found.error), abs=1e-6
    )
    found = ratio(x, n, y, m)
    assert np.log(found.interval) == pytest.approx(
        np.log(found.value) + np.array([-z, z]) * found.error, abs=1e-6
    )


@pytest.mark.parametrize(
    ("n", "m", "base", "least"),
    [
        ([20], [200], [0.1], 0.93),
        ([10, 10, 10], [100, 100, 50], [0.1, 0.2, 0.3], 0.93),
        ([5] * 10, [20] * 10, np.linspace(0.1, 0.8, 10), 0.93),
        ([1] * 30, [2] * 30, [0.5] * 30, 0.93),  # matched one to two: as sparse as strata can be
        ([200, 50, 10], [400, 1000, 3000], [0.05, 0.2, 0.5], 0.93),
        ([50, 30], [500, 300], [0.02, 0.05], 0.91),
    ],
)
@pytest.mark.parametrize("true_ratio", [1.0, 0.7])
def test_intervals_cover_in_few_large_strata_and_in_many_small_ones(n, m, base, least, true_ratio):
    rng = np.random.default_rng(50)
    n, m, base = np.array(n), np.array(m), np.array(base)
    x, y = rng.binomial(n, base * true_ratio, (4000, len(n))), rng.binomial(m, base, (4000, len(n)))
    able = ((y * n).sum(-1) > 0) & ((x + y).sum(-1) > 0)
    weights = n * m / (n + m)
    truth = (weights * base * (true_ratio - 1)).sum() / weights.sum()
    low, high = difference(x[able], n, y[able], m).interval
    assert ((low <= truth) & (truth <= high)).mean() > least
    low, high = ratio(x[able], n, y[able], m).interval
    assert ((low <= true_ratio) & (true_ratio <= high)).mean() > 0.93


def test_the_test_of_equal_odds_ratios_keeps_its_level_in_large_strata():
    rng = np.random.default_rng(51)
    n, m, base = np.array([80, 150, 60]), np.array([200, 100, 300]), np.array([0.2, 0.5, 0.7])
    odds = base / (1 - base) * 0.6
    x = rng.binomial(n, odds / (1 + odds), (4000, 3))
    y = rng.binomial(m, base, (4000, 3))
    assert (heterogeneity(x, n, y, m).p_value < 0.05).mean() == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(("strata", "size"), [(3, 120), (40, 4)])
def test_the_test_of_no_association_keeps_its_level_in_few_strata_and_in_many(strata, size):
    rng = np.random.default_rng(52)
    n, m, base = np.full(strata, size), np.full(strata, 3 * size), np.linspace(0.15, 0.7, strata)
    x, y = rng.binomial(n, base, (4000, strata)), rng.binomial(m, base, (4000, strata))
    assert (association(x, n, y, m).p_value < 0.05).mean() == pytest.approx(0.05, abs=0.012)
