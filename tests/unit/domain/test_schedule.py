from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window

INSTANTS = st.datetimes(
    datetime(1905, 1, 1),  # noqa: DTZ001  # hypothesis wants naive bounds
    datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
LENGTHS = st.one_of(
    st.sampled_from(CalendarUnit),
    st.sampled_from([timedelta(minutes=15), timedelta(hours=6), timedelta(days=14)]),
)
ZONES = st.sampled_from(
    [
        *("UTC", "Europe/Zurich", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"),
        *("America/Santiago", "Asia/Beirut", "Australia/Lord_Howe"),
    ]
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@given(instant=INSTANTS, length=LENGTHS, zone=ZONES)
@settings(deadline=None, max_examples=200)
def test_every_instant_lies_in_its_window_and_windows_follow_without_gap(instant, length, zone):
    schedule = Schedule(length, zone)
    window = schedule.window_at(instant)
    assert window.contains(instant)
    following = schedule.window_at(window.end)
    assert following.start == window.end
    assert schedule.window_at(window.start) == window


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Zurich", utc(2026, 10, 25, 1)),  # an hour twice
        ("America/Santiago", utc(2026, 9, 6, 4)),  # a day that begins at one o'clock
        ("Asia/Beirut", utc(2026, 3, 28, 22)),
        ("America/Havana", utc(2026, 11, 1, 5)),  # midnight twice
        ("Australia/Lord_Howe", utc(2026, 4, 4, 15)),  # half an hour twice
        ("Australia/Lord_Howe", utc(2026, 10, 3, 15, 30)),  # half an hour that never was
        ("Asia/Pyongyang", utc(2018, 5, 4, 15)),
    ],
)
@pytest.mark.parametrize("length", [CalendarUnit.HOUR, CalendarUnit.DAY, CalendarUnit.WEEK])
def test_windows_follow_without_gap_where_clocks_change(zone, change, length):
    schedule = Schedule(length, zone)
    reach = 3 * schedule.interval
    window = schedule.window_at(change - reach)
    while window.end < change + reach:
        for into in (timedelta(0), window.duration / 2, window.duration - timedelta.resolution):
            assert schedule.window_at(window.start + into) == window
        following = schedule.window_at(window.end)
        assert following.start == window.end
        assert schedule.window_before(following) == window
        window = following


def test_clocks_that_change_by_half_an_hour_cut_an_hour_in_two():
    schedule = Schedule(CalendarUnit.HOUR, "Australia/Lord_Howe")
    windows = schedule.windows(utc(2026, 4, 4, 14), utc(2026, 4, 4, 16, 30))
    assert [window.start for window in windows] == [
        *(utc(2026, 4, 4, 14), utc(2026, 4, 4, 15), utc(2026, 4, 4, 15, 30)),
    ]


def test_days_that_change_clocks_have_23_and_25_hours():
    schedule = Schedule(CalendarUnit.DAY, "Europe/Zurich")
    zone = ZoneInfo("Europe/Zurich")
    spring = schedule.window_at(datetime(2026, 3, 29, 12, tzinfo=zone))
    autumn = schedule.window_at(datetime(2026, 10, 25, 12, tzinfo=zone))
    assert spring.duration == timedelta(hours=23)
    assert autumn.duration == timedelta(hours=25)


def test_the_repeated_hour_is_two_windows():
    schedule = Schedule(CalendarUnit.HOUR, "Europe/Zurich")
    day = Schedule(CalendarUnit.DAY, "Europe/Zurich").window_at(utc(2026, 10, 25, 12))
    assert len(list(schedule.windows(day.start, day.end))) == 25


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        (CalendarUnit.HOUR, utc(2024, 2, 29, 13), utc(2024, 2, 29, 14)),
        (CalendarUnit.DAY, utc(2024, 2, 29), utc(2024, 3, 1)),
        (CalendarUnit.WEEK, utc(2024, 2, 26), utc(2024, 3, 4)),
        (CalendarUnit.MONTH, utc(2024, 2, 1), utc(2024, 3, 1)),
        (CalendarUnit.QUARTER, utc(2024, 1, 1), utc(2024, 4, 1)),
        (CalendarUnit.YEAR, utc(2024, 1, 1), utc(2025, 1, 1)),
    ],
)
def test_calendar_units_cut_where_calendars_do(unit, start, end):
    assert Schedule(unit).window_at(utc(2024, 2, 29, 13, 30)) == Window(start, end)


def test_december_is_followed_by_january():
    assert Schedule(CalendarUnit.MONTH).window_at(utc(2005, 12, 31)).end == utc(2006, 1, 1)


def test_fixed_windows_are_counted_from_the_anchor():
    schedule = Schedule(timedelta(days=7), anchor=utc(2024, 1, 21))
    assert schedule.window_at(utc(2024, 1, 20)).start == utc(2024, 1, 14)


def test_only_windows_wholly_inside_a_span_are_listed():
    schedule = Schedule(CalendarUnit.MONTH)
    found = list(schedule.windows(utc(2005, 5, 2), utc(2005, 7, 31)))
    assert found == [Window(utc(2005, 6, 1), utc(2005, 7, 1))]


def test_lateness_holds_a_window_back_and_the_end_stops_the_schedule():
    schedule = Schedule(CalendarUnit.DAY, lateness=timedelta(hours=6), end=utc(2024, 1, 3))
    assert schedule.complete_until(utc(2024, 1, 2, 5)) == utc(2024, 1, 1, 23)
    assert schedule.complete_until(utc(2024, 6, 1)) == utc(2024, 1, 3)


def test_a_window_needs_zoned_bounds_in_order():
    with pytest.raises(ValueError, match="time zone"):
        Window(datetime(2024, 1, 1), utc(2024, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="ends after it starts"):
        Window(utc(2024, 1, 2), utc(2024, 1, 2))


@given(instant=INSTANTS, length=LENGTHS)
@settings(deadline=None)
def test_no_window_is_longer_than_the_interval_says(instant, length):
    schedule = Schedule(length, "Europe/Zurich")
    assert schedule.window_at(instant).duration <= schedule.interval
