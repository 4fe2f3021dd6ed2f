"""A tighter file holds at once; a looser one when it was approved by the rules that it would replace."""

import pytest
from msgspec.structs import replace

from monitor.config.change_classes import changes_between
from monitor.domain.change import ChangeClass, change_of
from monitor.domain.governance import (
    Accountability,
    Delegation,
    Governance,
    Risk,
    RiskLimit,
    Rung,
    Tier,
)
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.engine.governing import decide
from monitor.engine.policies import in_force
from monitor.governance.acts import vote
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action, Method, Who
from monitor.governance.events import EventType
from monitor.governance.proposals import propose
from tests.held import Deployment

GOVERNED = Governance(
    Delegation("approve loans", "cro"),
    Accountability("head", owners=("olga",), validators=("vic",), governance=("gail",)),
    Risk(Tier.MEDIUM),
    (RiskLimit("any", Rung.HOLD),),
)
PSI = {"psi": FieldLimit(Limit(0.1, 0.25))}
TIGHTER = {"psi": FieldLimit(Limit(0.05, 0.25))}
LOOSER = {"psi": FieldLimit(Limit(0.2, 0.25))}


class Files:
    """A model whose file is edited, and what is in force."""

    def __init__(self, made):
        self.made = made
        self.known = {}
        self.days = 2
        self.made.register()

    def policy(self, digest, limits=PSI, governance=GOVERNED):
        found = replace(
            self.made.policy, digest=digest, text=digest, limits=limits, governance=governance
        )
        self.known[digest] = replace(found, directory=".")
        return found

    def now(self, file):
        return in_force(file, self.made.store, self.known.__getitem__, changes_between)

    def run(self, file):
        self.made.policy = self.now(file).policy
        self.made.write(self.days)
        self.days += 1
        self.made.restart()
        assert self.made.check(self.days)
        return self.made.store.last_policy("credit")

    def act(self, file, account, action, act):
        policy, at = self.now(file).policy, self.made.clock.now()
        who = Who(account, Method.CLI, authenticated_at=at)
        return decide(policy, self.made.store, who, action, act, at)

    def propose(self, file, by="olga"):
        found = self.now(file)
        changes = self.act(
            file,
            by,
            Action.PROPOSE_POLICY,
            lambda book, _, speaker: propose(
                book, speaker, found.policy.digest, file.digest, found.changes, "the season"
            ),
        )
        return changes[-1].after.number

    def vote(self, file, by, number, *, granted=True):
        self.act(
            file,
            by,
            Action.APPROVE_POLICY,
            lambda book, there, speaker: vote(
                book, there, speaker, number, "seen", granted=granted
            ),
        )


@pytest.fixture
def files(tmp_path):
    made = Deployment(tmp_path)
    for place in range(2):
        made.write(place)
    return Files(made)


def test_before_the_first_run_the_file_holds(files):
    found = files.now(files.policy("a"))
    assert (found.policy.digest, found.waits, found.changes) == ("a", False, ())


@pytest.mark.slow
def test_a_tighter_file_holds_at_once(files):
    assert files.run(files.policy("a")) == "a"
    tighter = files.policy("b", TIGHTER)
    assert change_of(files.now(tighter).changes) is ChangeClass.TIGHTEN
    assert files.run(tighter) == "b"


@pytest.mark.slow
def test_a_looser_file_waits_and_the_one_before_judges_on(files):
    files.run(files.policy("a"))
    looser = files.policy("b", LOOSER)
    found = files.now(looser)
    assert (found.policy.digest, found.policy.waiting, found.waits) == ("a", "b", True)
    assert found.policy.limits == PSI
    assert found.policy.directory == looser.directory, "paths are those of the file"
    assert files.run(looser) == "a"


@pytest.mark.slow
def test_a_looser_file_holds_once_everybody_has_agreed(files):
    files.run(files.policy("a"))
    looser = files.policy("b", LOOSER)
    number = files.propose(looser)
    assert files.now(looser).request.number == number
    files.vote(looser, "gail", number)
    assert files.now(looser).waits, "one of two has agreed"
    files.vote(looser, "head", number)
    found = files.now(looser)
    assert (found.policy.digest, found.policy.waiting) == ("b", "")
    assert files.run(looser) == "b"
    assert not files.now(looser).waits


