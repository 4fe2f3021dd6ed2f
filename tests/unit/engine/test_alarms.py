"""Alarms rest on what is stored, in the order of the windows, not on when it was run."""

from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.alarm import AlarmRule, AlarmState
from monitor.domain.disparity import STRETCH_DAYS, STRETCH_WINDOWS
from monitor.domain.field import Population
from monitor.domain.finding import Verdict
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.alarms import LOOKED_BACK, alarms_since
from monitor.store.sql import SqlStore
from tests.stored import DAY, FIRST, a_baseline, a_policy, a_run, a_window, an_empty_run

VERDICTS = {"o": Verdict.OK, "w": Verdict.WARNING, "c": Verdict.CRITICAL, "u": Verdict.UNKNOWN}
RULE = AlarmRule(2, 3, 12.0)
POLICY = replace(a_policy(), alarms=RULE)


def a_day(day, letter, e_value=1.0):
    run = a_run(day, versions=("1",))
    (result,) = run.results
    psi = result.findings[1]
    result = replace(result, findings=(replace(psi, verdict=VERDICTS[letter]),))
    return replace(run, results=(result,), e_value=e_value)


FINGERPRINT = a_day(0, "o").results[0].findings[0].fingerprint


@pytest.fixture
def store():
    opened = SqlStore("sqlite://")
    opened.register(a_baseline("1"))
    yield opened
    opened.close()


def filled(store, days):
    for run in days:
        store.commit(run, a_policy())
    return alarms_since(POLICY, store, FIRST)


def states(alarms):
    return "".join(alarm[FINGERPRINT].state.value[0] for alarm in alarms.found.values())


def test_an_alarm_is_what_the_windows_up_to_it_amount_to(store):
    letters = "owowwuoocw"
    alarms = filled(store, [a_day(day, letter) for day, letter in enumerate(letters)])
    assert list(alarms.found) == [a_window(day) for day in range(len(letters))]
    assert states(alarms) == "npnwwwwncw"


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.text("owcu", min_size=2, max_size=7), st.randoms(use_true_random=False))
def test_a_backfill_in_any_order_comes_to_the_same(letters, chance):
    days = [a_day(day, letter, 2.0**day) for day, letter in enumerate(letters)]
    mixed = list(days)
    chance.shuffle(mixed)
    found = []
    for order in (days, mixed):
        store = SqlStore("sqlite://")
        store.register(a_baseline("1"))
        found.append(filled(store, order))
        store.close()
    assert found[0] == found[1]


@pytest.mark.slow
def test_every_order_of_three_windows_comes_to_the_same():
    days = [a_day(0, "w"), a_day(1, "u"), a_day(2, "w")]
    for order in permutations(days):
        store = SqlStore("sqlite://")
        store.register(a_baseline("1"))
        assert states(filled(store, order)) == "puw".replace("u", "p")
        store.close()


def test_a_revision_of_a_past_window_changes_what_follows_it(store):
    filled(store, [a_day(0, "w"), a_day(1, "w")])
    assert states(alarms_since(POLICY, store, FIRST)) == "pw"
    store.commit(replace(a_day(0, "o"), identity="late"), a_policy())
    assert states(alarms_since(POLICY, store, FIRST)) == "np"


def test_windows_before_the_first_one_asked_for_count_and_are_not_returned(store):
    alarms = filled(store, [a_day(0, "w"), a_day(1, "w")])
    assert len(alarms.found) == 2
    last = alarms_since(POLICY, store, FIRST + DAY)
    assert list(last.found) == [a_window(1)]
    assert last.found[a_window(1)] == alarms.found[a_window(1)]


@pytest.mark.slow
def test_what_was_judged_too_long_ago_is_no_past(store):
    days = [a_day(0, "w"), *(a_day(day, "u") for day in range(1, LOOKED_BACK + 4))]
    filled(store, days)
    end = days[-1].window
    assert alarms_since(POLICY, store, end.start).found[end][FINGERPRINT].state is (
        AlarmState.UNKNOWN
    )


