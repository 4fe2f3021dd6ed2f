"""What versions may do, as Prometheus sees it."""

import pytest
from msgspec.structs import replace

from monitor.domain.alert import AlertState
from monitor.engine.evidence import Found
from monitor.exposition.render import render
from monitor.governance.acts import ask_waiver, close_case, submit, take_away, vote
from monitor.governance.cases import Disposition
from monitor.governance.consequences import settled
from monitor.governance.ledger import Book, Ledger
from monitor.governance.standing import Event, State
from tests.ledgers import (
    AT,
    DAY,
    GINA,
    GOVERNANCE,
    HEAD,
    HOUR,
    OLGA,
    POLICY,
    SRE,
    VERA,
    an_alert,
    present,
)


@pytest.fixture
def shown(make):
    """Return a function that gives the lines of a page about who may act."""

    def lines(ledger, *alerts, policy=POLICY, found=()):
        found = replace(
            make.snapshot(None),
            policy=policy,
            ledger=ledger,
            alerts=alerts,
            baselines={},
            found=found,
        )
        text = render([found], make.build, make.families, 10_000).text().decode()
        names = (
            "version_",
            "case_",
            "waiver_",
            "alert_waived",
            "requests_",
            "approval_",
            "evidence_",
        )
        wanted = tuple(f"modelmon_{name}" for name in names)
        return [
            line.removeprefix("modelmon_") for line in text.splitlines() if line.startswith(wanted)
        ]

    return lines


def begun():
    ledger = Ledger("credit")
    return ledger.after(settled(ledger, present()))


def then(ledger, there, act, *arguments, **named):
    book = Book(ledger, there.now)
    act(book, there, *arguments, **named)
    return book.ledger.after(settled(book.ledger, there))


def approved():
    ledger = then(begun(), present(), submit, OLGA, "3", {}, "ready")
    ledger = then(ledger, present(), vote, VERA, 1, "", granted=True)
    return then(ledger, present(), vote, HEAD, 1, "", granted=True)


def test_a_version_is_in_one_state(shown):
    lines = shown(approved())
    of = 'model="credit",model_version="3"'
    states = {line for line in lines if line.startswith("version_state{")}
    assert states == {
        f'version_state{{{of},state="{state}"}} {float(state is State.APPROVED)}' for state in State
    }
    assert f"version_authority{{{of}}} 2.0" in lines
    (since,) = [line for line in lines if line.startswith("version_state_since")]
    assert float(since.split()[-1]) == AT.timestamp()


def test_what_waits_for_a_vote_is_counted_by_kind(shown):
    ledger = then(begun(), present(), submit, OLGA, "3", {}, "ready")
    lines = [line for line in shown(ledger) if line.startswith("requests_pending")]
    assert 'requests_pending{kind="activate_version",model="credit"} 1.0' in lines
    assert 'requests_pending{kind="waiver",model="credit"} 0.0' in lines


def test_an_open_case_has_its_deadline_and_how_often_it_was_missed(shown):
    alert = an_alert("ks")
    ledger = approved()
    ledger = ledger.after(settled(ledger, present(alert)))
    of = 'case="1",cause="scores",model="credit",model_version="3"'
    lines = shown(ledger)
    assert f'case_deadlines_missed{{{of},rung="restrict"}} 0.0' in lines
    (due,) = [line for line in lines if line.startswith("case_deadline_timestamp")]
    assert float(due.split()[-1]) == (AT + 2 * DAY).timestamp()
    late = present(alert, now=AT + 20 * DAY)
    lines = shown(ledger.after(settled(ledger, late)))
    assert f'case_deadlines_missed{{{of},rung="hold"}} 2.0' in lines
    assert not [line for line in lines if line.startswith("case_deadline_timestamp")]


def test_a_waiver_and_what_it_waives_are_shown_until_it_is_over(shown):
    asked = ("drift", "", AT + DAY, "why", "control")
    ledger = then(approved(), present(), ask_waiver, OLGA, *asked)
    ledger = then(ledger, present(), vote, GINA, 2, "", granted=True)
    alert, other = an_alert("psi"), an_alert("ks")
    lines = [line for line in shown(ledger, alert, other) if "waive" in line.split("{")[0]]
    assert [line.rpartition(" ")[0] for line in lines] == [
        'waiver_until_timestamp_seconds{limit="drift",model="credit"}',
        'alert_waived_until_timestamp_seconds{finding="psi--3",limit="drift",model="credit"}',
    ]
    assert {float(line.split()[-1]) for line in lines} == {(AT + DAY).timestamp()}
    resolved = shown(ledger, replace(alert, state=AlertState.RESOLVED))
    assert not [line for line in resolved if line.startswith("alert_waived")]
    over = ledger.after(settled(ledger, present(now=AT + DAY)))
    assert not [line for line in shown(over, alert) if "waive" in line.split("{")[0]]


def test_what_was_retired_is_gone(shown):
    there = present(now=AT + HOUR)
    ledger = then(approved(), there, take_away, SRE, "3", Event.STOPPED, "wrong")
    assert 'version_authority{model="credit",model_version="3"} 0.0' in shown(ledger)
    ledger = then(ledger, there, take_away, OLGA, "3", Event.RETIRED, "replaced")
    assert not [line for line in shown(ledger) if line.startswith(("version_", "case_"))]


def test_an_approval_is_void_from_when_it_rests_on_another_until_the_next_one(shown):
    of = 'model="credit",model_version="3"'

    def void(ledger):
        return [line for line in shown(ledger) if line.startswith("approval_void")]

    assert void(begun()) == []
    ledger = approved()
    assert void(ledger) == [f"approval_void{{{of}}} 0.0"]
    other = present(baseline="sha-other")
    ledger = ledger.after(settled(ledger, other))
    assert void(ledger) == [f"approval_void{{{of}}} 1.0"]
    ledger = then(ledger, other, submit, OLGA, "3", {}, "anew")
    ledger = then(ledger, other, vote, VERA, 2, "", granted=True)
    assert void(ledger) == [f"approval_void{{{of}}} 1.0"]
    case = next(iter(ledger.cases))
    ledger = then(ledger, other, close_case, HEAD, case, Disposition.FIX, "meant", "sha256:aa")
    assert void(then(ledger, other, vote, HEAD, 2, "", granted=True)) == [
        f"approval_void{{{of}}} 0.0"
    ]


def test_what_could_not_be_looked_at_is_shown_where_the_policy_names_it(shown):
    policy = replace(POLICY, governance=replace(GOVERNANCE, rests_on={"report": "r", "model": "m"}))
    found = (
        Found("3", "report", "sha256:aa", AT, "Permission denied"),
        Found("3", "model", "sha256:bb", AT),
        Found("3", "registry", "sha256:cc", AT, "away"),
        Found("4", "report", "", AT),
    )
    lines = [line for line in shown(begun(), policy=policy, found=found) if "evidence" in line]
    of = 'model="credit",model_version="3"'
    assert lines == [
        f'evidence_unseen{{evidence="model",{of}}} 0.0',
        f'evidence_unseen{{evidence="report",{of}}} 1.0',
        'evidence_unseen{evidence="report",model="credit",model_version="4"} 1.0',
    ]
