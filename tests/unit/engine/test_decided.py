"""What had been decided by an instant, told again later."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from monitor.domain.alert import Mute
from monitor.domain.governance import Rung
from monitor.domain.window import Window
from monitor.engine.decided import Decided, decided_about
from monitor.governance.cases import Case, Disposition
from monitor.governance.ledger import Ledger
from monitor.governance.waivers import Waiver

AT = datetime(2026, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SPAN = Window(AT, AT + 30 * DAY)
CASE = Case("credit", 1, "3", "sex-parity", Rung.HOLD, "head", AT + DAY, "in breach")
WAIVER = Waiver(
    *("credit", 2, "drift", "", "a campaign", "looked at daily", "olga", ("gina",)),
    *(AT + 2 * DAY, AT + 9 * DAY),
)
EARLY = Ledger("credit", cases={1: CASE}, waivers={2: WAIVER})
LATE = Ledger(
    "credit",
    cases={
        1: replace(
            CASE,
            closed_at=AT + 20 * DAY,
            closed_by="head",
            disposition=Disposition.FIX,
            closing="retrained",
            evidence="sha256:e",
        ),
        2: replace(CASE, number=2, opened_at=AT + 21 * DAY),
    },
    waivers={
        2: replace(WAIVER, ended_at=AT + 5 * DAY, ended_by="gina", ending="over"),
        3: replace(WAIVER, number=3, starts=AT + 22 * DAY, ends=AT + 23 * DAY),
    },
)


def test_nothing_was_decided_about_a_model_that_nobody_knows():
    assert decided_about(Ledger("credit"), SPAN) == Decided()
    assert decided_about(EARLY, SPAN, AT) == Decided()


def test_it_says_by_when_it_was_known():
    assert decided_about(EARLY, SPAN) == Decided(AT + 2 * DAY, (CASE,), (WAIVER,))


def test_what_was_decided_later_changes_nothing_of_what_was_told():
    then = decided_about(EARLY, SPAN)
    assert decided_about(LATE, SPAN, then.at) == then
    now = decided_about(LATE, SPAN)
    assert [item.number for item in now.cases] == [1, 2]
    assert now.cases[0].closing == "retrained"
    assert [item.number for item in now.waivers] == [2, 3]
    assert now.at == AT + 22 * DAY


def test_what_was_over_before_the_period_is_no_part_of_it():
    later = Window(SPAN.end, SPAN.end + 30 * DAY)
    assert [item.number for item in decided_about(LATE, later).cases] == [2]
    assert decided_about(LATE, later).waivers == ()


def muted(finding, at, until):
    return Mute("credit", finding, AT + at * DAY, AT + until * DAY, "sre", "known")


def told(*decisions, span=SPAN, at=None):
    found = decided_about(Ledger("credit"), span, at, decisions)
    return [
        (item.fingerprint, (item.at - AT) / DAY, (item.until - AT) / DAY) for item in found.mutes
    ]


def test_a_mute_holds_until_the_next_decision_on_its_finding():
    decisions = (muted("a", 1, 9), muted("b", 2, 4), muted("a", 5, 5), muted("a", 6, 8))
    assert told(*decisions) == [("a", 1, 5), ("b", 2, 4), ("a", 6, 8)]
    assert decided_about(Ledger("credit"), SPAN, None, decisions).at == AT + 6 * DAY


def test_a_mute_that_was_ended_later_is_told_as_it_was_known():
    decisions = (muted("a", 1, 9), muted("a", 5, 5))
    assert told(*decisions, at=AT + 4 * DAY) == [("a", 1, 9)]
    assert told(*decisions, at=AT) == []


def test_a_mute_that_was_over_before_the_period_is_no_part_of_it():
    later = Window(SPAN.end, SPAN.end + 30 * DAY)
    assert told(muted("a", 1, 30), muted("b", 1, 31), span=later) == [("b", 1, 31)]
