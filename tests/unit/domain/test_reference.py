from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.reading import Reading, Subject
from monitor.domain.reference import (
    Composition,
    Reference,
    ReferenceKind,
    Season,
    held_identity,
)
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
DAYS = Schedule(CalendarUnit.DAY)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def starts(reference, at, schedule=DAYS, since=LONG_AGO):
    window = schedule.window_at(at)
    return [item.start for item in reference.windows_before(window, schedule, since)]


def season(of, windows, gap=0):
    return Reference("s", ReferenceKind.SEASON, windows, gap, 1, of)


def test_the_previous_window_is_the_one_that_ends_where_this_begins():
    assert starts(Reference("p", ReferenceKind.PREVIOUS), utc(2026, 3, 1)) == [utc(2026, 2, 28)]


def test_rolling_windows_lie_before_the_gap():
    reference = Reference("r", ReferenceKind.ROLLING, 3, gap=2)
    assert starts(reference, utc(2026, 3, 10)) == [utc(2026, 3, day) for day in (7, 6, 5)]


def test_a_weekday_s_season_is_the_same_weekday_of_the_weeks_before():
    found = starts(season(Season.WEEKDAY, 3), utc(2026, 3, 23))
    assert found == [utc(2026, 3, day) for day in (16, 9, 2)]


def test_a_gap_passes_over_windows_of_any_season():
    found = starts(season(Season.WEEKDAY, 1, gap=7), utc(2026, 3, 23))
    assert found == [utc(2026, 3, 9)]


def test_the_clock_of_the_season_is_the_schedule_s():
    hours = Schedule(CalendarUnit.HOUR, "America/New_York")
    # 9 o'clock in New York on either side of the night when clocks change.
    found = starts(season(Season.HOUR, 2), utc(2026, 3, 8, 13), hours)
    assert found == [utc(2026, 3, 7, 14), utc(2026, 3, 6, 14)]
    week = starts(season(Season.HOUR_OF_WEEK, 1), utc(2026, 3, 8, 13), hours)
    assert week == [utc(2026, 3, 1, 14)]


def test_an_hour_that_is_repeated_is_two_windows_of_its_season():
    hours = Schedule(CalendarUnit.HOUR, "America/New_York")
    found = starts(season(Season.HOUR, 2), utc(2026, 11, 2, 6), hours)  # 1 o'clock, the day after
    assert found == [utc(2026, 11, 1, 6), utc(2026, 11, 1, 5)]


def test_a_month_s_season_goes_on_in_the_year_before():
    found = starts(season(Season.MONTH, 4), utc(2026, 5, 3))
    assert found == [utc(2026, 5, 2), utc(2026, 5, 1), utc(2025, 5, 31), utc(2025, 5, 30)]


def test_windows_of_which_nothing_is_known_are_left_out():
    reference = Reference("r", ReferenceKind.ROLLING, 100)
    assert starts(reference, utc(2026, 3, 4), since=utc(2026, 3, 2)) == [
        utc(2026, 3, 3),
        utc(2026, 3, 2),
    ]


def test_a_period_that_is_no_window_is_held_against_windows_that_end_before_it():
    period = Window(utc(2026, 3, 10, 6), utc(2026, 3, 12, 6))
    reference = Reference("r", ReferenceKind.ROLLING, 2)
    found = list(islice(reference.windows_before(period, DAYS, LONG_AGO), 2))
    assert [item.end for item in found] == [utc(2026, 3, 10), utc(2026, 3, 9)]


@pytest.mark.parametrize(
    "schedule",
    [
        DAYS,
        Schedule(CalendarUnit.HOUR, "America/St_Johns"),
        Schedule(CalendarUnit.MONTH, "Europe/Amsterdam"),
        Schedule(timedelta(hours=7)),
    ],
)
def test_windows_before_one_another_are_the_schedule_s_backwards(schedule):
    window = schedule.window_at(utc(2026, 4, 7))
    for _ in range(60):
        before = schedule.window_before(window)
        assert before.end == window.start
        assert schedule.window_at(before.start) == before
        window = before


def fingerprint(**subject):
    reading = Reading("psi", Subject("m", "1", **subject), Estimate(0.1, 5))
    return Finding(reading, Limit(None, None), Verdict.OK, Reason.WITHIN, "").fingerprint


def test_each_reference_has_its_own_finding_and_the_baseline_s_keeps_its_name():
    assert fingerprint(field="x") == "3bb5fee9efe422db"
    assert len({fingerprint(field="x", reference=name) for name in ("", "a", "b")}) == 3


def test_each_factor_has_its_own_finding_and_the_marginal_one_keeps_its_name():
    assert fingerprint(population="sex", group="F") == "d5af3892d8f46ae7"
    assert (
        len(
            {
                fingerprint(population="sex", group="F", stratum=name)
                for name in ("", "dept", "tier")
            }
        )
        == 3
    )


def test_an_identity_names_what_references_were_made_of():
    day = DAYS.window_at(LONG_AGO)
    made = Composition("1", "previous", 1, ((day, "abc"),))
    other = Composition("1", "week", 7, ())
    assert held_identity("inputs", ()) == "inputs"
    found = {
        held_identity("inputs", of)
        for of in [
            (made,),
            (other,),
            (made, other),
            (Composition("1", "previous", 1, ((day, "abx"),)),),
            (Composition("1", "previous", 2, ((day, "abc"),)),),
            (Composition("2", "previous", 1, ((day, "abc"),)),),
        ]
    }
    assert len(found) == 6
    assert held_identity("inputs", (made, other)) == held_identity("inputs", (other, made))


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize("season", [None, *Season])
@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(CalendarUnit.HOUR, "America/New_York"),
        Schedule(CalendarUnit.DAY, "Europe/Amsterdam"),
        Schedule(timedelta(hours=7)),
    ],
)
def test_all_windows_at_once_are_each_window_s_own(schedule, season, gap):
    first = schedule.window_at(utc(2026, 3, 5))
    windows = list(schedule.windows(first.start, utc(2026, 4, 20)))
    reference = Reference("r", ReferenceKind.SEASON, 5, gap, 1, season)
    together = list(reference.all_before(windows, schedule.zone))
    for place in [0, 1, gap, gap + 1, *range(20, len(windows), 37), len(windows) - 1]:
        alone = reference.windows_before(windows[place], schedule, first.start)
        assert together[place] == tuple(alone)
