import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Field, FieldKind
from monitor.measures.drift.psi import measure as measure_psi
from monitor.measures.grouping import decile_ends, grouped, grouped_values, large_enough
from monitor.measures.measure import FieldPair
from monitor.profile.counts import CategoricalCounts, NumericCounts, ValueSample
from monitor.profile.draft import numeric_grid
from monitor.profile.grid import CategoricalGrid
from monitor.profile.kernel import count_numbers


def numbers(reference, current):
    finite = np.array([x for x in reference if x is not None and np.isfinite(x)], np.float64)
    grid = numeric_grid(finite)
    sides = []
    for values in (reference, current):
        counts = NumericCounts.empty(grid)
        count_numbers(counts, grid, pa.array(values, pa.float64(), from_pandas=False))
        sides.append(counts)
    return FieldPair(Field("x", "x", FieldKind.NUMERIC), grid, *sides)


def categories(reference, current, *, unseen=0, missing=0):
    grid = CategoricalGrid(tuple(f"v{place}" for place in range(len(reference))))
    then = CategoricalCounts(np.array(reference, np.int64))
    now = CategoricalCounts(
        np.array(current, np.int64), unseen=ValueSample(unseen, {"new": unseen}), null=missing
    )
    return FieldPair(Field("c", "c", FieldKind.CATEGORICAL), grid, then, now)


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_a_continuous_field_lie_between_numpys_deciles(seed):
    rng = np.random.default_rng(seed)
    reference = np.where(rng.random(3000) < 0.25, 0.0, rng.lognormal(0, 2, 3000))
    current = np.where(rng.random(900) < 0.15, 0.0, rng.lognormal(0.3, 2, 900))
    inner = np.unique(np.quantile(reference, np.arange(1, 10) / 10, method="inverted_cdf"))
    groups = grouped(numbers(reference, current))
    for values, counts in ((reference, groups.reference), (current, groups.current)):
        expected = np.bincount(
            np.searchsorted(inner, values, side="left"), minlength=len(inner) + 1
        )
        assert counts.tolist() == expected.tolist()


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_values_of_a_field_that_was_empty_when_it_was_registered_cannot_be_told_apart(kind):
    """Against yesterday all values lie in one cell: whatever they are, they would look alike."""
    if kind == "numeric":
        registered = numbers([None] * 500, [1.0] * 500)
        sides = [replace(registered.current, low=low) for low in (1.0, 9.0)]
    else:
        registered = categories([], [], unseen=500)
        sides = [
            registered.current,
            replace(registered.current, unseen=ValueSample(500, {"z": 500})),
        ]
    then = replace(registered, reference=sides[0], current=sides[1])
    for found in (grouped(then), grouped_values(then), measure_psi(then)):
        assert isinstance(found, Unmeasurable)
        assert found.reason is Absence.NO_BASELINE
        assert "had no value of" in found.explanation
    nothing = replace(registered.reference, null=500, nan=0) if kind == "numeric" else None
    before = replace(
        registered, reference=nothing or CategoricalCounts(np.zeros(0, np.int64), null=500)
    )
    assert measure_psi(before).value > 10  # from nothing to something is seen all the same


def test_deciles_that_coincide_make_one_group():
    assert decile_ends(np.array([50, 50, 0])).tolist() == [1, 2, 3]
    assert decile_ends(np.array([0, 100])).tolist() == [2]


def test_each_value_of_a_discrete_field_is_a_group_and_new_ones_are_unseen():
    pair = numbers([0.0] * 50 + [1.0] * 30 + [2.0] * 20, [0.0] * 40 + [1.5] * 35 + [9.0] * 25)
    groups = grouped(pair)
    assert groups.reference.tolist() == [50, 30, 20, 0]
    assert groups.current.tolist() == [40, 0, 0, 60]