@pytest.mark.slow
def test_whoever_asks_has_no_vote_and_strangers_are_refused(files):
    files.run(files.policy("a"))
    looser = files.policy("b", LOOSER)
    with pytest.raises(NotAllowedError):
        files.propose(looser, by="mallory")
    number = files.propose(looser)
    with pytest.raises(NotAllowedError):
        files.vote(looser, "olga", number)
    with pytest.raises(NotAllowedError, match="pending"):
        files.propose(looser)


@pytest.mark.slow
def test_a_no_leaves_the_policy_in_force(files):
    files.run(files.policy("a"))
    looser = files.policy("b", LOOSER)
    files.vote(looser, "gail", files.propose(looser), granted=False)
    assert files.now(looser).waits
    assert files.propose(looser) == 2, "it can be asked for anew"


@pytest.mark.slow
def test_an_approval_is_of_one_edit_and_of_no_other(files):
    files.run(files.policy("a"))
    looser = files.policy("b", LOOSER)
    number = files.propose(looser)
    for by in ("gail", "head"):
        files.vote(looser, by, number)
    assert files.now(files.policy("c", {})).waits, "another edit was not approved"


@pytest.mark.slow
def test_what_was_approved_and_taken_back_is_asked_for_anew(files):
    first = files.policy("a")
    files.run(first)
    looser = files.policy("b", LOOSER)
    number = files.propose(looser)
    for by in ("gail", "head"):
        files.vote(looser, by, number)
    assert [files.run(item) for item in (looser, first)] == ["b", "a"]
    assert files.now(looser).waits
    assert files.propose(looser) == number + 1


def test_the_rules_are_those_of_the_policy_in_force_and_not_of_the_file(files):
    files.run(files.policy("a"))
    people = replace(GOVERNED.accountability, governance=("olga", "mallory"))
    grab = files.policy("b", LOOSER, replace(GOVERNED, accountability=people))
    number = files.propose(grab)
    with pytest.raises(NotAllowedError):
        files.vote(grab, "mallory", number)


@pytest.mark.slow
def test_where_nobody_answers_every_file_holds_at_once(files):
    files.run(files.policy("a", governance=Governance()))
    assert files.run(files.policy("b", LOOSER, Governance())) == "b"
    assert files.run(files.policy("c", LOOSER)) == "c", "answers come into force at once"


@pytest.mark.slow
@pytest.mark.parametrize(
    "half", [Governance(Delegation("approve loans")), replace(GOVERNED, limits=())]
)
def test_a_file_that_is_filled_in_step_by_step_holds_at_once(files, half):
    started = files.policy("started", governance=half)
    files.run(started)
    found = files.now(files.policy("whole", LOOSER))
    assert change_of(found.changes) is ChangeClass.LOOSEN
    assert found.policy.digest == "whole"
    assert not found.waits
    files.run(files.policy("whole", LOOSER))
    assert files.now(files.policy("again", {"psi": FieldLimit(Limit(0.3, 0.4))})).waits


@pytest.mark.slow
def test_answers_cannot_be_withdrawn_to_get_round_an_approval(files):
    files.run(files.policy("a"))
    silent = files.policy("b", LOOSER, Governance())
    assert files.now(silent).waits
    assert files.run(silent) == "a"


def test_the_log_says_what_was_proposed_key_by_key(files):
    files.run(files.policy("a"))
    looser = files.policy("b", LOOSER)
    found = files.now(looser)
    changes = files.act(
        looser,
        "olga",
        Action.PROPOSE_POLICY,
        lambda book, _, speaker: propose(book, speaker, "a", "b", found.changes, "why"),
    )
    proposed = next(item for item in changes if item.type is EventType.POLICY_PROPOSED)
    assert proposed.data["keys"] == {"limits.drift.psi.warning": "loosen"}
    assert (proposed.data["in_force"], proposed.data["proposed"]) == ("a", "b")
    with pytest.raises(NotAllowedError, match="reason"):
        files.act(
            looser,
            "olga",
            Action.PROPOSE_POLICY,
            lambda book, _, speaker: propose(book, speaker, "a", "z", found.changes, " "),
        )


@pytest.mark.slow
def test_policies_are_listed_with_their_runs(files):
    first, second = files.policy("a"), files.policy("b", TIGHTER)
    for item in (first, first, second):
        files.run(item)
    used = files.made.store.policies("credit")
    assert [(item.digest, item.runs) for item in used] == [("a", 2), ("b", 1)]
