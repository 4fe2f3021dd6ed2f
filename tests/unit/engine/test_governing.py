"""What the clock brings for what versions may do, at each check."""

import shutil

import pytest

from monitor.domain.errors import RefusedError, SourceError
from monitor.engine import verbs
from monitor.engine.decisions import MOST_WORDS, Said
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action
from monitor.governance.standing import State
from tests.held import Deployment
from tests.ledgers import GOVERNANCE, who


@pytest.fixture
def made(tmp_path):
    found = Deployment(tmp_path / "log", governance=GOVERNANCE)
    for place in range(4):
        found.write(place)
    found.register(0, 4)
    found.clock.day = 4
    verbs.submit(found.policy, found.store, said(found, "olga"), "1", {})
    for person in ("vera", "head"):
        verbs.vote(found.policy, found.store, said(found, person), 1, granted=True)
    return found


def said(made, person, why="because"):
    return Said(who(person), made.clock.now(), why)


def state(made):
    return made.store.standings("credit")["1"].state


def test_an_approval_ends_by_the_clock_though_the_log_cannot_be_reached(made):
    shutil.rmtree(made.folder)
    made.restart()
    with pytest.raises(SourceError):
        made.check(63)
    assert state(made) is State.APPROVED
    with pytest.raises(SourceError):
        made.check(200)
    assert state(made) is State.HELD
    assert {case.cause for case in made.store.cases("credit")} == {"approval"}


def test_another_policy_holds_what_was_approved_under_the_one_before(made):
    made.restart(digest="another")
    made.check(5)
    assert state(made) is State.HELD
    assert "policy is another" in made.store.standings("credit")["1"].reason


def test_a_request_that_nobody_made_is_not_voted_on(made):
    with pytest.raises(NotAllowedError, match="there is no request 9 about credit"):
        verbs.vote(made.policy, made.store, said(made, "vera"), 9, granted=True)


def test_a_text_without_end_is_refused(made):
    with pytest.raises(RefusedError, match="4,000 are the most"):
        verbs.take_away(
            made.policy, made.store, said(made, "sre", "x" * (MOST_WORDS + 1)), Action.HOLD, "1"
        )
    assert state(made) is State.APPROVED
