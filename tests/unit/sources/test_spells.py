"""Decisions by what was allowed when, held against a count row by row."""

from collections import Counter
from datetime import timedelta
from math import isnan

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.compute.isolated import IsolatedCompute
from monitor.compute.local import LocalCompute
from monitor.domain.timetable import Regime, ReviewMark, Spell, Timetable
from monitor.engine.counting import OTHER_VERSIONS, bundled
from monitor.sources.parquet import ParquetSource

HOUR = timedelta(hours=1)
MARK = ReviewMark("by", frozenset({"person", "true"}))
BOUNDS = {"amount": 3.0, "human_review_share": 0.25}


def timetable(june, mark=MARK):
    """Version 1 is allowed, then within conditions, then people decide; version 2 is refused."""
    at = [june.start, june.start + 3 * HOUR, june.start + 6 * HOUR, june.end]
    spells = (
        Spell(at[0], at[1], Regime.ALLOWED),
        Spell(at[1], at[2], Regime.CONDITIONED, BOUNDS),
        Spell(at[2], at[3], Regime.ROUTED),
    )
    refused = (Spell(june.start, june.end, Regime.REFUSED),)
    strangers = (
        Spell(at[0], at[1], Regime.UNRECORDED),
        Spell(at[1], at[3], Regime.UNKNOWN),
    )
    return Timetable({"1": spells, "2": refused}, strangers, mark)


@pytest.fixture
def count(policy, june, progress):
    """Count a log by a timetable; return what was counted."""

    def counted(by, compute=None, *, together=True, grids=("1",), **changes):
        source = ParquetSource(policy(**changes))
        scan = replace(source.scan(june), timetable=by)
        drafted = {version: source.draft(scan, version) for version in grids}
        tasks = bundled(scan.tasks) if together else scan.tasks
        found = (compute or LocalCompute()).count(
            tasks, source.counter(scan, drafted).complete(), progress
        )
        return found.accounting(None, by)

    return counted


def numbers(tally):
    return tally.rows, tally.reviewed, tally.unmarked, tally.over, tally.unknown


def test_rows_are_counted_where_their_event_time_is(rows, write, count, june):
    by = ["model", None, "person", "model", "person", None, "person", "model", None, "model"]
    write("log/a.parquet", rows(10, by=by))
    first, second, third = count(timetable(june)).authority
    assert numbers(first) == (3, None, None, {}, {})
    assert first.last == june.start + 2 * HOUR
    # Amounts are 3, 4, 5 and no more than 3 is right: a person has looked at the second, and of
    # the third nobody knows who decided.
    assert numbers(second) == (3, 1, 1, {"amount": 0}, {"amount": 1})
    assert second.last_over is None
    assert numbers(third) == (4, 1, 1, {}, {})


def test_a_value_that_is_no_number_is_unknown_and_never_within(rows, write, count, june):
    amount = pa.array([1.0, 1.0, 1.0, None, float("nan"), float("inf"), 1.0, 1.0, 1.0, 1.0])
    write("log/a.parquet", rows(10, amount=amount, by=["model"] * 10))
    second = count(timetable(june)).authority[1]
    assert (second.over, second.unknown) == ({"amount": 1}, {"amount": 2})
    assert second.last_over == june.start + 5 * HOUR


def test_a_text_is_no_number(rows, write, count, june):
    write("log/a.parquet", rows(10, amount=["9"] * 10, by=["model"] * 10))
    second = count(timetable(june)).authority[1]
    assert (second.over, second.unknown) == ({"amount": 0}, {"amount": 3})


def test_columns_that_are_not_there_leave_everything_unknown(rows, write, count, june, policy):
    write("log/a.parquet", rows(10, amount=None, by=None))
    fields = policy().fields[1:]
    _, second, third = count(timetable(june), fields=fields).authority
    assert numbers(second) == (3, 0, 3, {"amount": 0}, {"amount": 3})
    assert numbers(third) == (4, 0, 4, {}, {})


def test_without_a_mark_nobody_is_known_to_have_looked(rows, write, count, june):
    write("log/a.parquet", rows(10, by=["person"] * 10))
    _, second, third = count(timetable(june, None)).authority
    assert numbers(second) == (3, 0, 3, {"amount": 2}, {"amount": 0})
    assert numbers(third) == (4, None, None, {}, {})


def test_any_name_shows_who_looked(rows, write, count, june):
    by = [None, None, None, None, "vera", None, "otto", None, None, None]
    write("log/a.parquet", rows(10, by=by))
    _, second, third = count(timetable(june, ReviewMark("by"))).authority
    assert numbers(second) == (3, 1, 0, {"amount": 1}, {"amount": 0})
    assert numbers(third) == (4, 1, 0, {}, {})


