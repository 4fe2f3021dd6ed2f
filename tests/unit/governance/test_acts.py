"""What people may do about a version, and every reason why not."""

import pytest
from msgspec.structs import replace

from monitor.domain.governance import Governance, Risk, Tier
from monitor.domain.role import Role
from monitor.governance.acts import (
    Speaker,
    ask_release,
    ask_waiver,
    close_case,
    revoke,
    submit,
    take_away,
    vote,
    withdraw,
)
from monitor.governance.approvals import NotAllowedError, RequestState
from monitor.governance.cases import Disposition
from monitor.governance.consequences import settled
from monitor.governance.ledger import Book, Ledger
from monitor.governance.standing import Event, State
from tests.ledgers import (
    AT,
    BOB,
    DAY,
    GINA,
    GOVERNANCE,
    HEAD,
    OLGA,
    POLICY,
    SRE,
    VERA,
    an_alert,
    present,
)


def begun(there=None):
    there = there or present()
    ledger = Ledger("credit")
    return ledger.after(settled(ledger, there))


def then(ledger, act, *arguments, **named):
    book = Book(ledger, AT)
    act(book, *arguments, **named)
    return book.ledger


def submitted(digests=None):
    return then(begun(), submit, present(), OLGA, "3", digests or {}, "ready")


def approved():
    ledger = then(submitted(), vote, present(), VERA, 1, "", granted=True)
    return then(ledger, vote, present(), HEAD, 1, "", granted=True)


def reasons(ledger, act, *arguments, **named):
    """Return every reason why something is refused; nothing was written."""
    book = Book(ledger, AT)
    with pytest.raises(NotAllowedError) as refused:
        act(book, *arguments, **named)
    return refused.value.reasons


def test_nothing_that_nobody_answers_for_is_submitted():
    silent = present(policy=replace(POLICY, governance=Governance()))
    unwatched = replace(silent, baselines={})
    missing = Governance().missing
    assert missing
    assert reasons(begun(), submit, unwatched, OLGA, "3", {}, "") == (
        *(f"the policy does not answer {answer}" for answer in missing),
        "no baseline is registered for it, so nothing would be watched",
    )


def test_what_is_prohibited_is_not_submitted():
    never = replace(GOVERNANCE, risk=Risk(Tier.PROHIBITED))
    there = present(policy=replace(POLICY, governance=never))
    assert reasons(begun(), submit, there, OLGA, "3", {}, "") == (
        "its risk is prohibited: nobody may let it act",
    )


def test_a_version_that_nobody_knows_is_not_submitted():
    assert reasons(begun(), submit, present(), OLGA, "4", {}, "") == (
        "credit has no version '4'; known are: 3",
    )


def test_a_version_is_asked_for_once():
    told = reasons(submitted(), submit, present(), OLGA, "3", {}, "")
    assert told[0] == "request 1 of olga for the same is pending"
    assert told[1] == "a version that is pending cannot be submitted"


def test_a_request_names_all_that_it_rests_on():
    request = submitted({"model": "m", "report": "r"}).requests[1]
    assert request.bound_to == {
        "policy": "sha-policy",
        "baseline": "sha-baseline",
        "model": "m",
        "report": "r",
    }


@pytest.mark.parametrize(
    ("speaker", "told"),
    [
        (
            Speaker("olga", "olga", frozenset({Role.VALIDATOR})),
            "olga is who asked for it, whose word does not count here",
        ),
        (BOB, "bob is one of those who built the model, whose word does not count here"),
        (
            Speaker("vera2", "vera", frozenset({Role.ACCOUNTABLE})),
            "vera has spoken already, and one person takes one seat",
        ),
        (GINA, "nobody is wanted as governance"),
    ],
)
def test_the_word_of_some_does_not_count(speaker, told):
    ledger = then(submitted(), vote, present(), VERA, 1, "", granted=True)
    assert told in reasons(ledger, vote, present(), speaker, 1, "", granted=True)
    assert ledger.standings["3"].state is State.PENDING


def test_who_looked_at_something_else_approves_nothing():
    ledger = submitted({"report": "r-1"})
    seen = {"report": "r-2", "model": "m-1"}
    assert reasons(ledger, vote, present(), VERA, 1, "", granted=True, seen=seen) == (
        "the report that you looked at is r-2; asked for is r-1",
        "the model that you looked at is m-1; asked for is None",
    )
    agreed = then(ledger, vote, present(), VERA, 1, "", granted=True, seen={"report": "r-1"})
    assert agreed.requests[1].votes[0].person == "vera"


