"""A profile does not depend on how its rows were stored, split, ordered or divided up."""

import tempfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.compute import local
from monitor.compute.isolated import IsolatedCompute
from monitor.compute.local import LocalCompute
from monitor.domain.field import (
    Attribute,
    Decision,
    Effect,
    Field,
    FieldKind,
    FieldRole,
    Label,
    Stratum,
)
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.counting import Counted, bundled
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.profile.counts import NumericCounts
from monitor.profile.profile import merged
from monitor.sources import reader, together
from monitor.sources.parquet import ParquetSource

pytestmark = pytest.mark.slow

ROWS = 120
WEEK = Window(datetime(1969, 12, 29, tzinfo=UTC), datetime(1970, 1, 5, tzinfo=UTC))
FIELDS = (
    Field("amount", "amount", FieldKind.NUMERIC),
    Field("heavy", "heavy", FieldKind.NUMERIC),
    Field("kind", "kind", FieldKind.CATEGORICAL),
    Field("flag", "flag", FieldKind.BOOLEAN),
    Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
    *Field("posted", "posted", FieldKind.DATETIME, zone="Europe/Amsterdam").in_parts(),
    *Field("note", "note", FieldKind.TEXT).in_parts(),
    *Field("vector", "vector", FieldKind.EMBEDDING).in_parts(),
)
SUMS = ("error", "absolute", "squared", "fourth", "log", "log_squared")
VECTOR_SUMS = ("sums", "products", "cubes", "fourths")
FEW = settings(max_examples=25, deadline=None, derandomize=True)


class Silent:
    def advance(self, rows):
        pass


def policy(folder):
    return Policy(
        model="m",
        source=SourceSpec(str(folder), "at", version="version"),
        fields=FIELDS,
        decision=Decision("flag", ("true",), effect=Effect.HARMFUL),
        label=Label("late", ("1",)),
        attributes={"sex": Attribute("sex", "sex", declined=("x",))},
        strata={"product": Stratum(Attribute("product", "kind"), "r.lee", "priced before")},
        populations=(),
        schedule=Schedule(CalendarUnit.WEEK),
        limits={},
        band=Band(),
    )


