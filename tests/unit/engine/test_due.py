from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from monitor.domain.errors import BaselineError
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.run import Outcome
from monitor.domain.schedule import CalendarUnit, Schedule, Watermark
from monitor.domain.window import Window
from monitor.engine.due import due_windows
from monitor.engine.ports import RunHead


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@dataclass
class Registered:
    window: Window


APRIL_MAY = {"1": Registered(Window(utc(2005, 4, 1), utc(2005, 6, 1)))}
NOW = utc(2005, 8, 15)
JUNE = Window(utc(2005, 6, 1), utc(2005, 7, 1))
JULY = Window(utc(2005, 7, 1), utc(2005, 8, 1))


def policy(**schedule):
    return Policy(
        model="m",
        source=SourceSpec("log", "t"),
        fields=(),
        decision=None,
        label=None,
        attributes={},
        populations=(),
        schedule=Schedule(CalendarUnit.MONTH, **schedule),
        limits={},
        band=Band(),
    )


def due(heads=None, event=None, now=NOW, baselines=APRIL_MAY, committed=None, **schedule):
    watermark = Watermark(event, committed)
    return due_windows(policy(**schedule), baselines, heads or {}, watermark, now)


def test_windows_begin_where_the_baseline_ends_and_stop_at_the_present():
    assert due() == (JUNE, JULY)


def test_a_window_with_a_result_is_not_due_again():
    heads = {JUNE: RunHead(JUNE, "id", 1, Outcome.COMPLETED)}
    assert due(heads) == (JULY,)


def test_patience_holds_a_window_back_while_the_log_has_not_reached_its_end():
    waiting = {"now": utc(2005, 8, 2), "patience": timedelta(days=3)}
    assert due(**waiting) == (JUNE,)
    assert due(event=utc(2005, 7, 31, 23), **waiting) == (JUNE,)
    assert due(event=utc(2005, 8, 1), **waiting) == (JUNE, JULY)


def test_a_table_is_complete_up_to_its_last_commit_whatever_events_are_in_it():
    waiting = {"now": utc(2005, 8, 2), "patience": timedelta(days=3)}
    early = {"event": utc(2005, 8, 1, 5), "committed": utc(2005, 7, 31, 23)}
    assert due(**early, **waiting) == (JUNE,)
    assert due(event=utc(2005, 7, 30), committed=utc(2005, 8, 1), **waiting) == (JUNE, JULY)


def test_a_commit_says_nothing_of_rows_that_may_still_be_late():
    waiting = {
        "now": utc(2005, 8, 2),
        "patience": timedelta(days=3),
        "lateness": timedelta(hours=6),
    }
    assert due(committed=utc(2005, 8, 1, 5), **waiting) == (JUNE,)
    assert due(committed=utc(2005, 8, 1, 6), **waiting) == (JUNE, JULY)


def test_without_patience_only_the_clock_counts():
    assert due(now=utc(2005, 8, 2), committed=utc(2005, 7, 1)) == (JUNE, JULY)


def test_patience_ends_however_silent_the_log_is():
    assert due(now=utc(2005, 8, 4), patience=timedelta(days=3)) == (JUNE, JULY)
    assert due(event=utc(2005, 6, 2), now=utc(2005, 8, 4), patience=timedelta(days=3)) == (
        JUNE,
        JULY,
    )


def test_lateness_holds_the_newest_window_back():
    assert due(now=utc(2005, 8, 1, 12), lateness=timedelta(days=1)) == (JUNE,)


def test_the_schedule_may_start_later_and_end_earlier():
    assert due(start=utc(2005, 7, 1)) == (JULY,)
    assert due(end=utc(2005, 7, 1)) == (JUNE,)


def test_without_a_baseline_nothing_can_be_judged_and_it_says_what_to_do():
    with pytest.raises(BaselineError, match="baseline register m"):
        due(baselines={})
