from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.errors import ConfigError, Problem, PrunedError
from monitor.domain.governance import RiskLimit, Rung
from monitor.domain.policy import LabelTable
from monitor.domain.reference import Reference, ReferenceKind, Season
from monitor.domain.schedule import CalendarUnit, Schedule, Watermark
from monitor.engine.alarms import alarms_since
from monitor.engine.by_window import past_windows, pruned, results, snapshots
from monitor.engine.due import due_windows
from monitor.engine.governing import decide
from monitor.engine.lookback import Lookback
from monitor.engine.period import period_of
from monitor.engine.retention import carried_out, plan
from monitor.engine.why import about, latest_of
from monitor.governance.acts import submit, vote
from monitor.governance.authorisation import Action
from monitor.store.sql import SqlStore
from tests.ledgers import GOVERNANCE, POLICY, who
from tests.lives import NO_ROWS, PSI, policy_of, told
from tests.stored import DAY, FIRST, a_baseline, a_policy, a_window

NOW = FIRST + 200 * DAY
LIVED = 100
"""Days with a result. Their windows are open for a week, and alarms look back at thirty."""

HORIZON = LIVED - 1 - 7 - 30 - 1 - 1
"""Days that may go: a window of a day may have 25 hours, and the day is cut at midnight."""

KNOWN = HORIZON + 32
"""The first day whose alarms rest on no day that went."""


def lived(*says, policy="policy-1"):
    store = SqlStore("sqlite://")
    store.register(a_baseline("1"))
    for day in range(LIVED):
        run = told(day, says[day] if day < len(says) else "oo", policy=policy)
        store.commit(run, policy_of(run))
    return store


@pytest.fixture(scope="module")
def store():
    return lived()


def planned(store, policy=None, before=NOW, policy_of_text=lambda _: a_policy(), **parts):
    return plan(
        replace(policy or a_policy(), **parts), before, "asked", store, NOW, policy_of_text, "ada"
    )


@pytest.mark.slow
def test_what_is_asked_for_goes_when_nothing_is_in_the_way(store):
    made = planned(store, before=FIRST + timedelta(days=9.5))
    assert made.pruning.before == FIRST + 9 * DAY
    assert made.bounds[0].why == "asked"
    assert (made.pruning.at, made.pruning.by, made.pruning.keep) == (NOW, "ada", frozenset())


def test_what_late_files_may_change_and_what_alarms_rest_on_stays(store):
    made = planned(store)
    assert made.pruning.before == FIRST + HORIZON * DAY
    assert "2005-09-08" in made.bounds[0].why


def test_what_awaits_labels_stays(store):
    labels = LabelTable("labels", "id", wait=timedelta(days=20))
    made = planned(store, source=replace(a_policy().source, labels=labels))
    assert made.pruning.before == FIRST + (HORIZON - 13) * DAY


@pytest.mark.slow
def test_a_log_that_has_ended_does_not_grow_old():
    store = lived()
    for day in range(LIVED, LIVED + 60):
        run = told(day, NO_ROWS)
        store.commit(run, policy_of(run))
    assert planned(store).pruning.before == FIRST + HORIZON * DAY


@pytest.mark.slow
def test_what_an_open_alert_rests_on_stays():
    made = planned(lived(*["oo"] * 30, *["co"] * (LIVED - 30)))
    assert made.pruning.before == FIRST + 30 * DAY
    assert f"the alert {PSI} is firing, since" in made.bounds[0].why


LIMITS = (RiskLimit("drift", Rung.HOLD, frozenset({"psi"})),)
GOVERNED = replace(POLICY, governance=replace(GOVERNANCE, limits=LIMITS, review=None))


@pytest.mark.slow
def test_what_an_open_case_is_about_stays_though_its_alert_is_over():
    store = SqlStore("sqlite://")
    store.register(a_baseline("1"))
    for by, action, act in (
        ("olga", Action.SUBMIT, lambda *to: submit(*to, "1", {"model": "sha"}, "ready")),
        ("vera", Action.APPROVE_VERSION, lambda *to: vote(*to, 1, "seen", granted=True)),
        ("head", Action.APPROVE_VERSION, lambda *to: vote(*to, 1, "", granted=True)),
    ):
        decide(GOVERNED, store, who(by), action, act, FIRST)
    for day in range(LIVED):
        run = told(day, "co" if day == 40 else "oo", policy=GOVERNED.digest)
        store.commit(run, GOVERNED)
    (alert,) = store.alerts("credit")
    assert not alert.open
    made = planned(store, GOVERNED)
    assert made.pruning.before == a_window(40).start
    assert f"the alert {PSI} is of an open case, since" in made.bounds[0].why


def test_nothing_goes_of_a_model_that_never_had_rows():
    store = SqlStore("sqlite://")
    assert planned(store).pruning is None
    run = told(0, NO_ROWS)
    store.commit(run, policy_of(run))
    made = planned(store)
    assert (made.pruning, made.bounds[0].why) == (None, "no window had any rows yet")


