"""Decisions outside what was allowed, held against a count that is made second by second."""

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.governance import GateAction
from monitor.domain.manifest import Accounting
from monitor.domain.window import Window
from monitor.engine.answering import Answered
from monitor.engine.overreach import Excess, overreach_of
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
