"""The slices of a segment are a partition: each the profile of its own rows, their sum the whole."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, FieldRole, Label
from monitor.domain.segment import Segment
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.profile.comoments import CoMoments
from monitor.profile.counts import NumericCounts
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.profile import merged

pytestmark = pytest.mark.slow

FIELDS = (
    Field("amount", "amount", FieldKind.NUMERIC),
    Field("few", "few", FieldKind.NUMERIC),
    Field("kind", "kind", FieldKind.CATEGORICAL),
    Field("flag", "flag", FieldKind.BOOLEAN),
    Field("nested", "nested", FieldKind.CATEGORICAL),
    Field("wrong", "wrong", FieldKind.NUMERIC),
    Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
    Field("absent", "absent", FieldKind.NUMERIC),
)
SEGMENTS = (
    Segment("region", ("region",), 3),
    Segment("region by flag", ("region", "flag"), 4),
    Segment("hour", ("hour",), 100),
)
DECISION = Decision("flag", ("true",), effect=Effect.HARMFUL)
LABEL = Label("late", ("1",), ("0",))
SEX = Attribute("sex", "sex")


def rows(count, seed):
    """Return rows with all that may be in a log."""
    rng = np.random.default_rng(seed)
    null = rng.random(count) < 0.1
    amounts = [0.0, -0.0, 1.0, np.nan, np.inf, -np.inf, 1e300, 2.5]
    amount = np.where(rng.random(count) < 0.3, rng.choice(amounts, count), rng.normal(0, 3, count))
    regions = rng.choice(["n", "s", "e", "w", "rare"], count, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    names = pa.array(regions.tolist(), mask=rng.random(count) < 0.1)
    return {
        "amount": pa.array(amount, mask=null),
        "few": pa.array(rng.integers(0, 4, count)).dictionary_encode(),
        "kind": pa.array(rng.choice(["a", "b", f"new{seed}"], count).tolist(), mask=null),
        "flag": pa.array(rng.random(count) < 0.3, mask=rng.random(count) < 0.05),
        "nested": pa.array([[1]] * count, mask=null),
        "wrong": pa.array(["x"] * count, mask=null).dictionary_encode(),
        "score": pa.array(rng.random(count)),
        "absent": None,
        "region": names if seed % 2 else names.dictionary_encode(),
        "hour": pa.array(rng.integers(0, 24, count)),
        "late": pa.array(rng.integers(0, 3, count)),
        "sex": pa.array(rng.choice(["f", "m", "x"], count).tolist()),
    }


def drafted():
    draft, table = GridDraft(FIELDS, {"sex": SEX}, DECISION, LABEL, SEGMENTS), rows(200, 1)
    for field in FIELDS:
        draft.add_field(field.name, table[field.column])
    draft.add_attribute("sex", table["sex"])
    draft.add_segments(table, 200)
    return draft.grid()


GRID = drafted()


def counted(table, cuts=(), keep=None):
    """Return the profile of some rows of a table, counted in batches."""
    count = len(table["score"])
    builder, places = ProfileBuilder(GRID), [0, *sorted(cuts), count]
    for begin, end in pairwise(places):
        chosen = np.arange(begin, end)
        chosen = chosen if keep is None else chosen[keep[begin:end]]
        batch = {
            name: None if column is None else column.take(pa.array(chosen))
            for name, column in table.items()
        }
        size = len(chosen)
        builder.divide(batch, size)
        builder.add_rows(size, None, None)
        sex = {"sex": batch["sex"]}
        builder.add_outcomes(size, sex, batch["flag"], batch["late"], batch["score"])
        for field in FIELDS:
            builder.add_field(field.name, batch[field.column], size)
    return builder.profile


def alone(profile):
    """Return what is counted of slices too, without the names of values that have no group."""
    copy = profile_from_bytes(profile_to_bytes(profile))
    copy.segments, copy.pairs, copy.duplicates = {}, CoMoments.empty(0), 0
    copy.score_by_decision, copy.errors, copy.group_scores = None, None, None  # not of slices
    copy.labelled_by_decision = None
    for sample in copy.outcomes.unmapped.values():
        sample.rows, sample.counts = 0, {}
    return copy


def exact(profile):
    """Return all that must be the same to the bit: everything but sums of numbers."""
    copy = alone(profile)
    for counts in copy.fields.values():
        if isinstance(counts, NumericCounts):
            counts.sums, counts.squares = np.zeros_like(counts.sums), 0.0
    return profile_to_bytes(copy)


def assert_same(one, other):
    assert exact(one) == exact(other)
    for name in ("few", "score"):
        mine, theirs = one.fields[name], other.fields[name]
        assert mine.sums == pytest.approx(theirs.sums, rel=1e-12, abs=1e-12 * (mine.squares + 1))
        assert mine.squares == pytest.approx(theirs.squares, rel=1e-12)


@settings(max_examples=20)
@given(
    count=st.integers(1, 120),
    seed=st.integers(0, 99),
    cuts=st.lists(st.integers(0, 119), max_size=3),
)
def test_the_sum_of_the_slices_is_the_whole(count, seed, cuts):
    whole = counted(rows(count, seed), [min(cut, count) for cut in cuts])
    assert set(whole.segments) == {segment.name for segment in SEGMENTS}
    for slices in whole.segments.values():
        assert_same(merged(slices.values()), whole)
    again = profile_from_bytes(profile_to_bytes(whole))
    assert profile_to_bytes(again) == profile_to_bytes(whole)


@settings(max_examples=12)
@given(count=st.integers(1, 120), seed=st.integers(0, 99), cut=st.integers(0, 120))
def test_a_slice_is_the_profile_of_its_own_rows(count, seed, cut):
    table = rows(count, seed)
    whole, (grid, *_) = counted(table, [min(cut, count)]), GRID.segments
    regions = table["region"].to_pylist()
    of_row = [
        grid.missing if region is None else grid.codes.get((region,), grid.other)
        for region in regions
    ]
    assert sorted(whole.segments["region"]) == sorted(set(of_row))
    for code, part in whole.segments["region"].items():
        mine = counted(table, keep=np.array(of_row) == code)
        assert_same(part, mine)


@settings(max_examples=8)
@given(seeds=st.lists(st.integers(0, 99), min_size=2, max_size=4))
def test_weeks_are_sums_of_days_slice_by_slice(seeds):
    days = [counted(rows(40, seed)) for seed in seeds]
    before = [profile_to_bytes(day) for day in days]
    week = merged(days)
    assert [profile_to_bytes(day) for day in days] == before
    for name, slices in week.segments.items():
        for code, part in slices.items():
            own = [day.segments[name][code] for day in days if code in day.segments[name]]
            assert_same(part, merged(own))
    assert_same(merged(reversed(days)), week)


def test_slices_are_the_most_frequent_values_and_the_rest_is_one():
    region, crossed, hours = GRID.segments
    assert region.values == (("e",), ("n",), ("s",))
    assert len(crossed.values) == 4
    assert all(flag in {"true", "false"} for _, flag in crossed.values)
    assert len(hours.values) == 24
    whole = counted(rows(2000, 3))
    wanted = [item for item in rows(2000, 3)["region"].to_pylist() if item in {"w", "rare"}]
    assert whole.segments["region"][region.other].rows == len(wanted)


def test_a_log_without_the_column_is_all_missing():
    table = rows(20, 5)
    table["region"] = None
    whole = counted(table)
    assert list(whole.segments["region"]) == [GRID.segments[0].missing]
    assert list(whole.segments["region by flag"]) == [GRID.segments[1].missing]


def test_what_is_counted_in_parts_is_counted_of_all_rows_only():
    text = Field("note", "note", FieldKind.TEXT).in_parts()
    draft = GridDraft((*FIELDS, *text), {}, None, None, SEGMENTS)
    table = {**rows(60, 1), "note": pa.array([f"word {place}" for place in range(60)])}
    for field in FIELDS:
        draft.add_field(field.name, table[field.column])
    draft.add_parts("note", table["note"], np.zeros(60, np.int64))
    draft.add_segments(table, 60)
    grid = draft.grid()
    builder = ProfileBuilder(grid)
    builder.divide(table, 60)
    builder.add_rows(60, None, None)
    names = [item.name for item in text]
    builder.add_parts(names, table["note"], 60, np.zeros(60, np.int64))
    assert all(builder.profile.fields[name].rows == 60 for name in names)
    for slices in builder.profile.segments.values():
        for part in slices.values():
            assert not part.fields.keys() & set(names)
    stored = profile_to_bytes(builder.profile)
    assert profile_to_bytes(profile_from_bytes(stored)) == stored