def table(seed=11):
    """Return rows of one week and a little more on either side, with all that may be in a log."""
    rng = np.random.default_rng(seed)
    day = 86_400_000_000
    at = rng.integers(-4 * day, 5 * day, ROWS)
    amount = rng.choice([0.0, -0.0, 1.0, np.nan, np.inf, -np.inf, 1e300, 2.5], ROWS)
    null = rng.random(ROWS) < 0.1
    numbers = [*rng.normal(2, 1e6, (ROWS // 2, 5)), *rng.normal(2, 1, (ROWS // 2, 5))]
    vectors = [list(row) for row in rng.permutation(np.array(numbers))]
    for row, other in enumerate([None, [], [1.0], [np.nan] * 5, [np.inf] * 5, [None] * 5]):
        vectors[10 * row] = other
    notes = ["", " ", "two words", "Grüße 12!", "😀\n", "x" * 40, None]
    return pa.table(
        {
            "at": pa.array(at, mask=rng.random(ROWS) < 0.05).cast(pa.timestamp("us", "UTC")),
            "version": rng.choice(["1", "2"], ROWS).tolist(),
            "amount": pa.array(amount, mask=null),
            "heavy": rng.standard_t(2, ROWS) * 1e6 + 1e9,
            "kind": rng.choice(["a", "b", "c", "rare"], ROWS, p=[0.5, 0.3, 0.15, 0.05]).tolist(),
            "flag": pa.array(rng.random(ROWS) < 0.3, mask=null),
            "score": rng.random(ROWS),
            "posted": pa.array(at - rng.integers(-day, 40 * day, ROWS), mask=null).cast(
                pa.timestamp("us")
            ),
            "note": rng.choice(np.array(notes, object), ROWS).tolist(),
            "vector": vectors,
            "late": rng.integers(0, 2, ROWS),
            "sex": rng.choice(["f", "m", "x"], ROWS).tolist(),
        }
    )


@pytest.fixture(scope="module")
def grids(tmp_path_factory):
    """Grids from other rows of the same kind, so that some values are unseen."""
    folder = tmp_path_factory.mktemp("baseline")
    pq.write_table(table(seed=5).slice(0, 60), folder / "a.parquet")
    source = ParquetSource(policy(folder))
    scan = source.scan(WEEK)
    grid = source.draft(scan, "1")
    return {"1": grid, "2": grid}


def counted(rows, grids, *, cuts=(), group=ROWS, window=WEEK, compute=None, tied=tuple):
    """Return the counts of rows written to files cut at some places, their tasks tied in bundles."""
    with tempfile.TemporaryDirectory() as folder:
        places = [0, *sorted(cuts), len(rows)]
        for number, (begin, end) in enumerate(pairwise(places)):
            path = Path(folder, f"{number:03}.parquet")
            pq.write_table(rows.slice(begin, end - begin), path, row_group_size=group)
        source = ParquetSource(policy(folder))
        scan = source.scan(window)
        count = source.counter(scan, grids)
        return (compute or LocalCompute()).count(tied(scan.tasks), count, Silent())


def exact(profile):
    """Return all that must be the same to the bit: everything but sums of numbers."""
    copy = profile_from_bytes(profile_to_bytes(profile))
    for counts in copy.fields.values():
        if isinstance(counts, NumericCounts):
            counts.sums = np.zeros_like(counts.sums)
            counts.squares = 0.0
    for name in SUMS:
        setattr(copy.errors, name, 0.0)
    copy.group_scores.sums = np.zeros_like(copy.group_scores.sums)
    for vectors in copy.vectors.values():
        for name in VECTOR_SUMS:
            setattr(vectors, name, np.zeros_like(getattr(vectors, name)))
    return profile_to_bytes(copy)


def assert_same(one, other):
    # Rows without an event time are read with their row group, wherever that was cut.
    mine, theirs = one.accounting(), other.accounting()
    assert mine.profiled == theirs.profiled
    assert mine.balances and theirs.balances
    assert one.last_event == other.last_event
    assert set(one.profiles) == set(other.profiles) == {"1", "2"}
    for version, profile in one.profiles.items():
        assert_same_profile(profile, other.profiles[version])


def assert_same_profile(one, other):
    assert exact(one) == exact(other)
    for name in ("amount", "heavy", "score"):
        mine, theirs = one.fields[name], other.fields[name]
        size = mine.squares + 1.0  # at least the sum of |x|, for standardised values
        assert mine.sums == pytest.approx(theirs.sums, rel=1e-12, abs=1e-12 * size)
        assert mine.squares == pytest.approx(theirs.squares, rel=1e-12)
    for name in SUMS:
        mine, theirs = (getattr(side.errors, name) for side in (one, other))
        assert mine == pytest.approx(theirs, rel=1e-12, abs=1e-12 * (one.errors.absolute + 1))
    mine, theirs = one.group_scores.sums, other.group_scores.sums
    assert mine == pytest.approx(theirs, rel=1e-12, abs=1e-12 * ROWS)
    mine, theirs = one.vectors["vector"], other.vectors["vector"]
    size = 1.0 + np.abs(mine.fourths).max()  # no sum is larger, and cubes may cancel
    for name in VECTOR_SUMS:
        assert getattr(mine, name) == pytest.approx(
            getattr(theirs, name), rel=1e-12, abs=1e-12 * size
        )


@pytest.fixture(scope="module")
def whole(grids):
    return counted(table(), grids)


@FEW
@given(group=st.integers(1, ROWS), size=st.integers(1, ROWS))
def test_any_row_group_and_batch_size(whole, grids, group, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BATCH_ROWS", size)
        patch.setattr(reader, "BATCH_BYTES", 40 * size)
        assert_same(whole, counted(table(), grids, group=group))


@FEW
@given(cuts=st.sets(st.integers(1, ROWS - 1), max_size=5), workers=st.integers(1, 3))
def test_any_split_into_files_and_any_number_of_threads(whole, grids, cuts, workers):
    assert_same(whole, counted(table(), grids, cuts=cuts, compute=LocalCompute(workers)))


@FEW
@given(cuts=st.sets(st.integers(1, ROWS - 1), min_size=1, max_size=5), size=st.integers(1, 10**5))
def test_any_files_that_are_counted_together(whole, grids, cuts, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(together, "BATCH_BYTES", size)
        assert_same(whole, counted(table(), grids, cuts=cuts, tied=bundled))


@FEW
@given(order=st.permutations(range(ROWS)), cuts=st.sets(st.integers(1, ROWS - 1), max_size=2))
def test_any_order_of_rows(whole, grids, order, cuts):
    assert_same(whole, counted(table().take(list(order)), grids, cuts=cuts))


@FEW
@given(cuts=st.sets(st.integers(1, ROWS - 1), min_size=3, max_size=6), draw=st.data())
def test_any_tree_of_merges(whole, grids, cuts, draw):
    places = [0, *sorted(cuts), ROWS]
    rows = table()
    parts = [counted(rows.slice(begin, end - begin), grids) for begin, end in pairwise(places)]
    while len(parts) > 1:
        left = parts.pop(draw.draw(st.integers(0, len(parts) - 1)))
        right = parts.pop(draw.draw(st.integers(0, len(parts) - 1)))
        total = Counted()
        total.merge(left)
        total.merge(right)
        parts.append(total)
    assert_same(whole, parts[0])


def test_a_week_is_the_sum_of_its_days(whole, grids):
    days = [
        Window(WEEK.start + timedelta(days=day), WEEK.start + timedelta(days=day + 1))
        for day in range(7)
    ]
    daily = [counted(table(), grids, window=day) for day in days]
    for version, profile in whole.profiles.items():
        parts = [day.profiles[version] for day in daily if version in day.profiles]
        assert len(parts) > 1
        assert_same_profile(profile, merged(parts))


@FEW
@given(seed=st.integers(0, 1000))
def test_the_bytes_form_comes_back_for_any_rows(grids, seed):
    for profile in counted(table(seed), grids).profiles.values():
        data = profile_to_bytes(profile)
        assert profile_to_bytes(profile_from_bytes(data)) == data


def test_a_grid_is_drafted_alike_however_few_bytes_are_read_at_once(grids, tmp_path, monkeypatch):
    pq.write_table(table(seed=5).slice(0, 60), tmp_path / "a.parquet", row_group_size=7)
    source = ParquetSource(policy(tmp_path))
    monkeypatch.setattr(reader, "BATCH_BYTES", 1)
    assert source.draft(source.scan(WEEK), "1").digest == grids["1"].digest


@pytest.mark.slow
def test_a_process_counts_what_threads_count(whole, grids):
    assert_same(whole, counted(table(), grids, cuts={40, 80}, compute=IsolatedCompute(2)))


@pytest.mark.parametrize("threads", [2, 3, 20])
def test_any_number_of_threads_for_one_file(whole, grids, threads, monkeypatch):
    monkeypatch.setattr(local, "LARGE_ROWS", 1)
    assert_same(whole, counted(table(), grids, group=50, compute=LocalCompute(threads)))


def test_another_grid_is_noticed(whole, grids):
    stranger = replace(grids["1"], digest="another")
    other = counted(table(), {"1": stranger, "2": stranger})
    with pytest.raises(ValueError, match="different grids"):
        merged([whole.profiles["1"], other.profiles["1"]])
