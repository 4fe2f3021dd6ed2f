"""What another policy would have made of stored windows is what it makes of them when it is run."""

import pytest
from msgspec.structs import replace

from monitor.config.change_classes import changes_between
from monitor.domain.change import ChangeClass, KeyChange
from monitor.domain.finding import Verdict
from monitor.domain.governance import Governance, RiskLimit, Rung
from monitor.domain.limit import Band, Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.window import Window
from monitor.engine import plan
from monitor.engine.plan import replay
from tests.held import YESTERDAY, Deployment, day

DAYS = 8
SHIFTS = (0.0, 0.0, 0.0, 0.1, 0.3, 0.5, 0.35, 0.0)
LIMITS = {"psi": FieldLimit(Limit(0.02, 0.1)), "missing_rate": FieldLimit(Limit(0.01, 0.05))}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    found = Deployment(tmp_path_factory.mktemp("log"))
    for place, shift in enumerate(SHIFTS):
        found.write(place, shift=shift)
    found.register()
    found.check(DAYS)
    return found


def other(made, **changes):
    return replace(made.policy, digest="e", **changes)


def planned(made, after, period=None):
    changes = changes_between(made.policy, after)
    return replay(made.store, made.policy, after, changes, period, lambda _: made.policy)


def run_under(made, policy):
    """Return the verdicts of a store that was filled under a policy from the first window on."""
    there = Deployment(made.folder)
    there.restart(**{name: getattr(policy, name) for name in ("limits", "band", "references")})
    there.register()
    there.check(DAYS)
    return verdicts(there)


def verdicts(deployment):
    return {
        (item.window, name): verdict
        for item in deployment.store.verdicts("credit", day(0).start)
        for name, verdict in item.verdicts.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"limits": LIMITS},
        {"limits": {"missing_rate": LIMITS["missing_rate"]}},
        {"band": Band(low=0.95, high=1.05, min_difference=0.0)},
        {"references": (YESTERDAY,)},
    ],
    ids=["tighter", "not judged", "band", "reference"],
)
def test_a_plan_says_what_a_run_would_have_said(made, changes):
    after = other(made, **changes)
    found = planned(made, after)
    expected, stored = run_under(made, after), verdicts(made)
    assert found.windows == tuple(map(day, range(2, DAYS)))
    assert found.otherwise
    assert {(item.window, item.finding): (item.before, item.after) for item in found.otherwise} == {
        key: (stored.get(key), expected.get(key))
        for key in {*stored, *expected}
        if stored.get(key) is not expected.get(key)
    }


def test_nothing_is_otherwise_under_the_same_policy(made):
    found = planned(made, other(made))
    assert (found.otherwise, found.called, found.unsaid) == ((), (), ())
    assert len(found.windows) == DAYS - 2


def test_who_would_have_been_called_follows_from_the_windows_in_their_order(made):
    found = planned(made, other(made, limits=LIMITS))
    (psi,) = [item for item in found.called if item.reading.measure == "psi"]
    assert set(psi.before) < set(psi.after), "a tighter limit calls in more windows"
    assert psi.after[-1].end <= day(DAYS).start


@pytest.mark.slow
def test_what_would_have_followed_is_the_furthest_rung_of_the_alarms(made):
    drifted = RiskLimit("drifted", Rung.RESTRICT, frozenset({"psi"}), at=Verdict.WARNING)
    anything = RiskLimit("anything", Rung.WATCH, at=Verdict.WARNING)
    other_field = RiskLimit("other", Rung.STOP, fields=frozenset({"score"}), at=Verdict.CRITICAL)
    limits = (drifted, anything, other_field)
    found = planned(made, other(made, governance=Governance(limits=limits)))
    calling = {
        window for item in planned(made, other(made, limits={})).called for window in item.before
    }
    assert calling
    assert [item.window for item in found.followed] == sorted(calling)
    assert {(item.before, item.after) for item in found.followed} == {(None, Rung.RESTRICT)}
    assert {item.limits for item in found.followed} == {("anything", "drifted")}
    assert not found.otherwise, "what is judged is the same"


def test_a_measure_that_is_judged_no_more_is_told_as_such(made):
    found = planned(made, other(made, limits={"missing_rate": LIMITS["missing_rate"]}))
    assert {(item.reading.measure, item.after) for item in found.otherwise} == {("psi", None)}
    assert Verdict.WARNING in {item.before for item in found.otherwise}
    assert all(item.after == () for item in found.called)


def test_a_period_is_kept_to_and_otherwise_the_newest_are_judged(made, monkeypatch):
    after = other(made, limits=LIMITS)
    assert planned(made, after, Window(day(3).start, day(5).start)).windows == (day(3), day(4))
    monkeypatch.setattr(plan, "MOST_WINDOWS", 2)
    found = planned(made, after)
    assert found.windows == (day(DAYS - 2), day(DAYS - 1))
    assert found.left_out == DAYS - 4


def test_a_policy_that_counts_otherwise_cannot_be_told_from_what_is_stored(made):
    decision = replace(made.policy.decision, positive=("false",))
    found = planned(made, other(made, decision=decision))
    assert (found.windows, found.otherwise) == ((), ())
    (unsaid,) = found.unsaid
    assert unsaid.about.startswith("6 windows from 2024-01-03T00:00Z to")
    assert "changed how it reads the decision" in unsaid.why


def test_keys_that_the_store_says_nothing_of_are_named(made):
    keys = ("source.path", "fields.amount.max", "fields.debt.kind", "limits.drift.psi.warning")
    changes = [KeyChange(key, None, 1, ChangeClass.LOOSEN) for key in keys]
    found = replay(made.store, made.policy, other(made), changes, None, lambda _: made.policy)
    assert [item.about for item in found.unsaid] == list(keys[:3])
    cut = [KeyChange("schedule.window", "day", "week", ChangeClass.LOOSEN)]
    found = replay(made.store, made.policy, other(made), cut, None, lambda _: made.policy)
    assert (found.windows, len(found.unsaid)) == ((), 1)


@pytest.mark.slow
def test_windows_that_another_policy_judged_are_judged_again_by_both(made):
    before = other(made, limits=LIMITS)
    after = replace(made.policy, digest="f")
    found = replay(made.store, before, after, (), None, lambda _: made.policy)
    back = planned(made, before)
    assert {(item.finding, item.before, item.after) for item in found.otherwise} == {
        (item.finding, item.after, item.before) for item in back.otherwise
    }


def test_nothing_is_written_and_the_policy_of_the_newest_window_is_known(made):
    before = verdicts(made)
    planned(made, other(made, limits=LIMITS))
    assert verdicts(made) == before
    assert made.store.last_policy("credit") == "d"
    assert made.store.last_policy("debit") == ""
