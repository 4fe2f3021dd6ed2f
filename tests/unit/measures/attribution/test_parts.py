import numpy as np
import pytest

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Field, FieldKind
from monitor.measures.attribution.cumulative import of_ks
from monitor.measures.attribution.divergence import of_js_distance, of_psi
from monitor.measures.attribution.part import figure, interval_name
from monitor.measures.attribution.transport import of_wasserstein
from monitor.measures.attribution.values import of_missing_rate, of_unseen_rate
from monitor.measures.measure import FieldPair
from monitor.profile.counts import CategoricalCounts, ValueSample
from monitor.profile.grid import CategoricalGrid
from tests.unit.measures.test_grouping import numbers


def above(number):
    return float(np.nextafter(number, np.inf))


@pytest.mark.parametrize(
    ("at_least", "below", "name"),
    [
        (None, None, "any number"),
        (None, above(200), "≤ 200"),
        (None, 200.0, "< 200"),
        (above(200), None, "> 200"),
        (200.0, None, "≥ 200"),
        (above(200), above(500), "(200, 500]"),
        (0.0, 0.5, "[0, 0.5)"),
        (3.0, above(3), "3"),
        (0.1, above(0.1), "0.1"),
        (above(1234567), above(2345678), "(1,234,570, 2,345,680]"),
        (1.00000001, 1.00000002, "[1.00000001, 1.00000002)"),
        (-6.5, 0.0, "[-6.5, 0)"),
    ],
)
def test_an_interval_is_named_as_people_write_it(at_least, below, name):
    assert interval_name(at_least, below) == name


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (0.000123456, "0.000123456"), (99999.5, "99999.5"), (2.5e6, "2,500,000")],
)
def test_figures_have_no_exponent_where_people_use_none(number, text):
    assert figure(number) == text


def test_the_bin_that_gained_is_named_in_the_fields_own_unit():
    reference = list(range(1, 1001))
    found = of_psi(numbers(reference, [*range(1, 501), *range(901, 1001), *range(901, 1001)]))
    gained = found.parts[-1]
    assert (gained.name, gained.rows_then, gained.rows_now) == ("> 900", 100, 200)
    assert gained.at_least == above(900) and gained.below is None
    assert gained.contribution > found.parts[0].contribution
    assert [part.name for part in found.parts][:2] == ["≤ 100", "(100, 200]"]


def test_missing_rows_are_a_part_of_their_own():
    found = of_psi(numbers([1.5, 2.5, 3.5] * 100, [1.5, 2.5, None] * 100))
    missing = found.parts[-1]
    assert (missing.name, missing.rows_then, missing.rows_now) == ("(missing)", 0, 100)
    assert missing.contribution > 0.1


def test_a_few_missing_rows_are_named_in_the_part_that_counts_them():
    found = of_psi(numbers(np.linspace(0, 1, 1000), [*np.linspace(0, 1, 998), None, np.inf]))
    last = found.parts[-1]
    assert last.name.endswith("+ (infinite) + (missing)")
    assert [(item.name, item.rows_now) for item in last.members] == [
        ("(infinite)", 1),
        ("(missing)", 1),
    ]


def test_rare_new_values_join_but_are_named():
    grid = CategoricalGrid(("a", "b"))
    pair = FieldPair(
        Field("c", "c", FieldKind.CATEGORICAL),
        grid,
        CategoricalCounts(np.array([500, 500])),
        CategoricalCounts(np.array([700, 296]), unseen=ValueSample(3, {"new": 3}), null=1),
    )
    found = of_js_distance(pair)
    assert [part.name for part in found.parts] == ["a", "b + (unseen) + (missing)"]
    assert [item.rows_now for item in found.parts[1].members] == [3, 1]
    (new,) = of_unseen_rate(pair).parts
    assert (new.name, new.rows_now, new.contribution) == ("new", 3, 3 / 999)


def test_many_pooled_values_are_counted_not_listed():
    grid = CategoricalGrid(tuple("abcdefgh"))
    then = CategoricalCounts(np.array([5000, *[30] * 7]))
    now = CategoricalCounts(np.array([20, *[0] * 7]))
    (found,) = of_psi(FieldPair(Field("c", "c", FieldKind.CATEGORICAL), grid, then, now)).parts
    assert found.name == "a + b + 6 more"


def test_the_largest_gap_is_where_the_window_was_moved_from():
    rng = np.random.default_rng(1)
    reference = rng.normal(0, 1, 5000)
    found = of_ks(numbers(reference, np.where(reference > 0, reference + 3, reference - 3)))
    (widest,) = [part for part in found.parts if part.contribution == found.total]
    assert found.note == "Widest gap: 0.1% of the baseline's numbers are < -2.91585, 51.1% now."
    assert widest.below == pytest.approx(-2.91585, abs=1e-5)
    assert found.parts[-1].contribution == 0


def test_infinities_are_parts_of_the_gap():
    found = of_ks(numbers([1.0, 2.0, 3.0] * 20, [-np.inf] * 40 + [2.0] * 20))
    assert found.parts[0].name == "−(infinite)"
    assert (found.parts[0].contribution, found.total) == (
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    )
    assert found.note == "Widest gap: 0.0% of the baseline's numbers are −∞, 66.7% now."


def test_mass_that_moved_up_is_said_in_both_units():
    reference = np.arange(0.0, 1000.0)
    found = of_wasserstein(numbers(reference, reference + 100))
    assert "moved up by" in found.note
    assert found.note.endswith("100 in the field's own unit.")


def test_kinds_of_missing_values_are_told_apart():
    pair = numbers([1.0, 2.0, None, float("nan")] * 25, [1.0, None, None, None] * 25)
    found = of_missing_rate(pair)
    assert {part.name: part.contribution for part in found.parts} == {
        "(null)": pytest.approx(0.5),
        "(NaN)": pytest.approx(-0.25),
    }


@pytest.mark.parametrize("take_apart", [of_psi, of_ks, of_wasserstein, of_missing_rate])
def test_nothing_to_take_apart_is_a_reason(take_apart):
    found = take_apart(numbers([1.0, 2.0] * 50, []))
    assert isinstance(found, Unmeasurable)
    assert found.reason is Absence.NO_DATA


def test_a_baseline_too_small_to_tell_new_from_rare_pools_them_by_name():
    singles = CategoricalGrid(("a", *(f"v{place}" for place in range(50))))
    then = CategoricalCounts(np.array([100, *[1] * 50]))
    now = CategoricalCounts(np.array([60, *[1] * 50]), unseen=ValueSample(40, {"new": 40}))
    found = of_psi(FieldPair(Field("c", "c", FieldKind.CATEGORICAL), singles, then, now))
    assert [part.name for part in found.parts] == ["a", "(other or unseen values)"]
    assert found.parts[1].rows_now == 90
