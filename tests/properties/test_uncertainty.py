"""Laws of the intervals and divergences, on tables nobody chose."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.measures.drift.hellinger import hellinger
from monitor.measures.drift.js_distance import js_distance
from monitor.measures.drift.l_infinity import l_infinity
from monitor.measures.drift.psi import psi
from monitor.measures.grouping import large_enough
from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.divergence import noncentrality
from monitor.uncertainty.multiplicity import benjamini_hochberg, holm
from monitor.uncertainty.proportion import wilson
from monitor.uncertainty.ratio import koopman
from monitor.uncertainty.stratified import association, difference, heterogeneity, odds_ratio, ratio
from monitor.uncertainty.two_sample import same_proportion

counts = st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
small_counts = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
rows = st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=30)
tables = rows.filter(lambda pairs: all(map(sum, zip(*pairs, strict=True))))
steady = settings(deadline=None, max_examples=60)


@steady
@given(counts, counts)
def test_intervals_hold_their_estimate_within_their_range(one, two):
    (x, n), (y, m) = one, two
    low, high = wilson(x, n)
    assert 0 <= low <= x / n <= high <= 1
    low, high = newcombe(x, n, y, m)
    assert -1 <= low <= x / n - y / m <= high <= 1
    if x or y:
        low, high = koopman(x, n, y, m)
        ratio = np.inf if y == 0 else (x / n) / (y / m)
        assert 0 <= low <= ratio * (1 + 1e-9)
        assert ratio * (1 - 1e-9) <= high


@steady
@given(small_counts, small_counts)
def test_equal_rates_cannot_be_told_apart_from_either_side(one, two):
    (x, n), (y, m) = one, two
    there, back = same_proportion(x, n, y, m), same_proportion(y, m, x, n)
    assert 0 <= there.p_value <= 1 + 1e-9
    assert np.isclose(there.p_value, back.p_value)
    assert there.z == -back.z


@steady
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjustment_never_lowers_a_p_value_and_holm_is_the_stricter(p_values):
    by_holm, by_rate = holm(p_values), benjamini_hochberg(p_values)
    assert (by_holm >= by_rate - 1e-15).all()
    assert (by_rate >= np.array(p_values) - 1e-15).all()
    assert (by_holm <= 1).all()


@steady
@given(st.floats(0, 1e9), st.integers(1, 203))
def test_noncentrality_is_ordered_and_below_its_statistic(statistic, df):
    low, high = noncentrality(statistic, df, 0.9)
    assert 0 <= low <= high < np.inf
    assert low <= statistic


@steady
@given(tables)
def test_divergences_are_symmetric_bounded_and_zero_for_equal_counts(pairs):
    p, q = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    for distance, most in ((js_distance, 1), (hellinger, 1), (l_infinity, 1), (psi, np.inf)):
        assert 0 <= distance(p, q) <= most
        assert np.isclose(distance(p, q), distance(q, p))
        assert distance(p, p) == 0
        order = np.argsort(p, kind="stable")
        assert np.isclose(distance(p[order], q[order]), distance(p, q))


@steady
@given(tables)
def test_merging_groups_keeps_every_row_and_leaves_none_too_small(pairs):
    p, q = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    groups = large_enough(p, q)
    assert (groups.reference.sum(), groups.current.sum()) == (p.sum(), q.sum())
    smaller = min(p.sum(), q.sum())
    if groups.df:
        share = np.maximum(groups.reference / p.sum(), groups.current / q.sum())
        assert (share * smaller >= 5 - 1e-9).all()


strata = st.lists(st.tuples(small_counts, small_counts), min_size=1, max_size=8)


def as_arrays(tables):
    return tuple(np.array([[x, n, y, m] for (x, n), (y, m) in tables], float).T)


@steady
@given(strata)
def test_pooled_numbers_lie_within_their_intervals_and_among_their_strata(tables):
    x, n, y, m = as_arrays(tables)
    found = difference(x, n, y, m)
    assert -1 <= found.interval.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.interval.high <= 1
    each = x / n - y / m
    assert each.min() - 1e-12 <= found.value <= each.max() + 1e-12
    if y.any():
        found = ratio(x, n, y, m)
        assert 0 <= found.interval.low <= found.value * (1 + 1e-9)
        assert found.value * (1 - 1e-9) <= found.interval.high < np.inf


@steady
@given(strata)
def test_exchanging_the_samples_mirrors_pooled_numbers(tables):
    x, n, y, m = as_arrays(tables)
    there, back = difference(x, n, y, m), difference(y, m, x, n)
    np.testing.assert_allclose(
        [there.value, *there.interval],
        [-back.value, -back.interval.high, -back.interval.low],
        atol=1e-9,
    )
    if x.any() and y.any():
        there, back = ratio(x, n, y, m), ratio(y, m, x, n)
        np.testing.assert_allclose(
            [there.value, *there.interval],
            1 / np.array([back.value, back.interval.high, back.interval.low]),
            rtol=1e-6,
        )


@steady
@given(strata)
def test_the_other_outcome_mirrors_a_pooled_difference_and_changes_no_test(tables):
    x, n, y, m = as_arrays(tables)
    there, back = difference(x, n, y, m), difference(n - x, n, m - y, m)
    np.testing.assert_allclose(
        [there.value, *there.interval],
        [-back.value, -back.interval.high, -back.interval.low],
        atol=1e-9,
    )
    np.testing.assert_allclose(
        association(x, n, y, m).statistic,
        association(n - x, n, m - y, m).statistic,
        rtol=1e-6,
        atol=1e-9,
    )


@steady
@given(strata)
def test_samples_that_are_alike_in_every_stratum_differ_in_nothing(tables):
    x, n, *_ = as_arrays(tables)
    np.testing.assert_allclose(difference(x, n, 3 * x, 3 * n).value, 0, atol=1e-12)
    np.testing.assert_allclose(association(x, n, 3 * x, 3 * n).statistic, 0, atol=1e-9)
    if ((x > 0) & (x < n)).any():
        np.testing.assert_allclose(odds_ratio(x, n, 3 * x, 3 * n).value, 1, rtol=1e-9)
        np.testing.assert_allclose(heterogeneity(x, n, 3 * x, 3 * n).p_value, 1, atol=1e-6)
