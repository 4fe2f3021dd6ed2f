"""What many slices take in memory: nearly all of a profile that has them is in its slices."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from monitor.domain.field import Decision, Effect, Field, FieldKind, FieldRole
from monitor.domain.segment import Segment
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.profile import merged

VALUES, ROWS = 40, 20_000
FIELDS = (
    *(Field(name, name, FieldKind.NUMERIC) for name in ("a", "b", "c")),
    Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
)
DECISION = Decision("score", at_least=0.5, effect=Effect.HARMFUL)
SEGMENTS = (Segment("one", ("one",), VALUES), Segment("two", ("two",), VALUES))


def rows(seed):
    rng = np.random.default_rng(seed)
    numbers = {field.name: pa.array(rng.random(ROWS)) for field in FIELDS}
    values = {item.name: pa.array(rng.integers(0, VALUES + 5, ROWS)) for item in SEGMENTS}
    return numbers | values


@pytest.fixture(scope="module")
def grid():
    table = rows(0)
    draft = GridDraft(FIELDS, {}, DECISION, None, SEGMENTS)
    for field in FIELDS:
        draft.add_field(field.name, table[field.name])
    draft.add_segments(table, ROWS)
    return draft.grid()


def profile(grid, seed):
    table, builder = rows(seed), ProfileBuilder(grid)
    builder.divide(table, ROWS)
    builder.add_rows(ROWS, None, None)
    builder.add_outcomes(ROWS, {}, table["score"], None, table["score"])
    for field in FIELDS:
        builder.add_field(field.name, table[field.name], ROWS)
    return builder.profile


def taken(call):
    """Return what a function returns, with the bytes in use at most while it ran."""
    tracemalloc.start()
    try:
        returned = call()
        return returned, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def dense(part):
    counted = sum(counts.cells.nbytes + counts.sums.nbytes for counts in part.fields.values())
    return counted + part.score_by_decision.nbytes


def test_slices_are_decoded_when_they_are_asked_for_and_not_held(grid):
    counted = profile(grid, 1)
    data = profile_to_bytes(counted)
    there, packed = taken(lambda: profile_from_bytes(data))
    assert [len(slices) for slices in there.segments.values()] == [VALUES + 1, VALUES + 1]
    whole = sum(dense(part) for slices in counted.segments.values() for part in slices.values())
    assert packed < whole / 2

    def largest():
        return max(dense(part) for slices in there.segments.values() for part in slices.values())

    one, visited = taken(largest)
    assert visited < whole / 10 > 3 * one


def test_decoded_slices_are_those_that_were_counted(grid):
    counted = profile(grid, 1)
    there = profile_from_bytes(profile_to_bytes(counted))
    for name, slices in counted.segments.items():
        found = there.segments[name]
        assert sorted(found) == sorted(slices)
        assert 99 not in found
        assert found.get(99) is None
        with pytest.raises(KeyError):
            found[99]
        for code in sorted(slices, reverse=True):  # in another order than they lie in
            assert profile_to_bytes(found[code]) == profile_to_bytes(slices[code])
    assert profile_to_bytes(there) == profile_to_bytes(counted)


def test_sums_of_decoded_profiles_are_those_of_counted_ones(grid):
    days = [profile(grid, seed) for seed in (1, 2, 3)]
    stored = [profile_to_bytes(day) for day in days]
    week = profile_to_bytes(merged(days))
    decoded = [profile_from_bytes(data) for data in stored]
    assert profile_to_bytes(merged(decoded)) == week
    assert [profile_to_bytes(day) for day in decoded] == stored
    decoded[0].merge(days[1])
    decoded[0].merge(decoded[2])
    assert profile_to_bytes(decoded[0]) == week


def test_slices_without_labels_hold_no_tables_of_labelled_scores(grid):
    parts = [part for slices in profile(grid, 1).segments.values() for part in slices.values()]
    tables = [table for part in parts for table in (part.score_by_label, part.labelled_by_decision)]
    assert not any(table.any() for table in tables)
    assert len({id(table) for table in tables}) == 1
    assert all(part.score_by_decision.sum() == part.rows for part in parts)
