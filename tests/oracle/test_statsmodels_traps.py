"""Where statsmodels is no oracle: what it gives, what is published, and what ours gives.

Its wrong answers are pinned, so that a version that mends one of them is noticed: the test that
avoids it can then be widened.
"""

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.stats.contingency import relative_risk
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.proportion import confint_proportions_2indep

from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.ratio import koopman
from monitor.uncertainty.stratified import heterogeneity

pytestmark = pytest.mark.oracle


def score_difference(x, n, y, m, factor):
    """Return the differences that a score test does not reject; its likelihood by a slow search."""

    def distance(d):
        def loss(p2):
            rates = np.clip([p2 + d, p2], 1e-12, 1 - 1e-12)
            return -stats.binom.logpmf([x, y], [n, m], rates).sum()

        low, high = max(0.0, -d), min(1.0, 1 - d)
        p2 = optimize.minimize_scalar(
            loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12}
        ).x
        p1 = p2 + d
        variance = (p1 * (1 - p1) / n + p2 * (1 - p2) / m) * factor
        return (x / n - y / m - d) ** 2 / variance - stats.chi2.ppf(0.95, 1)

    value = x / n - y / m
    return tuple(
        optimize.brentq(distance, *sorted((value, far)))
        for far in ((value - 1) / 2, (value + 1) / 2)
    )


def test_its_score_interval_of_a_difference_has_a_wrong_upper_end():
    table = (56, 70, 48, 80)
    # Newcombe (1998), table II, (a): Miettinen-Nurminen, and Mee, which lacks its N/(N - 1).
    assert score_difference(*table, 150 / 149) == pytest.approx((0.0528, 0.3382), abs=5e-5)
    assert score_difference(*table, 1.0) == pytest.approx((0.0533, 0.3377), abs=5e-5)
    theirs = confint_proportions_2indep(*table, method="score", compare="diff")
    assert theirs == pytest.approx((0.0526, 0.3440), abs=5e-5)
    assert newcombe(*table) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(
    "table", [(9, 10, 3, 10), (6, 7, 2, 7), (5, 56, 0, 29), (0, 10, 0, 20), (10, 10, 0, 20)]
)
def test_its_score_interval_of_a_difference_fails_on_published_tables(table):
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match=r"different signs|NaN"),
    ):
        confint_proportions_2indep(*table, method="score", compare="diff")
    low, high = newcombe(*table)
    assert -1 <= low < high <= 1


def test_its_log_interval_of_a_ratio_divides_by_an_empty_cell():
    with pytest.raises(ZeroDivisionError):
        confint_proportions_2indep(0, 20, 5, 30, method="log", compare="ratio")
    low, high = koopman(0, 20, 5, 30)
    assert (low, high) == pytest.approx((0, 1.0350), abs=5e-5)


def test_its_score_interval_of_a_ratio_has_the_published_ends_without_its_default_only():
    published = (2.9396, 7.1522)
    assert koopman(36, 40, 16, 80) == pytest.approx(published, abs=5e-5)
    default = confint_proportions_2indep(36, 40, 16, 80, method="score", compare="ratio")
    assert default == pytest.approx((2.9346, 7.1663), abs=5e-5)


def test_its_score_interval_of_a_ratio_leaves_out_the_ratio_of_saturated_samples():
    theirs = confint_proportions_2indep(
        20, 20, 30, 30, method="score", compare="ratio", correction=False
    )
    assert not theirs[0] <= 1
    low, high = koopman(20, 20, 30, 30)
    assert low < 0.9
    assert high > 1
    assert high == pytest.approx(theirs[1], abs=1e-6)


def test_its_score_interval_of_no_successes_is_nan_where_ours_is_refused():
    with np.errstate(all="ignore"):
        theirs = confint_proportions_2indep(
            0, 10, 0, 20, method="score", compare="ratio", correction=False
        )
    assert np.isnan(theirs).all()
    with pytest.raises(ValueError, match="both zero"):
        koopman(0, 10, 0, 20)


def test_scipys_interval_of_a_ratio_is_nan_at_an_empty_cell():
    assert np.isnan(relative_risk(0, 20, 5, 30).confidence_interval().high)


def test_its_tests_over_strata_lose_small_p_values():
    x, n, y, m = (np.array(part) for part in ([91, 10], [100, 100], [10, 90], [100, 100]))
    theirs = StratifiedTable(np.array([[x, n - x], [y, m - y]], float)).test_equal_odds()
    ours = heterogeneity(x, n, y, m, tarone=False)
    assert theirs.pvalue == 0
    assert ours.statistic == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(stats.chi2.sf(theirs.statistic, 1))
    assert 0 < ours.p_value < 1e-30


def test_its_test_of_equal_odds_ratios_is_nan_where_the_common_one_is_exactly_one():
    x, n, y, m = (np.array(part) for part in ([60, 40], [100, 100], [40, 60], [100, 100]))
    with np.errstate(all="ignore"):
        theirs = StratifiedTable(np.array([[x, n - x], [y, m - y]], float)).test_equal_odds()
    assert np.isnan(theirs.statistic)
    # Expected 50 of 100 in every cell, so each stratum's variance is 100 / 4 / 4 * 2.
    assert heterogeneity(x, n, y, m).statistic == pytest.approx(2 * 10**2 / 12.5)