def test_windows_of_a_former_schedule_are_left_out(store):
    week = Window(FIRST - 7 * DAY, FIRST)
    store.commit(replace(a_day(0, "w"), window=week, identity="week"), a_policy())
    alarms = filled(store, [a_day(0, "w")])
    assert states(alarms) == "p"
    assert week not in alarms.detections


def test_the_detector_gathers_over_all_windows_and_its_threshold_is_the_promise(store):
    alarms = filled(store, [a_day(day, "o", 5.0) for day in range(4)])
    gathered = [alarms.detections[a_window(day)] for day in range(4)]
    assert [item.statistic for item in gathered] == [5.0, 30.0, 155.0, 5.0]
    assert gathered[0].threshold == pytest.approx(365.2425 / 12)
    assert [item.firing for item in gathered] == [False, False, True, False]


def test_without_a_promise_there_is_no_detector(store):
    filled(store, [a_day(0, "o")])
    assert alarms_since(a_policy(), store, FIRST).detections == {}


@pytest.mark.parametrize(
    ("unit", "expected"), [("hour", 8765.82), ("day", 365.2425), ("month", 12)]
)
def test_a_year_has_as_many_windows_as_it_has(unit, expected):
    assert Schedule(CalendarUnit(unit)).windows_per_year == pytest.approx(expected)
    assert Schedule(DAY / 2).windows_per_year == pytest.approx(730.485)


def test_a_window_without_data_clears_no_alarm(store):
    alarms = filled(store, [a_day(0, "w"), a_day(1, "w"), an_empty_run(2), an_empty_run(3)])
    assert states(alarms) == "pwww"
    after = filled(store, [a_day(4, "o"), a_day(5, "o")])
    assert states(after) == "pwwwwn"


def test_a_field_that_is_no_longer_watched_has_no_alarm(store):
    gone = replace(a_day(2, "o"), results=(replace(a_day(2, "o").results[0], findings=()),))
    alarms = filled(store, [a_day(0, "w"), a_day(1, "w"), gone])
    assert FINGERPRINT not in alarms.found[a_window(2)]


def of_groups(day, letter, days=None):
    """Return a day with a finding on a disparity, on the rows of so many days."""
    run = a_run(day, versions=("1",))
    (result,) = run.results
    ratio = result.findings[2]
    detail = {} if days is None else {STRETCH_WINDOWS: float(days), STRETCH_DAYS: float(days)}
    estimate = replace(ratio.reading.result, detail=detail)
    reading = replace(ratio.reading, result=estimate)
    finding = replace(ratio, reading=reading, verdict=VERDICTS[letter])
    readings = [item for item in result.readings if item != ratio.reading]
    found = replace(result, readings=(*readings, reading), findings=(finding,))
    return replace(run, results=(found,))


RATIO = of_groups(0, "o").results[0].findings[0].fingerprint


def alarm_states(store, days):
    for run in days:
        store.commit(run, a_policy())
    policy = replace(POLICY, alarms=AlarmRule(1, 1), populations=(Population(("sex",)),))
    found = alarms_since(policy, store, FIRST).found.values()
    return "".join(item[RATIO].state.value[0] for item in found)


def test_disparities_have_a_rule_of_their_own(store):
    days = [of_groups(day, letter) for day, letter in enumerate("wowwuwo")]
    assert alarm_states(store, days) == "pnpwwwn"


def test_days_that_share_rows_count_once(store):
    days = [of_groups(day, "w", days=3) for day in range(6)]
    assert alarm_states(store, days) == "pppwww"


def test_a_stretch_longer_than_what_is_usually_looked_back_at_still_counts(store):
    days = [of_groups(day, "w", days=27) for day in (0, 27, 54)]
    assert alarm_states(store, days[:2]) == "pw"
    policy = replace(POLICY, populations=(Population(("sex",)),))
    store.commit(days[2], a_policy())
    last = alarms_since(policy, store, days[2].window.start)
    assert last.found[days[2].window][RATIO].state is AlarmState.WARNING
