"""What follows from decisions that a version was not allowed to make."""

import pytest
from msgspec.structs import replace

from monitor.domain.governance import GateRule, Rung
from monitor.governance.acts import close_case, submit, take_away, vote
from monitor.governance.cases import Disposition
from monitor.governance.consequences import register, settled
from monitor.governance.exceeding import NAMED, Exceeded, exceed
from monitor.governance.ledger import Book, Ledger
from monitor.governance.standing import Event, State
from tests.ledgers import AT, DAY, GOVERNANCE, HEAD, HOUR, OLGA, POLICY, SRE, VERA, present

OUTSIDE = Exceeded("3", 40, AT - HOUR, "40 decisions with amount beyond 5000")


def under(rung):
    rule = GateRule(on_exceeded=rung)
    return replace(POLICY, governance=replace(GOVERNANCE, gate=rule))


def after(ledger, there, *found):
    """Return the ledger after a run that found something; a look at it later changes nothing."""
    ledger = ledger.after(settled(ledger, there))
    book = Book(ledger, there.now)
    exceed(book, there, found)
    ledger = book.ledger.after(settled(book.ledger, there))
    assert not settled(ledger, there)
    return ledger


def approved(there=None):
    there = there or present()
    ledger = after(Ledger("credit"), there)
    for act, *arguments in (
        (submit, OLGA, "3", {}, "ready"),
        (vote, VERA, 1, ""),
        (vote, HEAD, 1, ""),
    ):
        book = Book(ledger, there.now)
        act(book, there, *arguments, **({"granted": True} if act is vote else {}))
        ledger = book.ledger
    return ledger


@pytest.mark.parametrize(
    ("rung", "state"),
    [
        (Rung.WATCH, State.WATCH),
        (Rung.RESTRICT, State.RESTRICTED),
        (Rung.HOLD, State.HELD),
        (Rung.STOP, State.STOPPED),
    ],
)
def test_the_version_goes_to_the_rung_of_the_policy_and_somebody_answers(rung, state):
    there = present(policy=under(rung))
    ledger = after(approved(there), there, OUTSIDE)
    assert (ledger.standings["3"].state, ledger.standings["3"].reason) == (state, OUTSIDE.told)
    (case,) = ledger.cases.values()
    assert (case.cause, case.rung, case.accountable) == ("outside_authority", rung, "head")
    assert case.reason == OUTSIDE.told


def test_where_the_policy_only_calls_somebody_nothing_moves():
    there = present(policy=under(None))
    ledger = approved(there)
    assert after(ledger, there, OUTSIDE) == ledger


def test_without_anything_outside_nothing_follows():
    ledger = approved()
    assert after(ledger, present()) == ledger


def test_who_was_never_approved_is_answered_for_as_well():
    ledger = after(Ledger("credit"), present(), OUTSIDE)
    assert ledger.standings["3"].state is State.REGISTERED
    (case,) = ledger.cases.values()
    assert (case.version, case.rung) == ("3", Rung.HOLD)


def test_a_further_window_opens_no_second_case():
    there = present()
    ledger = after(approved(), there, OUTSIDE)
    later = present(now=AT + HOUR)
    again = after(ledger, later, replace(OUTSIDE, last=AT + HOUR))
    assert again == ledger


def closed_at(when):
    ledger = after(approved(), present(), OUTSIDE)
    book = Book(ledger, when)
    close_case(book, present(now=when), HEAD, 1, Disposition.FIX, "the proxy asks now", "sha")
    return book.ledger


def test_what_was_answered_for_is_not_held_against_it_again():
    ledger = closed_at(AT + 2 * HOUR)
    there = present(now=AT + 3 * HOUR)
    assert after(ledger, there, replace(OUTSIDE, last=AT + HOUR)) == ledger
    newer = after(ledger, there, replace(OUTSIDE, last=AT + 2 * HOUR + HOUR / 2))
    assert [case.open for case in newer.cases.values()] == [False, True]


def test_a_deadline_that_is_missed_climbs_as_that_of_any_case():
    there = present(policy=under(Rung.RESTRICT))
    ledger = after(approved(there), there, OUTSIDE)
    late = after(ledger, replace(there, now=AT + 2 * DAY))
    assert late.standings["3"].state is State.HELD
    assert late.cases[1].rung is Rung.HOLD


def test_what_is_held_stays_where_it_is_and_is_answered_for():
    book = Book(approved(), AT)
    take_away(book, present(), SRE, "3", Event.STOPPED, "customers complain")
    ledger = after(book.ledger, present(), OUTSIDE)
    assert ledger.standings["3"].state is State.STOPPED
    assert {case.cause for case in ledger.cases.values()} == {"person", "outside_authority"}


def test_of_very_many_versions_few_have_a_case_and_the_first_says_how_many_more():
    book = Book(Ledger("credit"), AT)
    for place in range(30):
        register(book, str(place))
    found = [Exceeded(str(place), place + 1, AT, "told") for place in range(30)]
    ledger = after(book.ledger, present(), *found)
    told = [(case.version, case.reason) for case in ledger.cases.values()]
    assert told == [
        ("29", "told; and 25 more versions"),
        *((str(29 - place), "told") for place in range(1, NAMED)),
    ]


def test_a_version_that_nobody_registered_or_that_is_retired_opens_none():
    assert after(Ledger("credit"), present(), replace(OUTSIDE, version="9")).cases == {}