def test_the_last_yes_does_not_count_while_a_limit_is_broken():
    ledger = then(submitted(), vote, present(), VERA, 1, "", granted=True)
    there = present(an_alert("rate", "sex"))
    (told,) = reasons(ledger, vote, there, HEAD, 1, "", granted=True)
    assert told.startswith("limit sex-parity is broken: rate of sex=F is critical since 2026-08-31")
    assert told.endswith("its consequence is to hold: mend the cause, or ask for a waiver")


def test_a_no_ends_a_request():
    ledger = then(submitted(), vote, present(), VERA, 1, "two segments are missing", granted=False)
    assert ledger.requests[1].recorded is RequestState.REJECTED
    assert ledger.standings["3"].state is State.REGISTERED
    assert reasons(ledger, vote, present(), HEAD, 1, "", granted=True) == (
        "the request is rejected: votes on it are over",
    )


def test_who_asked_can_take_it_back_and_nobody_else():
    assert reasons(submitted(), withdraw, HEAD, 1, "") == (
        "only olga can take back what they asked for",
    )
    ledger = then(submitted(), withdraw, OLGA, 1, "not yet")
    assert ledger.requests[1].recorded is RequestState.WITHDRAWN
    assert ledger.standings["3"].state is State.REGISTERED
    assert reasons(ledger, withdraw, OLGA, 1, "") == (
        "the request is withdrawn: there is nothing to take back",
    )


def test_one_person_takes_authority_away_and_says_why():
    assert reasons(approved(), take_away, present(), SRE, "3", Event.HELD, " ") == (
        "it needs a reason",
    )
    ledger = then(approved(), take_away, present(), SRE, "3", Event.STOPPED, "wrong scores")
    assert ledger.standings["3"].state is State.STOPPED
    assert ledger.cases[1].reason == "stopped by sre: wrong scores"


def test_nothing_is_released_that_would_be_held_again_at_once():
    there = present(an_alert("rate", "sex"))
    ledger = approved()
    ledger = ledger.after(settled(ledger, there))
    told = reasons(ledger, ask_release, there, SRE, "3", "")
    assert [reason.split(" is ")[0] for reason in told] == [
        "limit sex-parity",
        "case 1 (sex-parity)",
        "the reason",
    ]


def test_nothing_is_released_whose_approval_is_void():
    there = present(baseline="sha-other")
    ledger = approved()
    ledger = ledger.after(settled(ledger, there))
    assert reasons(ledger, ask_release, there, SRE, "3", "mended") == (
        "its approval is over or void: submit it anew",
    )


def test_what_acts_is_not_released():
    assert reasons(approved(), ask_release, present(), SRE, "3", "x") == (
        "a version that is approved cannot be released",
    )


def test_a_waiver_is_refused_with_every_reason():
    there = present()
    assert reasons(approved(), ask_waiver, there, OLGA, "silence", "9", AT + 15 * DAY, "", " ") == (
        "the policy never lets the limit silence be waived",
        "the policy lets a waiver hold until 2026-09-15T00:00:00+00:00 at the latest",
        "credit has no version '9'; known are: 3",
        "the reason is empty; say why the risk can be taken",
        "the compensating control is empty; say what guards meanwhile",
    )
    (unknown, over) = reasons(approved(), ask_waiver, there, OLGA, "x", "", AT, "a", "b")
    assert unknown.startswith("the policy has no limit 'x'; its limits are: drift, scores")
    assert over.endswith("which is over")


def test_a_waiver_is_renewed_as_often_as_the_policy_says():
    ledger = approved()
    for number in (2, 3):
        asked = ("drift", "", AT + DAY, "why", "control")
        ledger = then(ledger, ask_waiver, present(), OLGA, *asked)
        ledger = then(ledger, vote, present(), GINA, number, "", granted=True)
    (told,) = reasons(ledger, ask_waiver, present(), OLGA, *asked)
    assert (
        told == "the limit was waived 2 times on end, and the policy lets a waiver be renewed once"
    )


