"""Each measure of a field's drift that a policy may let decide keeps its level at its limit."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from monitor.domain.field import Field, FieldKind
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import Family, FieldMeasure, FieldPair
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 1, tzinfo=UTC)
FIELDS = {
    "amount": Field("amount", "amount", FieldKind.NUMERIC),
    "place": Field("place", "place", FieldKind.CATEGORICAL),
}
PLACES = np.array([f"p{number}" for number in range(12)])
SHARES = np.array([0.5, 0.2, *[0.03] * 10])
BASELINE, WINDOW, RUNS = 20_000, 1_000, 300
DECIDING = {
    item.about.id: item
    for item in CATALOGUE
    if isinstance(item, FieldMeasure) and item.about.family is Family.DRIFT and item.tail
}


def rows_of(rng, name, rows, moved):
    """Return rows, moved so many times a quarter of a standard deviation, or one place to another."""
    if name == "amount":
        return pa.array(rng.normal(0.25 * moved, 1.0, rows))
    shares = SHARES + np.array([-0.12, 0.12, *[0.0] * 10]) * moved
    return pa.array(PLACES[rng.choice(12, rows, p=shares)])


@cache
def grid():
    draft, rng = GridDraft(tuple(FIELDS.values()), {}, None, None), np.random.default_rng(1)
    for name in FIELDS:
        draft.add_field(name, rows_of(rng, name, BASELINE, moved=0))
    return draft.grid()


def counted(rng, name, rows, *, moved):
    builder = ProfileBuilder(grid())
    builder.add_rows(rows, START, START + timedelta(hours=1))
    builder.add_field(name, rows_of(rng, name, rows, moved), rows)
    return builder.profile.fields[name]


def measured(measure, name, then, now):
    return measure.measure(FieldPair(FIELDS[name], grid().fields[name], then, now))


@cache
def whole(name, moved=1):
    """Return so many rows, before and after, that what they show is the truth.

    As many times more before than after as in what is drawn: Cramér's V depends on it.
    """
    rng = np.random.default_rng(2)
    before, after = (200 * rows for rows in (BASELINE, WINDOW))
    return counted(rng, name, before, moved=0), counted(rng, name, after, moved=moved)


@cache
def drawn(name, moved):
    rng = np.random.default_rng(3)
    return [
        (counted(rng, name, BASELINE, moved=0), counted(rng, name, WINDOW, moved=moved))
        for _ in range(RUNS)
    ]


CASES = [
    (identifier, name)
    for identifier, measure in DECIDING.items()
    for name in FIELDS
    if measure.applies(grid().fields[name])
]


def rejected(identifier, name, tolerance, *, moved):
    measure = DECIDING[identifier]
    found = [measured(measure, name, *pair) for pair in drawn(name, moved)]
    return np.mean([measure.tail(item, tolerance) <= 0.05 for item in found])


@pytest.mark.parametrize(("identifier", "name"), CASES)
def test_at_its_limit_a_field_is_found_in_one_window_of_twenty_at_most(identifier, name):
    true = measured(DECIDING[identifier], name, *whole(name)).value
    share = rejected(identifier, name, true, moved=1)
    assert share <= 0.05 + 2.33 * np.sqrt(0.05 * 0.95 / RUNS)


@pytest.mark.parametrize(("identifier", "name"), CASES)
def test_where_nothing_changed_hardly_anything_is_beyond_half_of_that(identifier, name):
    true = measured(DECIDING[identifier], name, *whole(name)).value
    assert rejected(identifier, name, true / 2, moved=0) <= 0.01


@pytest.mark.parametrize(("identifier", "name"), CASES)
def test_twice_what_is_tolerated_is_found_in_nine_windows_of_ten(identifier, name):
    """Half a standard deviation, or a quarter of the rows: what PSI of 0.2 to 0.3 is made of."""
    true = measured(DECIDING[identifier], name, *whole(name, 2)).value
    assert rejected(identifier, name, true / 2, moved=2) >= 0.9


def test_every_measure_of_a_field_is_tried():
    assert {identifier for identifier, _ in CASES} == set(DECIDING)
    assert len(DECIDING) >= 7
