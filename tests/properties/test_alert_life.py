"""The life of alerts: windows in any order, late revisions, restarts, mutes."""

import atexit
import shutil
import tempfile
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from monitor.domain.alarm import AlarmRule
from monitor.domain.alert import AlertState, Condition, Mute
from monitor.domain.field import Population
from monitor.engine.alarms import alarms_since
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from tests.lives import NO_ROWS, NO_VERSION, PSI, RATIO, known, policy_of, told
from tests.stored import DAY, FIRST, a_baseline, a_policy, a_window

LETTERS = st.text("owcu-", min_size=2, max_size=2)
SAID = LETTERS | st.sampled_from([NO_ROWS, NO_VERSION])
RULES = st.builds(AlarmRule, needed=st.just(2), of=st.integers(2, 4), keep=st.integers(1, 3))


def opened(path="sqlite://"):
    store = SqlStore(path)
    store.register(a_baseline("1"))
    return store


def alerts_of(store):
    return {name: [known(item) for item in store.episodes("credit", name)] for name in (PSI, RATIO)}


def lived(runs, **parts):
    """Return the alerts after runs in their order, without what became known when."""
    store = opened()
    for run in runs:
        store.commit(run, policy_of(run, **parts))
    found = alerts_of(store)
    store.close()
    return found


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(SAID, st.integers(1, 4)), max_size=8), RULES, st.data())
def test_any_order_of_windows_and_revisions_comes_to_the_same(says, rule_, data):
    parts = {"alarms": rule_, "populations": (Population(("sex",)),)}
    last = [told(day, said, days=days) for day, (said, days) in enumerate(says)]
    redone = data.draw(st.lists(st.sampled_from(range(len(says))), unique=True)) if says else []
    first = [told(day, data.draw(SAID), number=1) for day in redone]
    mixed = data.draw(st.permutations([*first, *last]))
    for run in first:  # whatever the order, the last word on a window is the same
        final = last[(run.window.start - FIRST) // DAY]
        if mixed.index(run) > mixed.index(final):
            mixed[mixed.index(run)], mixed[mixed.index(final)] = final, run
    assert lived(mixed, **parts) == lived(last, **parts)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("owcu", min_size=2, max_size=2), min_size=1, max_size=9), RULES)
def test_an_alert_fires_as_of_a_window_exactly_when_its_alarm_does(says, rule_):
    store = opened()
    of_disparities = replace(a_policy().disparity, persistence=replace(rule_, of=2))
    parts = {"alarms": rule_, "disparity": of_disparities}
    for day, letters in enumerate(says):
        run = told(day, letters)
        policy = policy_of(run, **parts)
        store.commit(run, policy)
        alarms = alarms_since(policy, store, run.window.start).found[run.window]
        alerts = {item.fingerprint: item for item in store.alerts("credit")}
        for name in (PSI, RATIO):
            firing = name in alerts and alerts[name].firing
            assert firing == alarms[name].firing
            if firing:
                assert alerts[name].severity.value == alarms[name].state.value
    store.close()


