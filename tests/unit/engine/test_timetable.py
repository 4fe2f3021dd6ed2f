"""What versions were allowed when, held against a look at every few seconds."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from monitor.domain.governance import GateAction
from monitor.domain.timetable import Regime, ReviewMark, Spell
from monitor.domain.window import Window
from monitor.engine.answering import Answered
from monitor.engine.timetable import SOONER, timetable_of
from monitor.governance.permit import Answer
from tests.gatehouse import AT

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LASTS = 6 * MINUTE
ALLOW, DENY, ROUTE = GateAction.ALLOW, GateAction.DENY, GateAction.ROUTE_TO_HUMAN
CONDITIONS = GateAction.ALLOW_WITH_CONDITIONS


def answered(minute, action, version="a", **conditions):
    answer = Answer("credit", version, action, conditions=conditions)
    return Answered(AT + minute * MINUTE, answer, LASTS)


def window(start, end):
    return Window(AT + start * MINUTE, AT + end * MINUTE)


def spells(start, end, *answers, version="a"):
    """Return the spells of a version as begin, end (both in minutes) and what was allowed."""
    found = timetable_of(answers, window(start, end), None).of(version)
    return [
        ((each.start - AT) / MINUTE, (each.end - AT) / MINUTE, each.regime.value, each.conditions)
        for each in found
    ]


def test_it_changes_when_the_last_permit_of_before_has_lapsed():
    held = (answered(0, ALLOW), answered(45, ROUTE))
    assert spells(30, 60, *held) == [(30, 51, "allowed", {}), (51, 60, "routed", {})]
    assert spells(46, 48, *held) == [(46, 48, "allowed", {})]
    assert spells(51, 60, *held) == [(51, 60, "routed", {})]


def test_authority_that_is_given_is_there_at_once_and_a_moment_before_it_was_recorded():
    given_back = (answered(0, DENY), answered(45, ALLOW))
    sooner = 45 - SOONER / MINUTE
    assert spells(30, 60, *given_back) == [(30, sooner, "refused", {}), (sooner, 60, "allowed", {})]


def test_within_conditions_counts_the_widest_that_a_permit_may_still_say():
    wide = {"amount": 9000.0, "human_review_share": 0.2, "term": 3.0}
    narrow = {"amount": 5000.0, "human_review_share": 0.5}
    tightened = (answered(0, CONDITIONS, **wide), answered(45, CONDITIONS, **narrow))
    sooner = 45 - SOONER / MINUTE
    assert spells(30, 60, *tightened) == [
        (30, sooner, "conditioned", wide),
        (sooner, 51, "conditioned", {"amount": 9000.0, "human_review_share": 0.2}),
        (51, 60, "conditioned", narrow),
    ]
    others = (answered(0, CONDITIONS, term=3.0), answered(45, CONDITIONS, amount=1.0))
    assert spells(46, 50, *others) == [(46, 50, "allowed", {})]


def test_versions_that_nobody_knew_and_what_was_not_recorded_are_told_apart():
    known = (answered(10, ALLOW), answered(20, DENY, "b"))
    assert spells(0, 30, *known, version="b") == [
        (0, 10, "unrecorded", {}),
        (10, 20, "unknown", {}),
        (20, 30, "refused", {}),
    ]
    assert spells(0, 30, *known, version="zz") == [
        (0, 10, "unrecorded", {}),
        (10, 30, "unknown", {}),
    ]
    assert timetable_of(known, window(0, 10), None) is None
    assert timetable_of((), window(0, 10), None) is None


def test_what_is_answered_once_a_window_is_over_changes_nothing_of_it():
    before = (answered(0, ALLOW), answered(15, CONDITIONS, amount=1.0))
    after = (answered(30, DENY), answered(31, ALLOW, "b"), answered(40, ALLOW))
    first = timetable_of(before, window(10, 30), None)
    again = timetable_of((*after, *before), window(10, 30), None)
    assert (again, again.digest) == (first, first.digest)


def test_where_all_was_allowed_throughout_nothing_is_part_of_the_identity():
    assert timetable_of([answered(0, ALLOW)], window(10, 30), None).digest == ""
    mark = ReviewMark("by")  # is the policy's, whose digest is beside this one
    assert timetable_of([answered(0, ALLOW)], window(10, 30), mark).digest == ""
    others = [
        [answered(0, DENY)],
        [answered(0, CONDITIONS, amount=1.0)],
        [answered(0, CONDITIONS, amount=2.0)],
        [answered(0, ALLOW), answered(15, DENY)],
        [answered(0, ALLOW), answered(16, DENY)],
        [answered(11, ALLOW)],
        [answered(0, DENY, "b")],
    ]
    digests = {timetable_of(each, window(10, 30), None).digest for each in others}
    assert len(digests) == len(others)
    assert "" not in digests


moments = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.sampled_from(GateAction),
        st.sampled_from([{}, {"x": 1.0}, {"x": 2.0}]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda moment: moment[0],
)


@example([(0, CONDITIONS, {"x": 1.0}), (48, ALLOW, {})], 28, 20)
@given(moments, st.integers(0, 60), st.integers(1, 20))
def test_it_is_what_a_slow_look_says(moments, start, length):
    answers = [
        answered(at, action, **(within if action is CONDITIONS else {}))
        for at, action, within in sorted(moments, key=lambda moment: moment[0])
    ]
    whole = window(start, start + length)
    timetable = timetable_of(answers[::-1], whole, None)
    if timetable is None:
        assert answers[0].at >= whole.end
        return
    answers = [each for each in answers if each.at < whole.end]  # later ones do not reach back
    found = timetable.of("a")
    assert (found[0].start, found[-1].end) == (whole.start, whole.end)
    assert all(a.end == b.start for a, b in pairwise(found))
    moment = whole.start + 5 * SECOND
    while moment < whole.end:
        (spell,) = [each for each in found if each.start <= moment < each.end]
        assert (spell.regime, spell.conditions) == looked_at(answers, moment), moment
        moment += 10 * SECOND


def looked_at(answers, moment):
    """Return what a version was allowed at a moment, by the words of the documentation."""
    if moment < answers[0].at:
        return Regime.UNRECORDED, {}
    usable = []
    for place, each in enumerate(answers):
        acts = each.answer.action in {ALLOW, CONDITIONS}
        begins = each.at - SOONER if acts else each.at
        replaced = answers[place + 1].at if place + 1 < len(answers) else None
        over = replaced is not None and moment >= (replaced + LASTS if acts else replaced)
        if begins <= moment and not over:
            usable.append(each.answer)
    if any(each.action is ALLOW for each in usable):
        return Regime.ALLOWED, {}
    within = [each.conditions for each in usable if each.action is CONDITIONS]
    if within:
        bounds = [each.get("x") for each in within]
        return (Regime.ALLOWED, {}) if None in bounds else (Regime.CONDITIONED, {"x": max(bounds)})
    routed = any(each.action is ROUTE for each in usable)
    return (Regime.ROUTED if routed else Regime.REFUSED), {}


def test_a_spell_says_all_that_it_is():
    spell = Spell(AT, AT + MINUTE, Regime.CONDITIONED, {"b": 2.0, "a": 0.1})
    assert spell.text().split("\x1e")[2:] == ["conditioned", "a<0.1", "b<2.0"]
