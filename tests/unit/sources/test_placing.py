"""Rows are counted in the window of their instant, on days of any length, in any unit and zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from monitor.compute.local import LocalCompute
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.sources.parquet import ParquetSource

LONDON = ZoneInfo("Europe/London")


def counted(source, window, progress):
    scan = source.scan(window)
    grids = {"1": source.draft(source.scan(window), "1")}
    return LocalCompute().count(scan.tasks, source.counter(scan, grids), progress).accounting()


@pytest.mark.parametrize(("day", "hours"), [("2005-03-27", 23), ("2005-10-30", 25)])
def test_days_on_which_clocks_change_have_their_own_number_of_hours(
    policy, rows, write, progress, day, hours
):
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=LONDON)
    window = Schedule(CalendarUnit.DAY, "Europe/London").window_at(noon)
    assert window.duration == timedelta(hours=hours)
    write("log/a.parquet", rows(100, start=window.start - timedelta(hours=30)))
    source = ParquetSource(policy())
    assert counted(source, window, progress).read == hours
    around = Schedule(CalendarUnit.DAY, "Europe/London")
    before, after = around.window_at(window.start - timedelta(1)), around.window_at(window.end)
    total = sum(counted(source, each, progress).read for each in (before, window, after))
    assert total == 24 + hours + 24


def test_local_times_that_clocks_showed_twice_are_the_first_of_both(policy, rows, write, progress):
    local = [datetime(2005, 10, 30, 1, minute) for minute in range(60)]  # noqa: DTZ001
    write("log/a.parquet", rows(60, at=pa.array(local, pa.timestamp("us"))))
    source = ParquetSource(policy(source={"zone": "Europe/London"}))
    first, second = (
        Schedule(CalendarUnit.HOUR, "Europe/London").window_at(
            datetime(2005, 10, 30, hour, 30, tzinfo=UTC)
        )
        for hour in (0, 1)
    )
    assert counted(source, first, progress).read == 60
    assert not source.scan(second).tasks


FORMS = {
    "s": pa.timestamp("s", "UTC"),
    "ms": pa.timestamp("ms", "UTC"),
    "us": pa.timestamp("us", "UTC"),
    "ns": pa.timestamp("ns", "UTC"),
    "naive": pa.timestamp("us"),
    "offset": pa.timestamp("us", "+02:00"),
    "new_york": pa.timestamp("ms", "America/New_York"),
}


def test_the_same_instants_in_any_unit_and_zone_are_in_the_same_window(
    policy, rows, write, progress, june
):
    first = int(june.start.timestamp())
    seconds = pa.array([first - 1, first, first + 1], pa.timestamp("s", "UTC"))
    for name, kind in FORMS.items():
        at = seconds.cast(pa.timestamp(kind.unit, "UTC")).view(pa.int64()).view(kind)
        write(f"log/{name}.parquet", rows(3, at=at))
    write(
        "log/text.parquet", rows(3, at=[f"{moment.isoformat()}" for moment in seconds.to_pylist()])
    )
    accounting = counted(ParquetSource(policy()), june, progress)
    assert accounting.read == 2 * (len(FORMS) + 1)
    assert not accounting.rejected


def test_a_file_that_nothing_places_in_time_is_read_for_every_window_and_news_for_none(
    policy, rows, write, june, progress
):
    write("log/a.parquet", rows(5))
    source = ParquetSource(policy())
    before = source.scan(june)
    write("log/epochs.parquet", rows(4, at=[1, 2, 3, 4]))
    after = source.scan(june)
    assert after.listing == before.listing
    assert [task.path for task in after.tasks] == ["a.parquet", "epochs.parquet"]
    assert counted(source, june, progress).rejected == {"bad_event_time": 4}


def test_a_file_of_texts_is_placed_by_what_it_holds(policy, rows, write, june):
    write("log/june.parquet", rows(2, at=["2005-06-03T00:00Z", "2005-06-04T00:00Z"]))
    write("log/july.parquet", rows(2, at=["2005-07-03T00:00Z", "2005-07-04T00:00Z"]))
    source = ParquetSource(policy())
    assert [task.path for task in source.scan(june).tasks] == ["june.parquet"]
    july = Schedule(CalendarUnit.MONTH).window_at(june.end)
    listings = source.listings([june, july])
    assert listings[june] == source.scan(june).listing
    assert listings[july] == source.scan(july).listing != listings[june]
