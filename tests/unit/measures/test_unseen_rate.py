import numpy as np
import pytest
from scipy import stats

from monitor.domain.field import Field, FieldKind
from monitor.measures.measure import FieldPair
from monitor.measures.quality.unseen_rate import measure, tail
from monitor.profile.counts import CategoricalCounts, ValueSample
from monitor.profile.grid import CategoricalGrid

TOLERANCE = 0.005


def unseen_of(reference, known, unseen):
    grid = CategoricalGrid(tuple(f"v{place}" for place in range(len(reference))))
    then = CategoricalCounts(np.array(reference, np.int64))
    now = CategoricalCounts(
        np.array([known, *[0] * (len(reference) - 1)]), unseen=ValueSample(unseen, {"new": unseen})
    )
    found = measure(FieldPair(Field("c", "c", FieldKind.CATEGORICAL), grid, then, now))
    return found, tail(found, TOLERANCE)


def test_new_values_are_beyond_the_tolerance_of_a_baseline_that_held_all_of_its_values_often():
    found, p_value = unseen_of([500, 500], 190, 10)
    assert found.value == 0.05
    assert found.detail["missed"] == 0
    assert p_value < 1e-4


def test_a_baseline_in_which_many_values_came_once_expects_new_ones():
    found, p_value = unseen_of([180, *[1] * 20], 190, 10)
    assert found.value == 0.05
    assert found.detail["missed"] == 0.1
    assert p_value > 0.5


def test_more_new_values_than_such_a_baseline_expects_are_beyond_the_tolerance():
    _, p_value = unseen_of([180, *[1] * 20], 100, 100)
    assert p_value < 1e-6


@pytest.mark.parametrize("rows", [60, 100, 1000, 100_000])
def test_a_stray_row_is_never_beyond_the_tolerance(rows):
    _, p_value = unseen_of([1_000_000, 500_000], rows - 1, 1)
    assert p_value > 0.05


@pytest.mark.oracle
@pytest.mark.parametrize(("rows", "unseen"), [(60, 1), (60, 0), (200, 4), (5000, 40), (10, 10)])
def test_the_test_is_scipys_binomial_test_where_the_baseline_missed_nothing(rows, unseen):
    _, p_value = unseen_of([10**8, 10**8], rows - unseen, unseen)
    exact = stats.binomtest(unseen, rows, TOLERANCE, alternative="greater").pvalue
    assert p_value == pytest.approx(exact, rel=1e-3)


def test_what_was_missed_is_as_uncertain_as_it_is_in_large_windows_too():
    # 4 % ± 2 % was missed: 11 % of a window of any size are not beyond doubt.
    _, p_value = unseen_of([*[12] * 15, *[3] * 2, *[2] * 3, *[1] * 8], 8_900, 1_100)
    assert 1e-4 < p_value < 0.02


def test_windows_of_a_population_that_a_small_baseline_half_held_reject_no_more_than_they_should():
    rng = np.random.default_rng(3)
    shares = np.arange(1, 51) ** -1.0
    shares /= shares.sum()
    rejected = 0
    for _ in range(500):
        baseline, window = rng.multinomial(200, shares), rng.multinomial(200, shares)
        held = baseline > 0
        _, p_value = unseen_of(baseline[held], window[held].sum(), window[~held].sum())
        rejected += p_value <= 0.05
    assert rejected <= 0.08 * 500  # without what the baseline missed it is nearly all of them