@cache
def template():
    folder = tempfile.TemporaryDirectory(prefix="modelmon-life-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "modelmon.db"
    upgrade(f"sqlite:///{path}")
    opened(f"sqlite:///{path}").close()
    return path


class Life(RuleBasedStateMachine):
    """Windows, revisions of earlier ones, restarts and mutes, as a daemon meets them."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory(prefix="modelmon-life-")
        path = Path(self.folder.name) / "modelmon.db"
        shutil.copy(template(), path)
        self.url = f"sqlite:///{path}"
        self.store = SqlStore(self.url)
        self.runs = {}
        self.steps = 0
        self.muted = {}

    def commit(self, day, said, days):
        self.steps += 1
        run = told(day, said, days=days, at=self.steps, number=self.steps)
        self.store.commit(run, policy_of(run))
        self.runs[day] = run

    def now(self):
        return {item.fingerprint: item for item in self.store.alerts("credit")}

    @rule(said=SAID, days=st.integers(1, 3))
    def next_window(self, said, days):
        before = self.now()
        events = {name: len(self.store.alert_events("credit", name)) for name in (PSI, RATIO)}
        day = max(self.runs, default=-1) + 1
        self.commit(day, said, days)
        after = self.now()
        for name, place in ((PSI, 0), (RATIO, 1)):
            was, alert = before.get(name), after.get(name)
            silent = said in {NO_ROWS, NO_VERSION} or said[place] in "u-"
            if was is None or not was.open:
                if silent:
                    assert alert == was
                continue
            assert (alert.since, alert.known_at) == (was.since, was.known_at)  # never lost
            if silent:
                asked = {"state", "severity", "since", "began", "started_at", "beyond", "within"}
                assert all(getattr(alert, part) == getattr(was, part) for part in asked)
                unknown = said not in {NO_ROWS, NO_VERSION} and said[place] == "u"
                assert alert.condition is (Condition.UNKNOWN if unknown else Condition.NO_DATA)
            else:
                assert alert.condition is Condition.JUDGED
            if was.firing:
                assert (alert.began, alert.started_at) == (was.began, was.started_at)
            told_now = self.store.alert_events("credit", name)[events[name] :]
            changed = (was.state, was.severity, was.condition) != (
                alert.state,
                alert.severity,
                alert.condition,
            )
            assert [(item.was, item.now) for item in told_now] == (
                [(was.state, alert.state)] if changed else []
            )

    @rule(said=SAID, days=st.integers(1, 3), back=st.integers(0, 4))
    def late_revision(self, said, days, back):
        if not self.runs:
            return
        before = self.now()
        self.commit(max(0, max(self.runs) - back), said, days)
        after = self.now()
        for name, was in before.items():
            alert = after.get(name)
            if was.firing and alert is not None and alert.firing and alert.since <= was.since:
                assert alert.started_at <= was.started_at

    @rule(back=st.integers(0, 4))
    def same_again(self, back):
        if not self.runs:
            return
        before = self.now()
        run = self.runs[max(0, max(self.runs) - back)]
        assert not self.store.commit(run, policy_of(run)).new
        assert self.now() == before

    @rule()
    def restart(self):
        before = self.now()
        self.store.close()
        self.store = SqlStore(self.url)
        assert self.now() == before

    @rule(name=st.sampled_from([PSI, RATIO]), days=st.integers(0, 3))
    def mute(self, name, days):
        before = self.now()
        at = FIRST + timedelta(days=self.steps)
        mute = Mute("credit", name, at, at + timedelta(days=days), "ada", "a campaign")
        self.store.mute(mute)
        self.muted[name] = mute
        assert self.now() == before

    @invariant()
    def alerts_are_those_of_the_windows_in_their_order(self):
        if not getattr(self, "runs", None):
            return
        assert alerts_of(self.store) == lived([self.runs[day] for day in sorted(self.runs)])

    @invariant()
    def episodes_follow_each_other_and_end_once(self):
        for name in (PSI, RATIO) if getattr(self, "runs", None) else ():
            episodes = self.store.episodes("credit", name)
            for one, after in pairwise(episodes):
                assert one.over is not None and one.over.end <= after.since.start
            for item in episodes:
                assert item.open == (item.over is None) == (item.ended_at is None)
                assert (item.began is None) == (item.started_at is None)
                assert item.beyond >= 1
                if item.state is AlertState.RESOLVED:
                    assert item.over == item.judged and item.within >= 1
            last = {}
            for event in self.store.alert_events("credit", name):
                assert event.now is not event.was or event.was in {
                    AlertState.PENDING,
                    AlertState.FIRING,
                    AlertState.RESOLVED,
                }
                last[event.since] = event.now
            still = {item.since: item.state for item in episodes}
            assert {since: last[since] for since in still} == still

    @invariant()
    def mutes_expire_by_themselves(self):
        if getattr(self, "muted", None):
            assert self.store.mutes("credit") == self.muted
            for mute in self.muted.values():
                assert not mute.holds(mute.until)
                assert mute.holds(mute.at) == (mute.until > mute.at)

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)


def test_what_is_no_longer_judged_is_ended_and_not_resolved():
    days = [told(0, "ww"), told(1, "ww"), told(2, "-w", policy="policy-2"), told(3, "ow")]
    (alert,) = lived(days[:3])[PSI]
    assert (alert.state, alert.over) == (AlertState.ENDED, a_window(2))
    assert lived(days)[PSI] == [alert]


def test_a_group_that_is_not_there_under_the_same_policy_is_no_data():
    days = [told(0, "ww"), told(1, "ww"), told(2, "-w")]
    (alert,) = lived(days)[PSI]
    assert (alert.state, alert.condition) == (AlertState.FIRING, Condition.NO_DATA)


def test_an_alarm_is_kept_for_as_many_windows_as_the_rule_says():
    days = [told(day, letter + "o") for day, letter in enumerate("cuoouo")]
    kept = AlarmRule(keep=3)
    (alert,) = lived(days[:5], alarms=kept)[PSI]
    assert (alert.state, alert.severity.value, alert.within) == (AlertState.FIRING, "critical", 2)
    (alert,) = lived(days, alarms=kept)[PSI]
    assert (alert.state, alert.over, alert.within) == (AlertState.RESOLVED, a_window(5), 3)
