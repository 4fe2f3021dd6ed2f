import numpy as np
import pytest

from monitor.uncertainty.auc import auc
from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.divergence import noncentrality
from monitor.uncertainty.mean import Moments, welch
from monitor.uncertainty.multiplicity import benjamini_hochberg, holm
from monitor.uncertainty.proportion import wilson
from monitor.uncertainty.ratio import koopman, rate_ratio
from monitor.uncertainty.two_sample import fisher, pooled_z


@pytest.mark.parametrize("call", [wilson, lambda x, n: newcombe(x, n, 1, 2)])
def test_impossible_counts_are_refused(call):
    for x, n in ((0, 0), (3, 2), (-1, 5), (1, np.nan)):
        with pytest.raises(ValueError, match=r"trials|successes"):
            call(x, n)


def test_undefined_quantities_are_refused():
    with pytest.raises(ValueError, match="both zero"):
        koopman([3, 0], [10, 10], [2, 0], [10, 10])
    with pytest.raises(ValueError, match="needs events"):
        rate_ratio(5, 1.0, 0, 10.0)
    with pytest.raises(ValueError, match="one row"):
        welch(Moments(0, 1, 1), Moments(0, 1, 5))
    with pytest.raises(ValueError, match="2 rows of each class"):
        auc([1, 0], [0, 5])


def test_no_successes_and_all_successes_have_exact_ends():
    low, high = wilson([0, 7], [7, 7])
    assert low[0] == 0 and high[1] == 1
    ratio = koopman([0, 3], [9, 9], [4, 0], [9, 9])
    assert ratio.low[0] == 0 and np.isfinite(ratio.high[0])
    assert ratio.low[1] > 0 and np.isinf(ratio.high[1])


def test_a_higher_level_gives_a_wider_interval():
    for call in (
        lambda level: wilson(30, 100, level),
        lambda level: newcombe(30, 100, 50, 120, level),
        lambda level: koopman(30, 100, 50, 120, level),
        lambda level: noncentrality(40.0, 9, level),
    ):
        narrow, wide = call(0.8), call(0.99)
        assert wide.low < narrow.low < narrow.high < wide.high


def test_exchanging_the_samples_mirrors_difference_and_ratio():
    there, back = newcombe(30, 100, 50, 120), newcombe(50, 120, 30, 100)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    there, back = koopman(30, 100, 50, 120), koopman(50, 120, 30, 100)
    assert (there.low, there.high) == pytest.approx((1 / back.high, 1 / back.low))


def test_ratios_of_very_many_rows_are_sharp():
    low, high = koopman(10**9, 2 * 10**9, 1, 2 * 10**9)
    assert low < 1e9 < high
    assert low > 1e8
    low, high = koopman(10**8, 10**9, 10**8, 10**9)
    assert (low, high) == pytest.approx((1, 1), abs=1e-3)


def test_a_table_without_contrast_is_no_evidence():
    test = pooled_z([0, 5], [5, 5], [0, 9], [9, 9])
    assert test.p_value.tolist() == [1, 1]
    assert test.z.tolist() == [0, 0]
    assert fisher(0, 5, 0, 9) == pytest.approx(1)


def test_adjusted_p_values_keep_their_order_and_stay_below_one():
    p_values = np.array([0.9, 0.01, 0.04, 0.04, 0.5])
    assert holm(p_values).tolist() == pytest.approx([1.0, 0.05, 0.16, 0.16, 1.0])
    assert benjamini_hochberg(p_values).tolist() == pytest.approx(
        [0.9, 0.05, 0.2 / 3, 0.2 / 3, 0.625]
    )
    assert holm([]).shape == benjamini_hochberg([]).shape == (0,)


def test_chance_agreement_is_no_proof_of_equality():
    low, high = noncentrality([0.0, 9.0], 9, 0.9)
    assert low.tolist() == [0, 0]
    assert high[0] == high[1] > 5


def test_a_perfect_ranking_of_few_rows_is_not_certain():
    few, many = auc([5, 0], [0, 5]), auc([500, 0], [0, 500])
    assert few.value == many.value == 1
    assert few.interval.high == 1
    assert few.interval.low < 0.7
    assert many.interval.low > 0.99


def test_equal_constants_have_an_interval_without_width():
    assert welch(Moments(2.0, 0.0, 5), Moments(1.5, 0.0, 9)) == (0.5, 0.5)
