"""A model's page and what its versions may do: shown to all, without anybody's words."""

import pytest

from monitor.engine import verbs
from monitor.engine.decisions import Said
from monitor.governance.authorisation import Action
from tests.held import DAY, Deployment
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
