"""Whatever took a version's authority away, people can give it back once the cause is mended."""

import pytest
from msgspec.structs import replace

from monitor.domain.governance import Review, Rung
from monitor.governance.acts import ask_release, close_case, submit, take_away, vote
from monitor.governance.approvals import NotAllowedError, RequestState
from monitor.governance.cases import Cause, Disposition
from monitor.governance.consequences import settled
from monitor.governance.exceeding import Exceeded, exceed
from monitor.governance.ledger import Book, Ledger
from monitor.governance.standing import Event, State
from tests.ledgers import (
    AT,
    DAY,
    GOVERNANCE,
    HEAD,
    OLGA,
    POLICY,
    SRE,
    VERA,
    an_alert,
    over,
    present,
)

ALERTS = {"hold": an_alert("psi", "sex"), "stop": an_alert("freshness"), "low": an_alert("ks")}


def after(ledger, there):
    return ledger.after(settled(ledger, there))


def tried(ledger, there, act, *arguments, **named):
    """Return the ledger after somebody did something, or as it was where they may not."""
    book = Book(ledger, there.now)
    try:
        act(book, there, *arguments, **named)
    except NotAllowedError:
        return ledger
    return after(book.ledger, there)


def approved(policy=POLICY):
    there = present(policy=policy)
    return people(after(Ledger("credit"), there), there)


def people(ledger, there):
    """Return the ledger after everybody did whatever they may to give authority back."""
    for _ in range(4):
        for case in list(ledger.cases.values()):
            closing = (case.number, Disposition.FIX, "mended", "sha256:e")
            ledger = tried(ledger, there, close_case, HEAD, *closing)
        if ledger.standings["3"].state is not State.APPROVED:
            ledger = tried(ledger, there, ask_release, OLGA, "3", "mended")
            ledger = tried(ledger, there, submit, OLGA, "3", {}, "anew")
        for request in list(ledger.requests.values()):
            if request.recorded is RequestState.PENDING:
                for speaker in (VERA, HEAD):
                    ledger = tried(ledger, there, vote, speaker, request.number, "", granted=True)
    return ledger


def by_limit(name):
    alert = ALERTS[name]
    ledger = after(approved(), present(alert))
    return ledger, present(over(alert), now=AT + DAY / 2)


def by_deadline():
    alert = ALERTS["low"]
    ledger = after(approved(), present(alert))
    late = present(alert, now=AT + 30 * DAY)
    return after(ledger, late), replace(late, alerts=(over(alert),))


def by_review(rung):
    policy = replace(POLICY, governance=replace(GOVERNANCE, review=Review(60 * DAY, on_lapse=rung)))
    late = present(now=AT + 61 * DAY, policy=policy)
    return after(approved(policy), late), late


def by_approval():
    policy = replace(POLICY, governance=replace(GOVERNANCE, review=None))
    late = present(now=AT + 91 * DAY, policy=policy)
    return after(approved(policy), late), late


def by_identity():
    other = present(baseline="sha-other")
    return after(approved(), other), other


def by_person(event):
    book = Book(approved(), AT)
    take_away(book, present(), SRE, "3", event, "scores look odd")
    return book.ledger, present()


def by_decisions():
    book = Book(approved(), AT)
    exceed(book, present(), [Exceeded("3", 7, AT, "7 decisions were made while it was held")])
    return book.ledger, present(now=AT + DAY / 2)


WAYS = {
    "a limit, hold": lambda: by_limit("hold"),
    "a limit, stop": lambda: by_limit("stop"),
    "a limit, restrict": lambda: by_limit("low"),
    "a deadline": by_deadline,
    "review, restrict": lambda: by_review(Rung.RESTRICT),
    "review, hold": lambda: by_review(Rung.HOLD),
    "review, stop": lambda: by_review(Rung.STOP),
    "approval": by_approval,
    "identity": by_identity,
    "outside_authority": by_decisions,
    "person, hold": lambda: by_person(Event.HELD),
    "person, stop": lambda: by_person(Event.STOPPED),
}


@pytest.mark.parametrize("way", WAYS)
def test_there_is_a_way_back(way):
    ledger, there = WAYS[way]()
    assert ledger.standings["3"].state not in {State.APPROVED, State.WATCH}
    assert ledger.open_cases("3")
    ledger = people(ledger, there)
    assert ledger.standings["3"].state is State.APPROVED
    assert not ledger.open_cases("3")
    assert not settled(ledger, there)


def test_every_cause_is_tried():
    tried_causes = {name.partition(",")[0] for name in WAYS}
    assert {cause.value for cause in Cause} <= tried_causes
