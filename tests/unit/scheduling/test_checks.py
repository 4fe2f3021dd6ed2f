import logging
import time
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

import pytest

from monitor.exposition.vitals import Vitals
from monitor.scheduling.checks import CheckSchedule

TICK = timedelta(seconds=0.1)


class RealClock:
    def now(self):
        return datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251  # the test's real clock


class Recorder:
    """A check that notes when it was called, and waits or raises where it is told to."""

    def __init__(self):
        self.calls = []
        self.waits = {}
        self.raises = {}
        self._lock = Lock()

    def __call__(self, model):
        with self._lock:
            self.calls.append(model)
        if model in self.waits:
            assert self.waits[model].wait(60)
        if model in self.raises:
            raise self.raises[model]


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.01)


@pytest.fixture
def start():
    """Return a function that starts a schedule, which is stopped in the end."""
    started = []

    def begin(check, every, **options):
        vitals = Vitals(every)
        schedule = CheckSchedule(check, every, vitals, RealClock(), heartbeat=TICK, **options)
        schedule.start()
        started.append(schedule)
        return schedule, vitals

    yield begin
    for schedule in started:
        if not schedule.stopping.is_set():
            assert schedule.stop(timedelta(seconds=60))


def test_every_model_is_checked_at_once_however_long_its_interval(start):
    check = Recorder()
    start(check, {"a": timedelta(days=1), "b": timedelta(days=1)})
    until(lambda: sorted(check.calls) == ["a", "b"])


@pytest.mark.slow
def test_checks_are_repeated_in_their_own_time(start):
    check = Recorder()
    start(check, {"often": TICK, "seldom": timedelta(days=1)})
    until(lambda: check.calls.count("often") >= 4)
    assert check.calls.count("seldom") == 1


def test_a_check_that_raises_is_counted_and_logged_and_stops_neither_others_nor_itself(
    start, caplog
):
    check = Recorder()
    check.raises["bad"] = RuntimeError("the store is gone")
    with caplog.at_level(logging.ERROR):
        _, vitals = start(check, {"bad": TICK, "good": TICK})
        until(lambda: check.calls.count("bad") >= 3 and check.calls.count("good") >= 3)
        until(lambda: vitals.checks["check_errors"]["bad"] >= 3)
    assert vitals.checks["check_errors"]["good"] == 0
    assert "the store is gone" in caplog.text


@pytest.mark.slow
def test_a_check_that_is_due_while_its_last_one_runs_is_passed_over_and_counted(start):
    check = Recorder()
    check.waits["slow"] = Event()
    _, vitals = start(check, {"slow": TICK, "other": TICK}, workers=2)
    until(lambda: vitals.checks["check_overlapping_runs"]["slow"] >= 3)
    assert check.calls.count("slow") == 1
    assert check.calls.count("other") >= 2
    check.waits["slow"].set()
    until(lambda: check.calls.count("slow") >= 2)


def test_a_long_check_does_not_hold_up_the_heartbeat(start):
    check = Recorder()
    check.waits["slow"] = Event()
    _, vitals = start(check, {"slow": TICK})
    until(lambda: vitals.heartbeat is not None)
    first = vitals.heartbeat
    until(lambda: vitals.heartbeat > first)
    check.waits["slow"].set()


@pytest.mark.slow
def test_times_that_pass_while_the_process_is_suspended_are_one_check_and_counted_missed(start):
    check = Recorder()
    schedule, vitals = start(check, {"a": TICK})
    until(lambda: len(check.calls) >= 2)
    schedule._scheduler.pause()
    time.sleep(0.8)
    before, check.waits["a"] = len(check.calls), Event()  # the next one is not followed by another
    schedule._scheduler.resume()
    until(lambda: vitals.checks["check_missed_runs"]["a"] >= 4)
    until(lambda: len(check.calls) > before)
    assert len(check.calls) == before + 1
    check.waits["a"].set()


@pytest.mark.slow
def test_stopping_waits_for_the_check_that_runs_and_begins_no_other(start):
    check = Recorder()
    check.waits["a"] = Event()
    schedule, _ = start(check, {"a": TICK, "b": TICK})
    until(lambda: check.calls == ["a"])
    assert not schedule.stop(timedelta(seconds=0.2))
    assert schedule.stopping.is_set()
    check.waits["a"].set()
    time.sleep(0.3)
    assert check.calls == ["a"]


def test_stopping_in_time_says_so(start):
    check = Recorder()
    schedule, _ = start(check, {"a": timedelta(days=1)})
    until(lambda: check.calls == ["a"])
    assert schedule.stop(timedelta(seconds=60))


@pytest.mark.slow
def test_exchanged_models_are_checked_at_once_and_those_that_are_gone_no_more(start):
    check = Recorder()
    day = timedelta(days=1)
    schedule, _ = start(check, {"gone": TICK, "same": day, "changed": day})
    until(lambda: {"gone", "same", "changed"} <= set(check.calls))
    schedule.exchange({"same": day, "changed": day, "new": day}, ["changed", "new"])
    until(lambda: check.calls.count("changed") == 2 and check.calls.count("new") == 1)
    gone = check.calls.count("gone")
    time.sleep(0.3)
    assert check.calls.count("gone") <= gone + 1  # one may have been waiting
    assert check.calls.count("same") == 1


def test_another_interval_holds_from_the_exchange_on(start):
    check = Recorder()
    schedule, vitals = start(check, {"a": timedelta(days=1)})
    until(lambda: check.calls == ["a"])
    schedule.exchange({"a": timedelta(seconds=2)}, [])  # too long for a busy machine to miss
    until(lambda: len(check.calls) >= 2)
    assert vitals.checks["check_missed_runs"]["a"] == 0


@pytest.mark.slow
def test_a_check_under_way_is_not_disturbed_by_an_exchange_nor_counted_as_overlapping(start):
    check = Recorder()
    check.waits["a"] = Event()
    day = timedelta(days=1)
    schedule, vitals = start(check, {"a": day}, workers=2)
    until(lambda: check.calls == ["a"])
    schedule.exchange({"a": day}, ["a"])
    time.sleep(0.3)
    assert check.calls == ["a"]
    assert vitals.checks["check_overlapping_runs"]["a"] == 0
    check.waits["a"].set()


@pytest.mark.slow
def test_nothing_is_exchanged_once_it_stops(start):
    check = Recorder()
    schedule, _ = start(check, {"a": timedelta(days=1)})
    until(lambda: check.calls == ["a"])
    assert schedule.stop(timedelta(seconds=60))
    schedule.exchange({"b": TICK}, ["b"])
    time.sleep(0.3)
    assert check.calls == ["a"]


def test_a_model_with_much_to_do_lets_another_go_first_between_two_windows(start):
    begun, calls = Event(), []

    def check(model):
        calls.append(model)
        if model == "year":
            assert begun.wait(60)
            until(lambda: schedule.pass_on() or "today" in calls)

    schedule, _ = start(check, {"year": timedelta(days=1), "today": timedelta(days=1)}, workers=1)
    begun.set()
    until(lambda: "today" in calls)


def test_a_model_that_waits_for_its_turn_is_not_begun_once_it_stops(start):
    check, release = Recorder(), Event()
    check.waits["first"] = release
    every = {"first": timedelta(days=1), "second": timedelta(days=1)}
    schedule, _ = start(check, every, workers=1)
    until(lambda: check.calls == ["first"])
    assert not schedule.stop(timedelta(0))
    release.set()
    until(lambda: not schedule._running)
    assert check.calls == ["first"]