@pytest.mark.parametrize("versions", [("3", "", "3"), ("", "3", ""), ("3", "3", ""), ("", "", "3")])
def test_a_waiver_is_not_renewed_once_more_by_asking_for_other_versions(versions):
    ledger = approved()
    for number, version in enumerate(versions[:2], 2):
        asked = ("drift", version, AT + DAY, "why", "control")
        ledger = then(ledger, ask_waiver, present(), OLGA, *asked)
        ledger = then(ledger, vote, present(), GINA, number, "", granted=True)
    asked = ("drift", versions[2], AT + DAY, "why", "control")
    (told,) = reasons(ledger, ask_waiver, present(), OLGA, *asked)
    assert told.startswith("the limit was waived 2 times on end")


def test_two_waivers_that_were_asked_for_at_once_are_one_renewal():
    ledger = approved()
    asked = ("drift", "", AT + DAY, "why", "control")
    for _ in range(3):
        ledger = then(ledger, ask_waiver, present(), OLGA, *asked)
    for number in (2, 3):
        ledger = then(ledger, vote, present(), GINA, number, "", granted=True)
    (told,) = reasons(ledger, vote, present(), GINA, 4, "", granted=True)
    assert told.startswith("the limit was waived 2 times on end")


@pytest.mark.parametrize("name", ["policy", "baseline", "standing"])
def test_nobody_names_what_is_in_the_store(name):
    (told,) = reasons(begun(), submit, present(), OLGA, "3", {name: "sha256:00"}, "ready")
    assert told == f"the digest of the {name} is not for you to name: it is what is in the store"


def test_who_is_in_a_team_that_built_the_model_does_not_approve_it():
    people = replace(GOVERNANCE.accountability, builders=("makers",))
    there = present(policy=replace(POLICY, governance=replace(GOVERNANCE, accountability=people)))
    maker = replace(VERA, groups=frozenset({"makers", "all"}))
    assert reasons(submitted(), vote, there, maker, 1, "", granted=True) == (
        "vera is one of those who built the model, whose word does not count here",
    )
    assert then(submitted(), vote, there, VERA, 1, "", granted=True).requests[1].votes


def test_who_asks_for_a_waiver_does_not_grant_it():
    asked = ("drift", "", AT + DAY, "why", "control")
    ledger = then(approved(), ask_waiver, present(), GINA, *asked)
    assert reasons(ledger, vote, present(), GINA, 2, "", granted=True) == (
        "gina is who asked for it, whose word does not count here",
    )


def test_only_a_waiver_that_holds_is_revoked():
    assert reasons(approved(), revoke, GINA, 2, "x") == ("there is no waiver 2 of credit",)
    asked = ("drift", "", AT + DAY, "why", "control")
    ledger = then(approved(), ask_waiver, present(), OLGA, *asked)
    ledger = then(ledger, vote, present(), GINA, 2, "", granted=True)
    ledger = then(ledger, revoke, GINA, 2, "the control failed")
    assert ledger.waivers[2].ending == "the control failed"
    assert reasons(ledger, revoke, GINA, 2, "") == (
        "waiver 2 is over",
        "the reason is empty; say why",
    )


@pytest.mark.parametrize(
    ("disposition", "told"),
    [
        (Disposition.FIX, "scores is still broken: it is not mended"),
        (Disposition.ACCEPT, "no waiver of scores holds: ask for one first"),
        (Disposition.ROLL_BACK, "version 3 still may act: hold, stop or retire it first"),
        (Disposition.RETIRE, "version 3 still may act: hold, stop or retire it first"),
        (Disposition.CLEARED, "the system alone says that a case is cleared"),
    ],
)
def test_a_case_is_closed_by_what_is_so(disposition, told):
    there, ledger = present(an_alert("ks")), approved()
    ledger = ledger.after(settled(ledger, there))
    assert reasons(ledger, close_case, there, HEAD, 1, disposition, "", "") == (
        told,
        "the reason is empty; say what was done",
        "the evidence is empty; give the digest of what shows it",
    )


def test_a_case_is_closed_once():
    there, ledger = present(an_alert("ks")), approved()
    ledger = ledger.after(settled(ledger, there))
    ledger = then(ledger, close_case, present(), HEAD, 1, Disposition.FIX, "mended", "sha")
    case = ledger.cases[1]
    assert (case.open, case.closed_by, case.closing, case.evidence) == (
        False,
        "head",
        "mended",
        "sha",
    )
    assert reasons(ledger, close_case, present(), HEAD, 1, Disposition.FIX, "x", "y") == (
        "case 1 was closed by head",
    )
    assert reasons(ledger, close_case, present(), HEAD, 2, Disposition.FIX, "x", "y") == (
        "there is no case 2 of credit",
    )
