"""A model's page and what its versions may do: shown to all, without anybody's words."""

from datetime import timedelta

import pytest

from monitor.domain.governance import GateAction
from monitor.engine import verbs
from monitor.engine.answering import Answered
from monitor.engine.decisions import Said
from monitor.governance.authorisation import Action
from monitor.governance.permit import Answer
from tests.held import DAY, FIRST, Deployment
from tests.ledgers import GOVERNANCE, who
from tests.reading_room import Room


@pytest.fixture
def made(tmp_path):
    found = Deployment(tmp_path, governance=GOVERNANCE)
    for place in range(5):
        found.write(place, shift=40.0 if place == 4 else 0.0)
    found.register(0, 4)
    return found


def said(made, person, why="words of a person"):
    return Said(who(person), made.clock.now(), why)


def approved(made):
    verbs.submit(made.policy, made.store, said(made, "olga"), "1", {})
    for person in ("vera", "head"):
        verbs.vote(made.policy, made.store, said(made, person), 1, granted=True)


def test_a_version_that_nobody_asked_for_is_shown_as_registered(made):
    page = Room(made).read("/models/credit")
    ((version, state, *_),) = page.table("Versions and what each may do")
    assert (version, state) == ("1", "registered")
    assert "Open cases" not in page.text


def test_a_hold_is_shown_with_who_answers_and_without_the_words_of_who_did_it(made):
    approved(made)
    verbs.take_away(made.policy, made.store, said(made, "sre"), Action.HOLD, "1")
    page = Room(made).read("/models/credit")
    ((_, state, _, by),) = page.table("Versions and what each may do")
    assert (state, by) == ("held", "held")
    ((_, version, cause, rung, accountable, due),) = page.table(
        "Open cases: what somebody must answer for"
    )
    assert (version, cause, rung, accountable) == ("1", "person", "hold", "head")
    assert due.endswith("in 1 d 0 h")
    assert "words of a person" not in page.source


@pytest.mark.slow
def test_an_alert_whose_consequence_is_waived_fires_and_says_so(made):
    approved(made)
    ends = made.clock.now() + 9 * DAY
    verbs.waive(made.policy, made.store, said(made, "olga"), "drift", "", ends, "each is looked at")
    verbs.vote(made.policy, made.store, said(made, "gina"), 2, granted=True)
    made.check(5)
    page = Room(made).read("/models/credit")
    ((limit, versions, until),) = page.table("Limits without a consequence")
    assert (limit, versions, until) == ("drift", "all", f"{ends:%Y-%m-%d %H:%M}Z")
    states = [row for row in page.table("Open alerts") if "psi" in row]
    assert states and all(f"waived: drift until {until}" in " ".join(row) for row in states)
    ((_, state, *_),) = page.table("Versions and what each may do")
    assert state == "approved"


def answered(made, *told):
    """Record what the gate answered at noon of some days."""
    answers = [
        Answered(FIRST + (place + 0.5) * DAY, Answer("credit", "1", action), timedelta(0))
        for place, action in told
    ]
    made.store.record_answers(answers)


def test_decisions_outside_of_what_was_allowed_are_no_good_news(made):
    answered(made, (0, GateAction.ALLOW), (4, GateAction.DENY))
    made.write(4)  # as ever, so that nothing else calls
    approved(made)
    made.back_fill(4)
    room = Room(made)
    page = room.read("/models/credit")
    assert "it decided outside of what was allowed" in page.text
    assert page.source.count("critical: credit") == 1
    title = "Decisions outside of what was allowed, latest window"
    ((version, decisions, why, last),) = page.table(title)
    rows = made.run(4).accounting.read
    assert (version, decisions, why) == ("1", f"{rows // 2:,}", "the version was not to act")
    assert last.startswith(f"{FIRST + 4 * DAY:%Y-%m-%d} 23:")
    start = f"{FIRST + 4 * DAY:%Y-%m-%dT%H:%MZ}"
    counted = room.read(f"/models/credit/runs/{start}/1").table(
        f"Decisions of credit in {FIRST + 4 * DAY:%Y-%m-%d}"
    )
    assert [row[3:5] for row in counted] == [
        ["allowed", f"{rows // 2:,}"],
        ["not to act", f"{rows // 2:,}"],
    ]


def test_what_was_allowed_throughout_needs_no_word(made):
    answered(made, (0, GateAction.ALLOW))
    made.back_fill(4)
    page = Room(made).read("/models/credit")
    assert "outside" not in page.text


@pytest.mark.slow
def test_the_order_of_back_fill_changes_nothing(made, tmp_path):
    """What was allowed of a window is complete once it is over, whoever runs it when."""
    answered(made, (0, GateAction.ALLOW), (2, GateAction.DENY), (4, GateAction.ALLOW))
    made.back_fill(4, 3, 2)
    other = Deployment(tmp_path, governance=GOVERNANCE)
    other.register(0, 4)
    answered(other, (0, GateAction.ALLOW), (2, GateAction.DENY))
    other.back_fill(2, 3)
    answered(other, (4, GateAction.ALLOW))
    other.back_fill(4)
    for place in (2, 3, 4):
        mine, theirs = made.run(place), other.run(place)
        assert (mine.identity, mine.accounting) == (theirs.identity, theirs.accounting)
    assert [item.new for item in made.back_fill(2, 3, 4)] == [False] * 3
