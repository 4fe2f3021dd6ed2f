"""Intervals and tests against statsmodels, scipy, published tables and slow definitions."""

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

from monitor.uncertainty.auc import auc
from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.divergence import noncentrality
from monitor.uncertainty.mean import Moments, welch
from monitor.uncertainty.multiplicity import benjamini_hochberg, holm
from monitor.uncertainty.proportion import wilson
from monitor.uncertainty.ratio import koopman, rate_ratio
from monitor.uncertainty.two_sample import fisher, pooled_z, same_proportion

pytestmark = pytest.mark.oracle


@pytest.fixture
def tables():
    rng = np.random.default_rng(20)
    n, m = rng.integers(2, 400, (2, 60))
    return rng.integers(0, n + 1), n, rng.integers(0, m + 1), m


def test_wilson_equals_published_intervals():
    low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


def test_wilson_equals_statsmodels(tables):
    x, n, _, _ = tables
    low, high = wilson(x, n, 0.9)
    expected = proportion_confint(x, n, alpha=0.1, method="wilson")
    assert low == pytest.approx(expected[0], abs=1e-12)
    assert high == pytest.approx(expected[1], abs=1e-12)


def test_newcombe_equals_the_published_table():
    x, n = [56, 9, 6, 5, 0, 0, 10, 10], [70, 10, 7, 56, 10, 10, 10, 10]
    y, m = [48, 3, 2, 0, 0, 0, 0, 0], [80, 10, 7, 29, 20, 10, 20, 10]
    low, high = newcombe(x, n, y, m)
    assert low == pytest.approx(
        [0.0524, 0.1705, 0.0582, -0.0381, -0.1611, -0.2775, 0.6791, 0.6075], abs=5e-5
    )
    assert high == pytest.approx(
        [0.3339, 0.8090, 0.8062, 0.1926, 0.2775, 0.2775, 1.0, 1.0], abs=5.1e-5
    )


def test_newcombe_equals_statsmodels(tables):
    low, high = newcombe(*tables)
    for place, (x, n, y, m) in enumerate(zip(*tables, strict=True)):
        expected = confint_proportions_2indep(x, n, y, m, method="newcomb", compare="diff")
        assert (low[place], high[place]) == pytest.approx(expected, abs=1e-9)


def test_koopman_equals_the_published_interval():
    low, high = koopman(36, 40, 16, 80)
    assert (float(low), float(high)) == pytest.approx((2.9396, 7.1522), abs=5e-5)


def test_koopman_equals_statsmodels_where_that_has_an_answer():
    rng = np.random.default_rng(21)
    n, m = rng.integers(20, 400, (2, 40))
    x, y = (rng.integers(1, size) for size in (n, m))
    low, high = koopman(x, n, y, m)
    for place in range(len(n)):
        expected = confint_proportions_2indep(
            x[place], n[place], y[place], m[place],
            method="score", compare="ratio", correction=False,
        )  # fmt: skip
        assert (low[place], high[place]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "table", [(0, 20, 5, 30), (3, 20, 0, 30), (20, 20, 30, 30), (20, 20, 29, 30), (1, 500, 2, 9)]
)
def test_koopman_holds_the_ratios_that_a_slow_likelihood_search_does_not_reject(table):
    x, n, y, m = table
    low, high = (float(end) for end in koopman(*table))

    def score(ratio):
        def loss(q2):
            rates = np.clip([ratio * q2, q2], 1e-15, 1 - 1e-15)
            logs = stats.binom.logpmf([x, y], [n, m], rates)
            return -logs.sum()

        best = optimize.minimize_scalar(
            loss, bounds=(0, min(1, 1 / ratio)), method="bounded", options={"xatol": 1e-13}
        ).x
        q = np.array([ratio * best, best])
        return np.sum(
            (np.array([x, y]) - np.array([n, m]) * q) ** 2 / (np.array([n, m]) * q * (1 - q))
        )

    critical = stats.chi2.ppf(0.95, 1)
    for end in (low, high):
        if 0 < end < np.inf:
            assert score(end) == pytest.approx(critical, rel=1e-3)
    assert (low == 0) is (x == 0)
    assert np.isinf(high) is np.bool_(y == 0)


