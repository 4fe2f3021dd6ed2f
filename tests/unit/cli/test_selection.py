"""Instants that people type: in the schedule's zone unless they say their offset."""

from datetime import UTC, datetime

import click
import pytest
from msgspec.structs import replace

from monitor.cli.selection import instant
from monitor.domain.schedule import Schedule
from tests.stored import a_policy


def of(text, zone="Europe/Berlin"):
    return instant(
        replace(a_policy(), schedule=replace(a_policy().schedule, zone=zone)), "--at", text
    )


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("2025-10-26T01:59", 23, 59),
        ("2025-10-26T02:30+02:00", 0, 30),
        ("2025-10-26T02:30+01:00", 1, 30),
        ("2025-10-26T03:00", 2, 0),
        ("2025-03-30T03:00", 1, 0),
    ],
)
def test_a_local_time_is_one_instant_around_the_change_of_the_clocks(text, hour, minute):
    found = of(text)
    assert found.tzinfo is UTC
    assert (found.hour, found.minute) == (hour, minute)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2025-10-26T02:30", "was twice in Europe/Berlin"),
        ("2025-10-26T02:00", "was twice in Europe/Berlin"),
        ("2025-03-30T02:30", "was never in Europe/Berlin"),
    ],
)
def test_a_local_time_that_was_twice_or_never_is_asked_for_with_its_offset(text, told):
    with pytest.raises(click.UsageError, match=told) as raised:
        of(text)
    assert f"{text}+02:00" in raised.value.message
    assert f"{text}+01:00" in raised.value.message


def test_a_day_begins_where_its_window_does_though_it_has_no_midnight():
    zone = "America/Sao_Paulo"  # on this day the clocks went from 0:00 to 1:00
    begins = of("2018-11-04", zone)
    schedule = replace(a_policy().schedule, zone=zone)
    assert isinstance(schedule, Schedule)
    assert begins == schedule.window_at(datetime(2018, 11, 4, 12, tzinfo=UTC)).start
