"""What is wrong with the data, each sign by itself."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Field, FieldKind
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import FieldPair, FieldParts, ProfilePair, ProfileParts
from monitor.measures.quality import (
    absent_rate,
    duplicate_rate,
    mistyped_rate,
    out_of_range_rate,
    rows,
)
from monitor.measures.variability import floors
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.profile import merged

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))
AMOUNT = Field("amount", "amt", FieldKind.NUMERIC)
MEMBER = Field("member", "member", FieldKind.BOOLEAN)
RNG = np.random.default_rng(5)
NUMBERS = RNG.lognormal(size=5000)


def grid_of(field, column, *, identified=False):
    draft = GridDraft((field,), {}, None, None, identified=identified)
    draft.add_field(field.name, column)
    return draft.grid()


def counted(grid, field, *columns, length=100):
    """Return the profile of columns, of which None is a file without it."""
    builder = ProfileBuilder(grid)
    for column in columns:
        size = length if column is None else len(column)
        builder.add_rows(size, None, None)
        builder.add_field(field.name, column, size)
    return builder.profile


def pair(reference, *current, field=AMOUNT):
    grid = grid_of(field, reference)
    sides = [counted(grid, field, reference), counted(grid, field, *current)]
    return FieldPair(field, grid.fields[field.name], *(side.fields[field.name] for side in sides))


def numbers(*values):
    return pa.array(list(values), pa.float64(), from_pandas=False)


def test_a_column_that_part_of_the_files_lack():
    result = absent_rate.measure(pair(pa.array(NUMBERS), pa.array(NUMBERS[:300]), None))
    assert (result.value, result.then, result.now) == (0.25, 0.0, 0.25)
    assert 0.2 < result.low < 0.25 < result.high < 0.3
    gone = absent_rate.measure(pair(pa.array(NUMBERS), None))
    assert gone.value == 1.0
    assert absent_rate.measure(pair(pa.array(NUMBERS), pa.nulls(300, pa.float64()))).value == 0.0


def test_a_column_that_the_baseline_never_had_cannot_be_gone():
    grid = grid_of(AMOUNT, None)
    sides = [counted(grid, AMOUNT, None).fields["amount"] for _ in range(2)]
    result = absent_rate.measure(FieldPair(AMOUNT, grid.fields["amount"], *sides))
    assert isinstance(result, Unmeasurable)
    assert result.reason is Absence.NO_BASELINE


def test_values_of_another_type_are_counted_among_those_that_are_there():
    text = pa.array(["12,5"] * 150 + [None] * 50)
    result = mistyped_rate.measure(pair(pa.array(NUMBERS), pa.array(NUMBERS[:50]), text, None))
    assert result.value == result.now == 150 / 200
    assert result.n == 200
    whole = mistyped_rate.measure(pair(pa.array(NUMBERS), pa.array([1, 2, 3])))
    assert whole.value == 0.0


def test_what_means_neither_true_nor_false_is_of_another_type():
    reference = pa.array([True, False] * 50)
    result = mistyped_rate.measure(
        pair(reference, pa.array(["true", "0", "maybe", "?"] * 25), field=MEMBER)
    )
    assert result.now == 0.5


@pytest.mark.parametrize(
    ("current", "reason"),
    [
        (pa.nulls(10, pa.float64()), Absence.NO_DATA),
        (numbers(float("nan"), float("nan")), Absence.NO_DATA),
        (None, Absence.MISSING_COLUMN),
        (numbers(), Absence.NO_DATA),
    ],
)
def test_where_no_value_is_there_none_is_of_another_type_or_out_of_range(current, reason):
    for measure in (mistyped_rate.measure, out_of_range_rate.measure):
        result = measure(pair(pa.array(NUMBERS), current))
        assert isinstance(result, Unmeasurable)
        assert result.reason is reason


def test_numbers_outside_the_range_are_those_beyond_the_extremes():
    low, high = NUMBERS.min(), NUMBERS.max()
    outside = [np.nextafter(low, -1), -5.0, high * 1.5, 1e300, float("inf"), -float("inf")]
    inside = [low, high, 1.0, 2.0]
    result = out_of_range_rate.measure(pair(pa.array(NUMBERS), numbers(*outside, *inside)))
    assert result.detail["below"] == result.detail["above"] == 3
    assert result.value == 0.6
    assert result.detail["chance"] == 2 / 5001
    assert out_of_range_rate.measure(pair(pa.array(NUMBERS), pa.array(NUMBERS))).value == 0.0


def test_an_infinity_that_the_baseline_holds_is_not_outside():
    reference = numbers(*NUMBERS, float("inf"))
    result = out_of_range_rate.measure(pair(reference, numbers(1.0, float("inf"), -float("inf"))))
    assert (result.detail["below"], result.detail["above"]) == (1, 0)


def test_a_range_is_beyond_its_limit_when_it_is_more_than_chance():
    small = RNG.normal(size=120)
    once = [
        out_of_range_rate.measure(pair(pa.array(small), pa.array(RNG.normal(size=2000))))
        for _ in range(50)
    ]
    assert sum(out_of_range_rate.tail(found, 0.01) < 0.01 for found in once) <= 5
    assert sum(found.value > 0.01 for found in once) > 5  # which without chance would be many
    shifted = pair(pa.array(NUMBERS), pa.array(NUMBERS[:400] * 1000))
    assert out_of_range_rate.tail(out_of_range_rate.measure(shifted), 0.01) < 1e-9


def test_a_field_with_few_values_has_no_range():
    grid = grid_of(AMOUNT, pa.array([1.0, 2.0, 3.0] * 50))
    assert not out_of_range_rate.MEASURE.applies(grid.fields["amount"])
    assert out_of_range_rate.MEASURE.applies(grid_of(AMOUNT, pa.array(NUMBERS)).fields["amount"])


def test_rows_that_repeat_an_id_are_a_share_of_all_that_came():
    grid = grid_of(AMOUNT, pa.array(NUMBERS), identified=True)
    then, now = (counted(grid, AMOUNT, pa.array(NUMBERS[:900])) for _ in range(2))
    now.duplicates = 100
    result = duplicate_rate.measure(ProfilePair(grid, then, now, WINDOW, 1.0))
    assert (result.value, result.n) == (0.1, 1000)
    assert duplicate_rate.MEASURE.applies(grid)
    assert not duplicate_rate.MEASURE.applies(replace(grid, identified=False))


def a_baseline(sizes):
    grid = grid_of(AMOUNT, pa.array(NUMBERS))
    parts = [counted(grid, AMOUNT, pa.array(NUMBERS[:size])) for size in sizes]
    return grid, merged(parts), parts


def test_volumes_that_vary_in_themselves_are_tolerated_and_those_that_do_not_are_not():
    days = RNG.poisson(1000, 28)
    quiet = np.where(np.arange(28) % 7 < 5, 1200, 400)
    learned = {}
    for name, sizes in (("steady", days), ("weekly", quiet)):
        grid, whole, parts = a_baseline(sizes)
        floor = floors(["rows"], grid, whole, parts)["rows", ""]
        now = counted(grid, AMOUNT, pa.array(NUMBERS[:400]))
        result = rows.measure(ProfilePair(grid, whole, now, WINDOW, 28.0))
        learned[name] = floor.warning, rows.MEASURE.tail(result, max(0.2, floor.warning))
    assert learned["steady"][0] < 0.1 and learned["steady"][1] < 1e-6
    assert learned["weekly"][0] > 0.6 and learned["weekly"][1] == pytest.approx(1, abs=0.01)


def test_one_window_has_no_others_to_be_held_against():
    grid, whole, parts = a_baseline([500])
    assert rows.spread(ProfileParts(grid, whole, tuple(parts))) is None


def test_a_baseline_that_lacks_a_column_on_some_days_tolerates_that():
    grid = grid_of(AMOUNT, pa.array(NUMBERS))
    parts = [
        counted(grid, AMOUNT, *((None,) if day % 3 == 0 else ()), pa.array(NUMBERS[:200]))
        for day in range(12)
    ]
    whole = merged(parts)
    field = FieldParts(
        grid.fields["amount"],
        whole.fields["amount"],
        tuple(part.fields["amount"] for part in parts),
    )
    assert absent_rate.spread(field).observed.max() > 0.03
    assert (mistyped_rate.spread(field).observed == 0).all()
    learned = floors(["absent_rate", "mistyped_rate"], grid, whole, parts)
    assert learned["absent_rate", "amount"].warning > 0.2
    assert learned["mistyped_rate", "amount"].warning == 0


def test_every_sign_is_a_measure_of_its_own():
    ids = {item.about.id for item in CATALOGUE if item.about.family == "quality"}
    assert ids >= {
        "missing_rate",
        "absent_rate",
        "mistyped_rate",
        "unseen_rate",
        "out_of_range_rate",
        "duplicate_rate",
        "rows",
        "freshness",
    }
    assert isinstance(absent_rate.measure(pair(pa.array(NUMBERS), None)), Estimate)