def test_fisher_equals_scipy(tables):
    for x, n, y, m in zip(*tables, strict=True):
        expected = stats.fisher_exact([[x, n - x], [y, m - y]]).pvalue
        assert fisher(x, n, y, m) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_fisher_equals_scipy_for_a_rare_event_among_many_rows():
    expected = stats.fisher_exact([[3, 49_997], [90, 399_910]]).pvalue
    assert fisher(3, 50_000, 90, 400_000) == pytest.approx(expected, rel=1e-7)


def test_z_equals_statsmodels(tables):
    test = pooled_z(*tables)
    for place, (x, n, y, m) in enumerate(zip(*tables, strict=True)):
        if 0 < x + y < n + m:
            z, p_value = proportions_ztest([x, y], [n, m])
            assert (test.z[place], test.p_value[place]) == pytest.approx((z, p_value), abs=1e-12)


def test_the_test_is_exact_for_small_tables_and_z_for_large_ones():
    test = same_proportion([20, 300, 3], [200, 1000, 5000], [40, 350, 12], [300, 1000, 5000])
    assert test.p_value[0] == pytest.approx(fisher(20, 200, 40, 300))
    assert test.p_value[1] == pytest.approx(float(pooled_z(300, 1000, 350, 1000).p_value))
    assert test.p_value[2] == pytest.approx(fisher(3, 5000, 12, 5000))


@pytest.mark.slow
def test_adjusted_p_values_equal_statsmodels():
    p_values = np.random.default_rng(22).random(40) ** 3
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert benjamini_hochberg(p_values) == pytest.approx(
        stats.false_discovery_control(p_values, method="bh")
    )


def test_welch_equals_scipy():
    rng = np.random.default_rng(23)
    a, b = rng.normal(3, 1, 40), rng.normal(2, 4, 17)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    low, high = welch(
        Moments(a.mean(), a.var(ddof=1), len(a)), Moments(b.mean(), b.var(ddof=1), len(b)), 0.9
    )
    assert (low, high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("df", [1, 9, 202])
@pytest.mark.parametrize("statistic", [3.0, 40.0, 900.0, 9_990.0, 10_010.0, 3e6])
def test_noncentrality_leaves_the_tails_of_scipys_distribution(statistic, df):
    low, high = (float(end) for end in noncentrality(statistic, df, 0.9))
    for end, mass, seen in ((low, 0.95, statistic), (high, 0.05, max(statistic, df))):
        if end > 0:
            # the normal approximation of large values is good to 1e-4 of the noncentrality
            assert stats.ncx2.cdf(seen, df, end) == pytest.approx(mass, abs=2e-3)
        else:
            assert stats.chi2.cdf(seen, df) <= mass + 1e-12


def test_poisson_rate_ratio_covers_scipys_exact_conditional_interval_to_a_few_percent():
    low, high = (float(end) for end in rate_ratio(40, 1.0, 300, 10.0))
    share = stats.binomtest(40, 340).proportion_ci(0.95, method="wilson")
    assert low == pytest.approx(share.low / (1 - share.low) * 10)
    assert high == pytest.approx(share.high / (1 - share.high) * 10)
    assert low < 40 / 30 < high


def test_auc_equals_the_comparison_of_all_pairs_and_delongs_variance_by_definition():
    rng = np.random.default_rng(24)
    negative, positive = rng.integers(0, 12, 70), rng.integers(2, 14, 45)
    wins = (positive[:, None] > negative) + (positive[:, None] == negative) / 2
    variance = wins.mean(axis=1).var(ddof=1) / 45 + wins.mean(axis=0).var(ddof=1) / 70
    area = auc(np.bincount(negative, minlength=14), np.bincount(positive, minlength=14))
    assert area.value == pytest.approx(wins.mean())
    assert area.standard_error == pytest.approx(np.sqrt(variance))
    assert area.interval.low < area.value < area.interval.high


@pytest.mark.parametrize(("shift", "rows"), [(0.0, 200), (1.2, 60), (2.5, 300)])
def test_auc_interval_covers_the_true_area(shift, rows):
    rng = np.random.default_rng(25)
    truth = stats.norm.cdf(shift / np.sqrt(2))
    edges = np.linspace(-4, 7, 400)
    covered = 0
    for _ in range(400):
        cells = [
            np.bincount(np.searchsorted(edges, rng.normal(mean, 1, rows)), minlength=401)
            for mean in (0, shift)
        ]
        low, high = auc(*cells).interval
        covered += bool(low <= truth <= high)
    assert covered / 400 > 0.92