def test_profiles_stay_that_references_of_this_policy_or_of_a_stored_one_are_made_of(store):
    mondays = Reference("m", ReferenceKind.SEASON, 2, season=Season.WEEKDAY)
    week = Reference("w", ReferenceKind.ROLLING, 5, gap=1)
    now = planned(store, replace(a_policy(), references=(week,)))
    assert now.pruning.keep == {a_window(HORIZON - back) for back in range(1, 7)}
    other = a_policy("policy-2")
    then = planned(
        store, other, policy_of_text=lambda _: replace(a_policy(), references=(mondays,))
    )
    assert then.pruning.keep == {a_window(HORIZON - back) for back in range(1, 15)}


def test_a_stored_policy_that_cannot_be_read_asks_for_nothing(store):
    def unreadable(_):
        raise ConfigError((Problem("f", 1, 1, "", "of former times"),))

    assert (
        planned(store, a_policy("policy-2"), policy_of_text=unreadable).pruning.keep == frozenset()
    )


@pytest.mark.slow
def test_it_stops_when_it_is_told_to():
    store = lived()
    made = planned(store)
    asked = iter([True, True, False])
    done = carried_out(store, made.pruning, lambda: next(asked))
    assert done.windows == 24
    assert carried_out(store, made.pruning, lambda: True).windows == HORIZON - 24


@pytest.fixture(scope="module")
def small():
    store = lived(*["oo"] * 5, *["cc"] * 5)
    carried_out(store, planned(store).pruning, lambda: True)
    return store


@pytest.mark.slow
def test_no_alarm_is_told_of_windows_whose_past_is_gone(small):
    found = alarms_since(a_policy(), small, FIRST).found
    assert min(found) == a_window(KNOWN)
    assert max(found) == a_window(LIVED - 1)


def test_a_history_leaves_pruned_windows_out_and_says_so(small):
    past = past_windows(a_policy(), small, None)
    assert [head.window for head in past.heads] == [a_window(n) for n in range(KNOWN, LIVED)]
    assert past.before.window == a_window(KNOWN - 1)
    assert past.pruned == tuple(a_window(day) for day in range(KNOWN))
    assert len(list(snapshots(past, small))) == LIVED - KNOWN
    shown = [item.run.window for item in results("credit", small, None)]
    assert shown == [a_window(day) for day in range(HORIZON, LIVED)]
    assert len(pruned("credit", small, None)) == HORIZON


def test_a_period_of_which_a_part_is_gone_is_refused(small):
    span = a_window(HORIZON - 3, 10)
    with pytest.raises(PrunedError, match=r"for 3 of the 10 windows .* kept from 2005-07-31 00:00"):
        period_of(small, "credit", span, lambda _: a_policy())


@pytest.mark.slow
def test_of_a_finding_that_is_gone_its_alert_tells():
    store = lived("co", *["oo"] * 9, *["-o"] * LIVED)
    assert carried_out(store, planned(store).pruning, lambda: True).windows == HORIZON
    with pytest.raises(PrunedError, match=f"psi of limit_bal.*modelmon alerts show {PSI}"):
        latest_of(store, PSI)
    assert about(store, PSI)[1].field == "limit_bal"
    with pytest.raises(LookupError):
        about(store, "0" * 16)


def test_no_window_is_due_where_results_were_pruned():
    baselines = {"1": a_baseline("1")}
    found = due_windows(a_policy(), baselines, {}, Watermark(), FIRST + 9 * DAY, FIRST + 5 * DAY)
    assert found == tuple(a_window(day) for day in range(5, 9))


class Listed:
    """A log in which every window's files have changed."""

    def listings(self, windows, _):
        self.asked = windows
        return {}

    def unlabelled(self, *_):
        return {}


def test_pruned_windows_are_not_looked_at_again(small):
    source = Listed()
    with pytest.raises(KeyError):  # of the first window that it was asked for
        list(Lookback().again(a_policy(), source, small, NOW, None, ()))
    assert source.asked == [a_window(day) for day in range(HORIZON, LIVED)]


SCHEDULES = (
    Schedule(timedelta(hours=6)),
    Schedule(CalendarUnit.DAY, "Europe/Berlin"),
    Schedule(CalendarUnit.HOUR, "Asia/Kathmandu"),
)


@pytest.mark.slow
@given(
    schedule=st.sampled_from(SCHEDULES),
    kind=st.sampled_from(ReferenceKind),
    season=st.sampled_from([item for item in Season if item is not Season.MONTH]),
    windows=st.integers(1, 6),
    gap=st.integers(0, 9),
    before=st.integers(1, 60),
)
def test_what_is_still_asked_for_is_what_later_windows_ask_for(
    schedule, kind, season, windows, gap, before
):
    """Every window after an instant is asked, one by one."""
    of_season = season if kind is ReferenceKind.SEASON else None
    reference = Reference("r", kind, windows, gap, season=of_season)
    every = list(
        schedule.windows(datetime(2024, 3, 20, tzinfo=UTC), datetime(2024, 6, 28, tzinfo=UTC))
    )
    earlier = every[:before]
    asked = {
        window
        for later in every[before : before + gap + windows * 168]
        for window in reference.windows_before(later, schedule, every[0].start)
    }
    kept = reference.still_asked(earlier, schedule.zone)
    assert asked & {*earlier} <= kept
    assert len(kept - asked) <= (gap if of_season else 0)
