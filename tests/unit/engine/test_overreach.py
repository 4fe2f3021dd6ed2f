"""Decisions outside what was allowed, held against a count that is made second by second."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.governance import GateAction
from monitor.domain.manifest import Accounting
from monitor.domain.timetable import Regime, Spell, Tally
from monitor.domain.window import Window
from monitor.engine.answering import Answered
from monitor.engine.overreach import Excess, Overreach, exceeded_of, overreach_of
from monitor.governance.permit import Answer
from tests.gatehouse import AT

MINUTE = timedelta(minutes=1)
LASTS = 6 * MINUTE


@dataclass
class Ran:
    """What is looked at of a run."""

    window: Window
    accounting: Accounting


def ran(start, end, unregistered=None, **rows):
    accounting = Accounting(profiled=rows, unregistered=unregistered or {})
    return Ran(Window(AT + start * MINUTE, AT + end * MINUTE), accounting)


def answered(minute, action, version="a"):
    return Answered(AT + minute * MINUTE, Answer("credit", version, action), LASTS)


ALLOW, DENY, CONDITIONS = GateAction.ALLOW, GateAction.DENY, GateAction.ALLOW_WITH_CONDITIONS


def told(run, *answers):
    return [(each.version, each.excess, each.rows) for each in overreach_of(run, answers)]


def test_what_was_allowed_in_the_whole_window_is_no_overreach():
    assert told(ran(60, 120, a=9), answered(0, ALLOW)) == []
    assert told(ran(60, 120, a=9), answered(0, CONDITIONS), answered(130, DENY)) == []


def test_what_was_not_allowed_in_any_of_it_is_counted():
    assert told(ran(60, 120, a=9), answered(0, DENY)) == [("a", Excess.NOT_ACTING, 9)]
    held = (answered(0, ALLOW), answered(50, GateAction.ROUTE_TO_HUMAN))
    assert told(ran(60, 120, a=9), *held) == [("a", Excess.NOT_ACTING, 9)]


def test_a_permit_may_be_used_until_it_has_lapsed():
    held = (answered(0, ALLOW), answered(50, DENY))
    assert told(ran(55, 56, a=9), *held) == []
    assert told(ran(55, 57, a=9), *held) == [("a", Excess.UNDECIDED, 9)]
    assert told(ran(56, 57, a=9), *held) == [("a", Excess.NOT_ACTING, 9)]


def test_a_version_that_nobody_knew_is_told_as_such():
    known = answered(0, ALLOW, "other")
    assert told(ran(60, 120, a=9), known) == [("a", Excess.UNKNOWN_VERSION, 9)]
    assert told(ran(60, 120, {"a": 9}), known) == [("a", Excess.UNKNOWN_VERSION, 9)]
    late = answered(130, ALLOW)
    assert told(ran(60, 120, a=9), known, late) == [("a", Excess.UNKNOWN_VERSION, 9)]


def test_of_what_was_never_recorded_nothing_is_said():
    assert told(ran(60, 120, a=9)) == []
    assert told(ran(60, 120, a=9), answered(61, DENY)) == []


def test_versions_without_rows_are_left_out():
    assert told(ran(60, 120, a=0), answered(0, DENY)) == []


moments = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(GateAction)), min_size=1, max_size=6
)


@given(moments, st.integers(0, 60), st.integers(1, 30))
def test_it_is_what_a_slow_count_says(moments, start, length):
    moments = sorted(dict(moments).items())
    answers = [answered(minute, action) for minute, action in moments]
    if start < moments[0][0]:
        assert told(ran(start, start + length, a=1), *answers) == []
        return
    lasts = LASTS // MINUTE
    allowed = []
    for minute in range(start, start + length):
        before = [(at, action) for at, action in moments if at <= minute]
        acts = [action in {ALLOW, CONDITIONS} for _, action in before]
        cached = any(
            acts[place] and place + 1 < len(before) and minute < before[place + 1][0] + lasts
            for place in range(len(before))
        )
        allowed.append(acts[-1] or cached)
    found = told(ran(start, start + length, a=1), *answers)
    if all(allowed):
        assert found == []
    else:
        excess = Excess.UNDECIDED if any(allowed) else Excess.NOT_ACTING
        assert found == [("a", excess, 1)]


def tally(start, end, regime, rows, version="a", **more):
    conditions = more.pop("conditions", {})
    spell = Spell(AT + start * MINUTE, AT + end * MINUTE, regime, conditions)
    return Tally(version, spell, rows, AT + end * MINUTE, **more)


def found(*tallies):
    run = ran(0, 60, a=1)
    run.accounting = Accounting(profiled={"a": 1}, authority=tallies)
    return [
        (each.version, each.excess, each.rows, each.condition, each.bound)
        for each in overreach_of(run, [answered(0, DENY)])
    ]


def test_what_was_counted_when_it_was_made_is_told_by_why():
    assert found(
        tally(0, 10, Regime.UNRECORDED, 1),
        tally(10, 20, Regime.ALLOWED, 9),
        tally(20, 30, Regime.REFUSED, 2),
        tally(30, 40, Regime.ROUTED, 5, reviewed=2, unmarked=1),
        tally(0, 60, Regime.UNKNOWN, 4, version="b"),
    ) == [
        ("a", Excess.NOT_ACTING, 4, "", None),
        ("a", Excess.UNDECIDED, 1, "", None),
        ("a", Excess.UNRECORDED, 1, "", None),
        ("b", Excess.UNKNOWN_VERSION, 4, "", None),
    ]


def test_what_people_decided_is_nobodys_overreach():
    assert found(tally(0, 60, Regime.ROUTED, 5, reviewed=5, unmarked=0)) == []


def test_where_nothing_was_counted_though_it_could_have_been_there_is_nothing():
    assert found() == []


def conditioned(start, end, rows, **more):
    return tally(start, end, Regime.CONDITIONED, rows, **more)


def test_each_condition_is_told_with_its_bound_also_where_it_was_kept():
    kept = {"conditions": {"amount": 5.0}, "over": {"amount": 0}, "unknown": {"amount": 0}}
    broken = {"conditions": {"amount": 7.0}, "over": {"amount": 3}, "unknown": {"amount": 2}}
    assert found(conditioned(0, 30, 9, **kept)) == [
        ("a", Excess.CONDITION_BROKEN, 0, "amount", 5.0)
    ]
    assert found(conditioned(0, 30, 9, **kept), conditioned(30, 60, 9, **broken)) == [
        ("a", Excess.CONDITION_BROKEN, 3, "amount", 7.0),
        ("a", Excess.CONDITION_UNKNOWN, 2, "amount", 7.0),
    ]


SHARE = {"conditions": {"human_review_share": 0.25}}


def short(rows, reviewed, unmarked):
    """Return how many decisions are short of a quarter that a person looks at, and unknown."""
    told = found(conditioned(0, 60, rows, reviewed=reviewed, unmarked=unmarked, **SHARE))
    assert {(condition, bound) for *_, condition, bound in told} == {("human_review_share", 0.25)}
    by = {excess: number for _, excess, number, *_ in told}
    return by[Excess.CONDITION_BROKEN], by.get(Excess.CONDITION_UNKNOWN, 0)


def test_a_share_is_short_by_whole_decisions():
    assert short(100, 25, 0) == (0, 0)
    assert short(100, 24, 0) == (1, 0)
    assert short(103, 25, 0) == (0, 0)
    assert short(3, 0, 0) == (0, 0)
    assert short(100, 20, 3) == (2, 3)
    assert short(100, 20, 5) == (0, 5)
    assert short(100, 25, 75) == (0, 0)
    assert short(100, 0, 100) == (0, 100)


@given(st.integers(0, 400), st.data())
def test_a_share_that_is_kept_is_never_short(rows, data):
    reviewed = data.draw(st.integers(0, rows))
    broken, unknown = short(rows, reviewed, 0)
    assert unknown == 0
    assert (broken == 0) == (reviewed >= (rows - rows % 4) // 4)


def test_the_last_one_that_was_outside_is_told():
    over = {"conditions": {"amount": 5.0}, "over": {"amount": 1}, "unknown": {"amount": 0}}
    run = ran(0, 60)
    tallies = (
        tally(0, 10, Regime.REFUSED, 2),
        tally(10, 50, Regime.CONDITIONED, 9, last_over=AT + 20 * MINUTE, **over),
    )
    run.accounting = Accounting(authority=tallies)
    last = [(each.last - AT) / MINUTE for each in overreach_of(run, ())]
    assert last == [10, 20]


def test_what_somebody_must_answer_for_is_told_version_by_version():
    window = Window(AT, AT + 60 * MINUTE)
    overreach = (
        Overreach("a", Excess.NOT_ACTING, 1200, AT),
        Overreach("a", Excess.UNDECIDED, 7, AT + 9 * MINUTE),
        Overreach("b", Excess.UNKNOWN_VERSION, 1, AT),
        Overreach("c", Excess.CONDITION_BROKEN, 3, AT, "amount", 5000.0),
        Overreach("c", Excess.CONDITION_BROKEN, 4, AT + MINUTE, "human_review_share", 0.25),
        Overreach("d", Excess.CONDITION_BROKEN, 0, AT, "amount", 5000.0),
        Overreach("e", Excess.CONDITION_UNKNOWN, 5, AT, "amount", 5000.0),
    )
    a, b, c = exceeded_of(overreach, window)
    assert (a.version, a.rows, a.last) == ("a", 1200, AT)
    assert a.told == f"in {window} 1,200 decisions while the version was not to act"
    assert b.told.endswith("1 decision while nobody knew the version")
    assert (c.version, c.rows, c.last) == ("c", 7, AT + MINUTE)
    assert c.told.endswith(
        "3 decisions with amount beyond 5000 and 4 decisions short of the share of 0.25 that a"
        " person looks at"
    )
