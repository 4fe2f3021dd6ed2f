"""Every kind of reference, as a file declares it, against plain sums over the rows of a log."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import monitor
from monitor.domain.estimate import Absence, Estimate

pytestmark = pytest.mark.slow

ZONE = ZoneInfo("Europe/Amsterdam")
POLICY = """
model: credit
source: {path: log, event_time: at}
fields: {amount: numeric}
decision: {column: flag, positive: ["true"], positive_is: harmful}
schedule: {window: %s, timezone: Europe/Amsterdam}
segments: [region]
references:
%s
"""
OF_DAYS = """
  yesterday: previous
  last week: {kind: rolling, windows: 7, gap: 1}
  same weekday: {kind: season, season: weekday, windows: 3}
  same month: {kind: season, season: month, windows: 5}
  two weeks: {kind: rolling, windows: 14}
  north against the rest: {kind: segment, segment: region, slice: north}
"""
OF_HOURS = """
  the hour before: previous
  same hour: {kind: season, season: hour, windows: 4}
  same hour of the week: {kind: season, season: hour_of_week, windows: 2, at_least: 1}
"""


def log(folder, start, hours, rows):
    """Write and return rows, so many an hour, whose decisions wander from hour to hour."""
    rng = np.random.default_rng(7)
    every = rows * hours
    wander = np.repeat(rng.uniform(0.2, 0.8, hours), rows)
    at = start + pd.to_timedelta(np.arange(every) * 3600 / rows, unit="s")
    frame = pd.DataFrame(
        {
            "at": at.astype("datetime64[us, UTC]"),
            "amount": rng.normal(0, 1, every),
            "flag": rng.random(every) < wander,
            "region": rng.choice(["north", "south", "west"], every),
        }
    )
    (folder / "log").mkdir()
    pq.write_table(pa.Table.from_pandas(frame), folder / "log" / "all.parquet")
    return frame


def opened(folder, window, references):
    (folder / "credit.yaml").write_text(POLICY % (window, references.strip("\n")))
    return monitor.open_model(folder / "credit.yaml")


def held(run, measure="decision_rate", segment=""):
    """Return what the newest of some runs found of a measure, by reference."""
    (result,) = run.results
    return {
        item.subject.reference: item.result
        for item in result.readings
        if item.measure == measure and item.subject.segment == segment and not item.subject.field
    }


def test_days_are_held_against_the_local_days_that_a_file_names(tmp_path):
    """Over the night that clocks go forward, across the end of a month, and past the baseline."""
    frame = log(tmp_path, datetime(2026, 3, 1, tzinfo=UTC), 24 * 34, 12)
    model = opened(tmp_path, "day", OF_DAYS)
    model.register(start="2026-03-02", end="2026-03-25", why="March")
    ran = [item.run for item in model.run(start="2026-03-25", end="2026-04-03")]
    assert len(ran) == 9
    frame["day"] = frame["at"].dt.tz_convert(ZONE).dt.date

    def share(*days):
        inside = frame["day"].isin([datetime.fromisoformat(f"2026-{day}").date() for day in days])
        return frame["flag"][inside].mean()

    found = held(ran[-1])  # 2 April, a Thursday
    then = {name: item.then for name, item in found.items() if isinstance(item, Estimate)}
    march = [f"03-{day}" for day in range(25, 32)]
    assert then == pytest.approx(
        {
            "": share(*[f"03-{day:02}" for day in range(2, 25)]),
            "yesterday": share("04-01"),
            "last week": share(*march),
            "same weekday": share("03-26", "03-19", "03-12"),
            "two weeks": share(*[f"03-{day}" for day in range(19, 32)], "04-01"),
        },
        rel=1e-12,
    )
    assert found["same month"].reason is Absence.REFERENCE_UNAVAILABLE  # one day of three, or more
    last_of_march = held(ran[-3])["same month"]
    assert last_of_march.then == pytest.approx(share(*march[1:-1]), rel=1e-12)
    # The day that clocks go forward has 23 hours, and each of them is counted.
    short = next(run for run in ran if run.window.duration == timedelta(hours=23))
    assert short.results[0].rows == 23 * 12 == (frame["day"] == short.window.end.date()).sum()


def test_a_slice_is_held_against_the_rest_of_its_own_window(tmp_path):
    frame = log(tmp_path, datetime(2026, 3, 1, tzinfo=UTC), 24 * 34, 12)
    model = opened(tmp_path, "day", OF_DAYS)
    model.register(start="2026-03-02", end="2026-03-25", why="March")
    (ran,) = model.run(start="2026-03-29", end="2026-03-30")
    day = frame[frame["at"].dt.tz_convert(ZONE).dt.date == datetime(2026, 3, 29).date()]  # noqa: DTZ001
    (result,) = ran.run.results
    found = next(
        item.result
        for item in result.readings
        if item.measure == "decision_rate" and item.subject.reference == "north against the rest"
    )
    north = day["region"] == "north"
    assert (found.then, found.now) == pytest.approx(
        (day["flag"][~north].mean(), day["flag"][north].mean()), rel=1e-12
    )


def test_hours_are_held_against_the_same_local_hours_where_clocks_go_back(tmp_path):
    """On 25 October 2026 two hours of Amsterdam are called two o'clock."""
    frame = log(tmp_path, datetime(2026, 10, 17, 22, tzinfo=UTC), 24 * 9 + 1, 60)
    model = opened(tmp_path, "hour", OF_HOURS)
    model.register(start="2026-10-18", end="2026-10-25T02:00:00+02:00", why="a week")
    ran = model.run(start="2026-10-25T02:00:00+02:00", end="2026-10-25T04:00:00+01:00")
    assert len(ran) == 3
    hour = frame["at"].dt.floor("h")

    def share(*starts):
        return frame["flag"][hour.isin([pd.Timestamp(start) for start in starts])].mean()

    second = {name: item.then for name, item in held(ran[1].run).items()}  # 02:00 again, in UTC 01
    days = [f"2026-10-{day}T00:00Z" for day in (25, 24, 23, 22)]
    assert second["the hour before"] == pytest.approx(share("2026-10-25T00:00Z"), rel=1e-12)
    assert second["same hour"] == pytest.approx(share(*days), rel=1e-12)
    weeks = ["2026-10-25T00:00Z", "2026-10-18T00:00Z"]
    assert second["same hour of the week"] == pytest.approx(share(*weeks), rel=1e-12)
    third = {name: item.then for name, item in held(ran[2].run).items()}  # 03:00
    days = [f"2026-10-{day}T01:00Z" for day in (24, 23, 22, 21)]
    assert third["same hour"] == pytest.approx(share(*days), rel=1e-12)