def test_versions_that_nobody_registered_are_counted_and_few_are_named(rows, write, count, june):
    versions = ["1", "2", *(f"v{place:02}" for place in range(38))]
    write("log/a.parquet", rows(40, version=versions, by=["model"] * 40))
    accounting = count(timetable(june))
    found = {(each.version, each.spell.regime): each.rows for each in accounting.authority}
    assert found["2", Regime.REFUSED] == 1
    assert found["v00", Regime.UNRECORDED] == 1
    assert found[OTHER_VERSIONS, Regime.UNKNOWN] == 38 - 19  # of "2" and 38 others 20 are named
    by_version = Counter()
    for each in accounting.authority:
        by_version[each.version] += each.rows
    assert by_version == {**accounting.profiled, **accounting.unregistered}


def test_where_nothing_is_held_against_it_nothing_is_counted(rows, write, count):
    write("log/a.parquet", rows(10))
    assert count(None).authority is None


def test_rows_that_repeat_an_id_are_not_counted(rows, write, count, june):
    write("log/a.parquet", rows(10, id=["a", "a", "b", "b", *"cdefgh"], by=["model"] * 10))
    assert [each.rows for each in count(timetable(june)).authority] == [1, 3, 4]


@pytest.mark.slow
def test_a_worker_process_counts_the_same(rows, write, count, june):
    for place in range(3):
        start = june.start + 2 * place * HOUR
        write(f"log/{place}.parquet", rows(4, start, by=["model", "person", None, "model"]))
    by = timetable(june)
    assert count(by, IsolatedCompute(1)).authority == count(by).authority


def test_threads_that_share_the_columns_of_a_file_count_its_rows_once(
    rows, write, count, june, monkeypatch
):
    write("log/a.parquet", rows(10, by=["model"] * 10))
    by = timetable(june)
    alone = count(by).authority
    placed = ParquetSource.scan

    def shared(self, *arguments):
        scan = placed(self, *arguments)
        return replace(scan, tasks=tuple(replace(task, threads=2) for task in scan.tasks))

    monkeypatch.setattr(ParquetSource, "scan", shared)
    assert count(by, together=False).authority == alone


values = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["1", "2", "x", None]),
        st.sampled_from([0.0, 3.0, 3.5, 9.0, None, float("nan")]),
        st.sampled_from(["model", "person", "true", None]),
    ),
    min_size=1,
    max_size=30,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values, st.integers(1, 30), st.booleans(), st.sampled_from([MARK, ReviewMark("by"), None]))
def test_it_is_what_a_count_row_by_row_says(
    rows, write, count, june, tmp_path, drawn, cut, together, mark
):
    for path in (tmp_path / "log").glob("*"):
        path.unlink()
    for place in range(0, len(drawn), cut):
        part = drawn[place : place + cut]
        at = [june.start + hour * HOUR / 2 for hour, *_ in part]
        columns = rows(
            len(part),
            id=None,
            at=pa.array(at, pa.timestamp("us", "UTC")),
            version=pa.array([version for _, version, *_ in part], pa.string()),
            amount=pa.array([amount for *_, amount, _ in part], pa.float64()),
            by=pa.array([who for *_, who in part], pa.string()),
        )
        write(f"log/{place}.parquet", columns, row_group_size=7)
    by = timetable(june, mark)
    found = count(by, together=together, source={"id": ""}, grids=())
    assert told(found.authority) == slowly(by, drawn, june, mark)


def told(tallies):
    return {
        (each.version, each.spell.start): (
            each.rows,
            each.last,
            each.reviewed,
            each.unmarked,
            each.over,
            each.unknown,
            each.last_over,
        )
        for each in tallies
    }


def slowly(by, drawn, june, mark):
    found = {}
    for hour, version, amount, who in drawn:
        at, name = june.start + hour * HOUR / 2, "(none)" if version is None else version
        spell = next(each for each in by.of(name) if each.start <= at < each.end)
        found.setdefault((name, spell.start), []).append((spell, at, amount, who))
    return {key: summed(parts, mark) for key, parts in found.items()}


def summed(parts, mark):
    spell, last = parts[0][0], max(at for _, at, *_ in parts)
    conditioned = spell.regime is Regime.CONDITIONED
    if not conditioned and (spell.regime is not Regime.ROUTED or mark is None):
        return len(parts), last, None, None, {}, {}, None
    looked = [looks(who, mark) for *_, who in parts]
    unmarked = len(parts) if mark is None else looked.count(None)
    if not conditioned:
        return len(parts), last, looked.count(True), unmarked, {}, {}, None
    over, unknown, times = 0, 0, []
    for (_, at, amount, _), look in zip(parts, looked, strict=True):
        number = amount is not None and not isnan(amount)
        if look is True or (number and amount <= 3.0):
            continue
        if not number or (look is None and mark is not None):
            unknown += 1
        else:
            over += 1
            times.append(at)
    counted = looked.count(True), unmarked, {"amount": over}, {"amount": unknown}
    return len(parts), last, *counted, max(times, default=None)


def looks(who, mark):
    """Return whether a person looked; None where nobody can say."""
    if mark is None:
        return None
    if not mark.values:
        return who is not None
    return None if who is None else who in mark.values