def test_missing_and_infinite_rows_are_groups_of_their_own():
    rng = np.random.default_rng(0)
    reference = [*rng.normal(size=400), *[None] * 100]
    current = [*rng.normal(size=300), *[None] * 50, *[np.nan] * 50, *[np.inf] * 60, *[-np.inf] * 40]
    groups = grouped(numbers(reference, current))
    assert groups.reference[-2:].tolist() == [0, 100]
    assert groups.current[-2:].tolist() == [100, 100]
    assert groups.reference.sum() == 500
    assert groups.current.sum() == 500


def test_rare_values_are_pooled_and_every_row_is_counted_once():
    reference = [5000, 4000, *[40] * 25]
    groups = grouped(categories(reference, [500, 400, *[4] * 25], missing=30))
    assert groups.reference.tolist() == [5000, 4000, 1000, 0]
    assert groups.current.tolist() == [500, 400, 100, 30]


def test_a_baseline_too_small_for_its_values_pools_new_ones_with_the_rare_ones():
    groups = grouped(categories([60, 30, *[1] * 10], [60, 20, *[0] * 10], unseen=20))
    assert groups.reference.tolist() == [60, 30, 10]
    assert groups.current.tolist() == [60, 20, 20]


def test_a_baseline_that_held_all_of_its_values_often_keeps_new_ones_apart():
    groups = grouped(categories([6000, 3000, *[40] * 25], [60, 20, *[1] * 25], unseen=20))
    assert groups.reference.tolist() == [6000, 3000, 1000, 0]
    assert groups.current.tolist() == [60, 20, 25, 20]


def test_at_most_two_hundred_values_are_listed():
    groups = grouped(categories([100] * 200 + [100] * 50, [100] * 250))
    assert len(groups.reference) <= 201
    assert groups.current.sum() == 25_000


def test_a_group_too_small_on_both_sides_joins_the_one_before_it():
    groups = large_enough(np.array([0, 500, 300, 0, 1]), np.array([2, 40, 50, 3, 1]))
    assert groups.reference.tolist() == [500, 301]
    assert groups.current.tolist() == [42, 54]


def test_groups_that_are_all_small_become_one():
    groups = large_enough(np.array([3, 3]), np.array([2, 4]))
    assert groups.reference.tolist() == [6]
    assert groups.df == 0


@pytest.mark.parametrize("rows", [50, 100, 1000, 50_000])
def test_a_single_stray_row_never_alarms(rows):
    huge = [2_000_000, 1_500_000, 1_000_000]
    current = (np.array(huge) * rows // 4_500_000).tolist()
    plain = measure_psi(categories(huge, current))
    stray = measure_psi(categories(huge, current, unseen=1))
    assert stray.low <= 0.001
    assert abs(stray.value - plain.value) < 0.005


def test_a_real_share_of_unseen_values_does():
    found = measure_psi(categories([2_000_000, 1_500_000], [4000, 3000], unseen=1000))
    assert found.low > 0.25


def test_a_column_that_turned_all_missing_has_a_large_index():
    found = measure_psi(numbers(np.random.default_rng(0).normal(size=500), [None] * 500))
    assert found.low > 2
    assert grouped_values(numbers(np.arange(100.0), [None] * 50)).reason is Absence.NO_DATA


def test_a_column_missing_on_both_sides_is_no_data():
    absent = grouped(numbers([None] * 100, [None] * 100))
    assert isinstance(absent, Unmeasurable)
    assert absent.reason is Absence.NO_DATA


def test_fewer_rows_than_two_groups_take_are_not_grouped():
    assert grouped(numbers(np.arange(100.0), [1.0] * 9)).reason is Absence.INSUFFICIENT_DATA


def test_a_constant_field_that_stays_so_has_no_drift():
    found = measure_psi(categories([1000], [500]))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_an_outlier_hides_nothing():
    rng = np.random.default_rng(1)
    reference, current = rng.normal(0, 1, 10_000), rng.normal(1, 1, 10_000)
    plain = measure_psi(numbers(reference, current)).value
    spoilt = measure_psi(numbers([*reference, 1e300], [*current, -1e300, np.inf])).value
    assert spoilt == pytest.approx(plain, abs=2e-3)
