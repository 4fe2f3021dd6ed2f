"""What a comparison could have shown, against simulation, a published table and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monitor.uncertainty.fragility import flips
from monitor.uncertainty.membership import membership_bounds
from monitor.uncertainty.power import POWER, detectable_ratio
from monitor.uncertainty.ratio import koopman
from monitor.uncertainty.two_sample import pooled_z, same_proportion


@pytest.mark.parametrize(
    ("rate", "rows", "rows_of_seven"),
    [
        (0.5, 214, 340),
        (0.3, 482, 771),
        (0.2, 817, 1309),
        (0.1, 1822, 2924),
        (0.05, 3832, 6154),
        (0.02, 9861, 15842),
    ],
)
def test_four_fifths_takes_as_many_rows_as_the_table_of_the_documentation_says(
    rate, rows, rows_of_seven
):
    for n, alpha in ((rows, 0.05), (rows_of_seven, 0.05 / 7)):
        found = detectable_ratio([n - 2, n], [10 * (n - 2), 10 * n], rate, alpha).ratio
        assert found[0] < 0.8 <= found[1] + 2e-5


def test_small_groups_show_great_disparities_only():
    ratio, exists = detectable_ratio([30, 100, 500, 17], [300, 1000, 5000, 170], 0.2)
    assert ratio[:3] == pytest.approx([0.12, 0.46, 0.745], abs=0.006)
    assert exists.tolist() == [True, True, True, False]


def test_the_ratio_is_found_four_times_in_five():
    rng = np.random.default_rng(5)
    for above in (False, True):
        ratio = float(detectable_ratio(400, 3000, 0.3, above=above).ratio)
        x, y = rng.binomial(400, 0.3 * ratio, 20_000), rng.binomial(3000, 0.3, 20_000)
        share = (pooled_z(x, 400, y, 3000).p_value < 0.05).mean()
        assert share == pytest.approx(POWER, abs=0.02)


@pytest.mark.slow
@given(
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.floats(0.001, 0.999),
    st.sampled_from([0.05, 0.01, 0.001]),
    st.booleans(),
)
def test_a_ratio_is_on_its_side_and_nearer_with_more_rows_and_a_laxer_test(
    n, m, rate, alpha, above
):
    plain = detectable_ratio(n, m, rate, alpha, above=above)
    if not plain.exists:
        return
    assert (1 <= plain.ratio <= 1 / rate + 1e-9) if above else (0 <= plain.ratio <= 1)
    for better in (
        detectable_ratio(10 * n, 10 * m, rate, alpha, above=above),
        detectable_ratio(n, m, rate, 2 * alpha, above=above),
    ):
        assert better.exists
        assert (
            abs(np.log(max(better.ratio, 1e-300))) <= abs(np.log(max(plain.ratio, 1e-300))) + 1e-6
        )


def test_of_nothing_no_ratio_is_detectable():
    assert not detectable_ratio(100, 1000, 0.0).exists
    assert not detectable_ratio(100, 1000, 1.0, above=True).exists
    assert detectable_ratio(100, 1000, 1.0).exists


@pytest.mark.parametrize(
    "given", [{"trials": 0}, {"other_rate": 1.2}, {"alpha": 0.0}, {"power": 1.0}]
)
def test_numbers_outside_their_range_are_refused(given):
    with pytest.raises(ValueError, match="between 0 and 1"):
        detectable_ratio(**{"trials": 9, "other_trials": 9, "other_rate": 0.5} | given)


TABLE = st.tuples(st.integers(1, 80), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1)).map(
    lambda t: (round(t[0] * t[2]), t[0], round(t[1] * t[3]), t[1])
)


@pytest.mark.slow
@settings(max_examples=300)
@given(TABLE)
def test_flips_are_the_fewest_that_end_a_rejection(table):
    x, n, y, m = table
    p_value = lambda k: float(same_proportion(x + k, n, y, m).p_value)  # noqa: E731
    found = int(flips([x], [n], [y], [m])[0])
    sign = 1 if y / m > x / n else -1
    one_by_one = next(k for k in range(n + 1) if p_value(sign * k) >= 0.05)
    assert found == one_by_one


def test_flips_of_many_tables_are_those_of_each():
    x, n = np.array([49, 30, 5, 90]), np.array([148, 100, 9, 100])
    both = flips(x, n, [81] * 4, [263] * 4)
    assert both.tolist() == [
        int(flips([a], [b], [81], [263])[0]) for a, b in zip(x, n, strict=True)
    ]
    fisher = stats.fisher_exact([[90 - int(both[3]), 10 + int(both[3])], [81, 182]]).pvalue
    before = stats.fisher_exact([[91 - int(both[3]), 9 + int(both[3])], [81, 182]]).pvalue
    assert before < 0.05 <= fisher


def test_walshs_first_example_rests_on_one_event():
    # 1 of 100 against 9 of 100 is significant by Fisher's test; with one event more it is not.
    assert stats.fisher_exact([[1, 99], [9, 91]]).pvalue < 0.05
    assert stats.fisher_exact([[2, 98], [9, 91]]).pvalue > 0.05
    assert flips([1], [100], [9], [100]).tolist() == [1]


def test_the_citys_black_applicants_with_the_share_of_the_unknown():
    # Of 250 applicants of unknown race 102 in proportion were chosen; held fixed are the others.
    low, high = membership_bounds((170, 390, 412, 797), 102, 250)
    assert low == pytest.approx((170 / 538) / (514 / 899))
    assert high == pytest.approx((272 / 492) / (412 / 945))
    assert low < 170 / 390 / (412 / 797) < high


@settings(max_examples=60)
@given(
    st.integers(0, 6),
    st.integers(0, 6),
    st.integers(1, 6),
    st.integers(0, 6),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_bounds_are_those_over_every_way_to_assign_the_unknown(x, lost, y, other_lost, won, failed):
    n, m = x + lost, y + other_lost
    if n == 0:
        return
    ratios = [
        ((x + a) / (n + a + b)) / ((y + c) / (m + c + d))
        for a in range(won + 1)
        for c in range(won - a + 1)
        for b in range(failed + 1)
        for d in range(failed - b + 1)
    ]
    low, high = membership_bounds((x, n, y, m), won, won + failed)
    assert (float(low), float(high)) == pytest.approx((min(ratios), max(ratios)))


def test_nobody_unknown_leaves_the_ratio():
    assert [float(end) for end in membership_bounds((3, 10, 5, 10), 0, 0)] == [0.6, 0.6]
    assert koopman(3, 10, 5, 10).low < 0.6
    with pytest.raises(ValueError, match="a proportion of zero"):
        membership_bounds((3, 10, 0, 10), 0, 0)
