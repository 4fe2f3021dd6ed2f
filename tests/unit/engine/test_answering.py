"""What the gate answers for a model: its standings, what is open against them and what is waived."""

from datetime import timedelta

from msgspec.structs import replace

from monitor.domain.approval import ApprovalKind
from monitor.domain.governance import GateAction, Rung
from monitor.engine.answering import answers_for
from monitor.governance.approvals import Request, RequestState
from monitor.governance.cases import Case
from monitor.governance.standing import State
from monitor.governance.waivers import Waiver
from tests.gatehouse import AT, GOVERNED, POLICY, Versions

GOVERNED_POLICY = replace(POLICY, governance=GOVERNED)
CASE = Case("credit", 1, "3", "drift", Rung.HOLD, "head@bank.example", AT, "drift of income")
WAIVER = Waiver(
    "credit", 2, "drift", "", "known", "sampled", "o", ("g",), AT, AT + timedelta(days=1)
)


def standing(state=State.APPROVED):
    versions = Versions()
    versions.put("credit", "3", state)
    return versions


def told(versions, after=timedelta(hours=1)):
    return answers_for(GOVERNED_POLICY, versions.ledger("credit"), AT + after).of("3")


def test_what_a_version_may_do_follows_from_where_it_stands():
    assert told(standing()).action is GateAction.ALLOW
    assert told(standing(State.HELD)).action is GateAction.ROUTE_TO_HUMAN
    assert told(Versions()).action is GateAction.DENY


def test_a_standing_that_forgets_an_open_case_gives_no_more_than_the_case():
    versions = standing()
    versions.opened["credit"] = (CASE,)
    found = told(versions)
    assert found.action is GateAction.ROUTE_TO_HUMAN
    assert "rung: hold is in force" in found.reasons
    versions.opened["credit"] = (replace(CASE, closed_at=AT),)
    assert told(versions).action is GateAction.ALLOW
    versions.opened["credit"] = (replace(CASE, version="4"),)
    assert told(versions).action is GateAction.ALLOW


def test_a_waiver_is_named_while_it_holds_and_its_end_brings_the_consequence_back():
    versions = standing()
    versions.opened["credit"], versions.waived["credit"] = (CASE,), (WAIVER,)
    waived = told(versions)
    assert (waived.action, waived.reasons) == (GateAction.ALLOW, ("waived: drift",))
    assert told(versions, timedelta(days=1)).action is GateAction.ROUTE_TO_HUMAN


def test_it_names_the_model_that_was_approved():
    versions = standing()
    granted = Request(
        ApprovalKind.ACTIVATE_VERSION,
        "3",
        "o",
        AT,
        {"model": "m" * 64, "policy": "p" * 64},
        "ready",
        version="3",
        number=1,
        recorded=RequestState.GRANTED,
        recorded_at=AT,
    )
    versions.asked["credit"] = (granted,)
    assert told(versions).model_digest == "m" * 64
    versions.asked["credit"] = (replace(granted, recorded=RequestState.VOIDED),)
    assert told(versions).model_digest == ""
