"""Event times of every type, in every zone, of every age, and some that cannot be."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from monitor.app import SystemClock
from monitor.domain.run import Outcome
from monitor.engine.check import run_windows
from monitor.sources.parquet import ParquetSource
from tests.hostile.make_nasty import ROWS, renamed, table, with_column, write

pytestmark = pytest.mark.slow

OCTOBER = ("2005-10-01", "2005-11-01")

# ---------------------------------------------------------------------- cases of make_nasty


def test_t01_naive_times_are_of_the_configured_zone(nasty):
    assert nasty("t01-units-and-zones").rows == 450
    early = nasty("t01-units-and-zones", source="  timezone: Asia/Taipei\n")
    assert early.rows == 250  # eight hours before, the naive four are in June


def test_t02_only_text_in_iso_form_says_when_it_was(nasty):
    watched = nasty("t02-string-and-epoch-times")
    assert watched.file("iso.parquet").profiled == 50
    for name in ("epoch_s", "epoch_ms", "ambiguous"):
        account = watched.file(f"{name}.parquet")
        assert (account.read, account.rejected) == (50, {"bad_event_time": 50})
    assert watched.changes == {("retyped", "event_time")}


def test_t04_rows_without_a_time_are_rejected_and_their_file_is_named(nasty):
    watched = nasty("t04-null-timestamps")
    assert watched.file("second.parquet").rejected == {"no_event_time": 10}
    assert watched.file("second.parquet").profiled == 40


def test_t06_a_late_file_makes_a_revision_and_the_old_one_stays(copied, watch):
    folder = copied("t06-late-arrival")
    late = folder / "late.parquet"
    late.rename(folder / "late.written-later")
    watched = watch(folder)
    assert watched.rows == 50
    (folder / "late.written-later").rename(late)
    again = watched.run_again()
    assert (again.committed.revision, again.run.accounting.profiled) == (2, {"1": 100})
    store = watched.model.outside.store
    assert store.run("nasty", again.run.window, 1).accounting.profiled == {"1": 50}


def test_t08_an_hour_that_the_clocks_showed_twice_is_the_first(nasty):
    watched = nasty("t08-dst-ambiguous-local", source="  timezone: Europe/London\n", period=OCTOBER)
    assert watched.rows == 50
    assert watched.run.last_event == datetime(2005, 10, 30, 0, 30, tzinfo=UTC)


# ---------------------------------------------------------------------- others of each kind


def at(frame, *instants):
    """Return rows with other event times, the first of them replaced."""
    times = list(frame.event_time.dt.tz_convert("UTC").dt.tz_localize(None))
    values = [np.datetime64(time, "us") for time in times]
    values[: len(instants)] = [np.datetime64(instant, "us") for instant in instants]
    return with_column(
        table(frame), "event_time", pa.array(np.array(values), pa.timestamp("us", "UTC"))
    )


def test_rows_of_the_far_future_are_rejected_with_their_number(log, rows, watch):
    write(at(rows.others, "2999-12-31", "9999-01-01"), log / "second.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (98, {"future_event_time": 2})
    assert watched.file("second.parquet").rejected == {"future_event_time": 2}
    assert watched.metric("window_rejected_records", reason="future_event_time") == 2
    assert watched.told["nasty", "rows", "future_event_time"].startswith("2 rows")


def test_a_row_of_the_far_future_does_not_move_the_end_of_the_log(log, rows, watch):
    write(at(rows.others, "2999-12-31"), log / "second.parquet")
    watched = watch(log)
    first, last = ParquetSource(watched.model.policy, clock=SystemClock()).survey().span
    assert first < last < datetime(2005, 8, 1, tzinfo=UTC)


def test_a_file_of_the_far_future_alone_is_named(log, rows, watch):
    write(at(rows.others, *["2999-12-31"] * ROWS), log / "future.parquet")
    watched = watch(log)
    assert watched.rows == 50
    assert watched.reported == {"future.parquet": "future_event_time"}


class ClockAt:
    """A clock that stands still."""

    def __init__(self, instant):
        self.instant = instant

    def now(self):
        return self.instant


@pytest.mark.parametrize(
    ("skew", "profiled", "rejected"),
    [("1h", {"1": 26}, {"future_event_time": 24}), ("40d", {"1": 50}, {})],
)
def test_clocks_may_run_ahead_by_what_the_policy_tolerates(
    log, rows, watch, skew, profiled, rejected
):
    hours = [pd.Timestamp("2005-07-01", tz="UTC") + timedelta(hours=row) for row in range(ROWS)]
    write(rows.good.assign(event_time=hours), log / "good.parquet")
    watched = watch(log, source=f"  max_clock_skew: {skew}\n")
    model = watched.model
    source = ParquetSource(model.policy, clock=ClockAt(datetime(2005, 7, 2, tzinfo=UTC)))
    window = model.window(*watched.period)
    (ran,) = run_windows(model.policy, source, [window], model.outside, _Silent())
    assert ran.run.accounting.profiled == profiled
    assert ran.run.accounting.rejected == rejected
    assert ran.run.accounting.balances


class _Silent:
    def advance(self, rows):
        pass


def test_times_before_1970_are_times(log, rows, watch):
    write(at(rows.good, *["1952-07-01T12:00"] * ROWS), log / "good.parquet")
    watched = watch(log, period=("1952-07-01", "1952-08-01"))
    assert (watched.rows, watched.rejected) == (50, {})


def test_the_zero_of_other_calendars_is_no_time(log, rows, watch):
    # 0001-01-01 is what .NET and Go write for a time that was never set.
    write(at(rows.others, "0001-01-01", "0001-01-01"), log / "second.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (98, {"bad_event_time": 2})


def test_times_at_the_ends_of_sixty_four_bits_are_no_times(log, rows, watch):
    raw = [*[np.iinfo(np.int64).min + 1, np.iinfo(np.int64).max]] * 25
    times = pa.array(raw, pa.int64()).view(pa.timestamp("ms", "UTC"))
    write(with_column(table(rows.others), "event_time", times), log / "second.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (50, {"bad_event_time": 50})


def test_times_of_many_forms_in_one_column_of_text(log, rows, watch):
    forms = [
        "2005-07-01T10:00:00Z",
        "2005-07-01 10:00:00",
        "2005-07-01T10:00:00.123456789+02:00",
        "2005-07-01",
        "yesterday",
    ]
    write(rows.others.assign(event_time=forms * 10), log / "second.parquet")
    watched = watch(log)
    assert watched.rows == 90
    assert watched.rejected == {"bad_event_time": 10}


def test_rows_of_bad_times_are_told_with_their_files_and_what_would_be_right(log, rows, watch):
    for name, bad in (("few", 10), ("most", ROWS)):
        times = ["07/01/2005"] * bad + ["2005-07-01T10:00:00Z"] * (ROWS - bad)
        frame = renamed(rows.good, name).assign(event_time=times)
        write(frame, log / f"{name}.parquet")
    told = watch(log).told["nasty", "rows", "bad_event_time"]
    assert told == (
        "60 rows read and not profiled: most.parquet and others; "
        "event_time is read as a timestamp, a date, or ISO 8601"
    )


def test_an_hour_that_never_was_is_the_end_of_the_gap(log, rows, watch):
    gap = pd.Timestamp("2005-03-27 01:30:00")
    write(rows.good.assign(event_time=gap), log / "good.parquet")
    watched = watch(log, source="  timezone: Europe/London\n", period=("2005-03-01", "2005-04-01"))
    assert watched.rows == 50
    assert watched.run.last_event == datetime(2005, 3, 27, 1, 0, tzinfo=UTC)


def test_a_row_at_the_bound_of_two_windows_belongs_to_the_second(log, rows, watch):
    write(at(rows.others, "2005-08-01", "2005-07-31T23:59:59.999999"), log / "second.parquet")
    watched = watch(log, period=("2005-07-01", "2005-09-01"))
    july, august = watched.model.run(start="2005-07-01", end="2005-09-01")
    assert july.run.accounting.profiled == {"1": 99}
    assert august.run.accounting.profiled == {"1": 1}


def test_statistics_that_lie_about_times_lose_no_rows_of_the_file_they_name(log, rows, watch):
    # A footer without statistics: nothing is skipped.
    write(rows.others, log / "second.parquet", write_statistics=False)
    assert watch(log).rows == 100


def test_windows_without_rows_between_those_that_have_some_are_no_data(log, rows, watch):
    write(
        renamed(rows.good, "s").assign(event_time=pd.Timestamp("2005-09-02", tz="UTC")),
        log / "september.parquet",
    )
    watched = watch(log)
    months = watched.model.run(start="2005-07-01", end="2005-10-01")
    assert [ran.run.outcome for ran in months] == [
        Outcome.COMPLETED,
        Outcome.NO_DATA,
        Outcome.COMPLETED,
    ]


def test_windows_run_in_any_order_say_the_same(log, rows, watch):
    write(
        renamed(rows.good, "s").assign(event_time=pd.Timestamp("2005-09-02", tz="UTC")),
        log / "september.parquet",
    )
    watched = watch(log)
    september = watched.model.run(start="2005-09-01", end="2005-10-01")[0].run
    july = watched.run
    other = watch(log)
    assert other.run.identity == july.identity
    assert other.run.results == july.results
    again = other.model.run(start="2005-09-01", end="2005-10-01")[0].run
    assert (again.identity, again.results) == (september.identity, september.results)


def test_the_name_of_a_folder_says_nothing_about_time(log, rows, watch):
    write(rows.others, Path(log) / "date=1999-01-01" / "part.parquet")
    assert watch(log).rows == 100


def test_a_folder_in_place_of_the_event_time_is_told_as_one(log, rows, watch):
    timeless = rows.others.drop(columns="event_time")
    write(timeless, Path(log) / "event_time=2005-07-01" / "part.parquet")
    watched = watch(log)
    assert watched.rows == 50
    (named,) = watched.run.manifest.unreadable
    assert (named.reason, named.explanation.split(",")[0]) == (
        "no_event_time_column",
        "'event_time' is a key of its folder or partition",
    )
