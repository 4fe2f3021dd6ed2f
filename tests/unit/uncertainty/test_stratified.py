import numpy as np
import pytest

from monitor.uncertainty.proportion import wilson
from monitor.uncertainty.ratio import koopman
from monitor.uncertainty.stratified import (
    association,
    difference,
    heterogeneity,
    odds_ratio,
    ratio,
)

ALL = (difference, ratio, odds_ratio, association, heterogeneity)


@pytest.mark.parametrize("call", ALL)
def test_impossible_counts_are_refused(call):
    for x, n in ((3, 2), (-1, 5), (np.nan, 4)):
        with pytest.raises(ValueError, match="successes lie"):
            call([x, 1], [n, 2], [1, 1], [2, 2])


@pytest.mark.parametrize("call", ALL)
def test_samples_that_no_stratum_has_both_of_are_refused(call):
    with pytest.raises(ValueError, match="no stratum"):
        call([3, 0], [9, 0], [0, 4], [0, 8])


def test_numbers_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="no successes"):
        ratio([3, 0], [9, 5], [0, 0], [8, 8])
    with pytest.raises(ValueError, match="no odds"):
        odds_ratio([9, 5], [9, 5], [3, 3], [8, 8])
    with pytest.raises(ValueError, match="no odds"):
        heterogeneity([0, 0], [9, 5], [3, 3], [8, 8])


@pytest.mark.parametrize("call", ALL)
def test_a_stratum_without_one_of_the_samples_changes_nothing(call):
    x, n, y, m = [8, 3, 7], [20, 9, 7], [11, 6, 0], [40, 10, 0]
    whole, without = call(x, n, y, m), call(x[:2], n[:2], y[:2], m[:2])
    for part, same in zip(whole, without, strict=True):
        assert np.array_equal(part, same)


@pytest.mark.parametrize("call", ALL)
def test_many_tables_at_once_are_each_table_by_itself(call):
    rng = np.random.default_rng(3)
    n, m = rng.integers(2, 40, (2, 7, 4))
    x, y = rng.integers(1, n), rng.integers(1, m)
    together = call(x, n, y, m)
    for place in range(7):
        alone = call(x[place], n[place], y[place], m[place])
        for part, single in zip(together, alone, strict=True):
            assert np.asarray(part)[..., place] == pytest.approx(np.asarray(single), rel=1e-12)


def test_one_stratum_is_a_plain_comparison():
    assert difference([30], [100], [50], [120]).value == pytest.approx(30 / 100 - 50 / 120)
    assert ratio([30], [100], [50], [120]).value == pytest.approx(30 / 100 / (50 / 120))
    assert odds_ratio([30], [100], [50], [120]).value == pytest.approx(30 * 70 / (50 * 70))
    same = heterogeneity([30], [100], [50], [120])
    assert (same.statistic, same.df, same.p_value) == (0, 0, 1)


def test_a_rate_of_zero_has_an_upper_end():
    found = ratio([0, 0], [20, 9], [5, 3], [30, 14])
    assert found.value == 0
    assert found.interval.low == 0
    assert 0 < found.interval.high < 3
    assert np.isinf(found.error)


def test_strata_without_contrast_are_not_certain_of_equality():
    few, many = (difference([0, n], [n, n], [0, n], [n, n]) for n in (10, 1000))
    assert few.value == many.value == 0
    assert few.interval.high == -few.interval.low == pytest.approx(float(wilson(0, 20).high))
    assert many.interval.high < 0.01
    sure = ratio([0, 10], [10, 10], [0, 10], [10, 10])
    assert sure.value == 1
    np.testing.assert_allclose(sure.interval, koopman(20, 20, 20, 20))


def test_strata_without_contrast_are_no_evidence():
    test = association([0, 5], [5, 5], [0, 9], [9, 9])
    assert (test.statistic, test.p_value) == (0, 1)
    single = association([1], [1], [0], [1])
    assert single.statistic == pytest.approx(1.0)


def test_the_continuity_correction_never_turns_a_distance_around():
    assert association([5], [10], [5], [10], continuity=True).statistic == 0
    with_, without = (
        association([30], [100], [50], [120], continuity=c).p_value for c in (True, False)
    )
    assert with_ > without


def test_opposite_strata_are_heterogeneous_and_cancel():
    x, n, y, m = [80, 20], [100, 100], [20, 80], [100, 100]
    assert difference(x, n, y, m).value == pytest.approx(0)
    assert odds_ratio(x, n, y, m).value == pytest.approx(1)
    assert association(x, n, y, m).p_value == pytest.approx(1)
    assert heterogeneity(x, n, y, m).p_value < 1e-20
