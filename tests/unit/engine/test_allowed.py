"""Which version was allowed to act at an instant, and by whose approval."""

from datetime import timedelta

from msgspec.structs import replace

from monitor.domain.approval import ApprovalKind, ApprovalRule, Seat
from monitor.domain.governance import GateAction
from monitor.domain.role import Role
from monitor.engine.allowed import authority_at
from monitor.engine.answering import Answered
from monitor.governance.approvals import Request, RequestState, Vote
from monitor.governance.permit import Answer
from monitor.governance.standing import State
from monitor.reports.allowed_at import authority_document, authority_table
from tests.gatehouse import AT, GOVERNED, POLICY, Versions

HOUR = timedelta(hours=1)
RULE = ApprovalRule(ApprovalKind.ACTIVATE_VERSION, (Seat(Role.VALIDATOR), Seat(Role.ACCOUNTABLE)))
APPROVALS = {ApprovalKind.ACTIVATE_VERSION: RULE}
GOVERNED_POLICY = replace(POLICY, governance=replace(GOVERNED, approvals=APPROVALS))


def answered(hours, action, state, version="3"):
    answer = Answer("credit", version, action, state=state, policy="p" * 64)
    return Answered(AT + hours * HOUR, answer, timedelta(minutes=6))


def request(number, hours, *roles, recorded=RequestState.GRANTED):
    votes = tuple(
        Vote(f"{role}-{number}", f"{role}-{number}", role, granted=True, at=AT + hours * HOUR)
        for role in roles
    )
    return Request(
        ApprovalKind.ACTIVATE_VERSION,
        "3",
        "otto",
        AT,
        {},
        "ready",
        votes,
        version="3",
        number=number,
        recorded=recorded,
    )


BOTH = (Role.VALIDATOR, Role.ACCOUNTABLE)


def known(*requests):
    versions = Versions()
    versions.recorded = [
        answered(0, GateAction.DENY, State.PENDING),
        answered(2, GateAction.ALLOW, State.APPROVED),
        answered(3, GateAction.DENY, State.REGISTERED, "4"),
        answered(5, GateAction.ROUTE_TO_HUMAN, State.HELD),
    ]
    versions.asked["credit"] = requests
    return versions


def told(versions, hours, policy_of={}.get):
    return authority_at(GOVERNED_POLICY, versions, versions, AT + hours * HOUR, policy_of)


def test_the_last_answer_before_an_instant_is_what_was_allowed():
    versions = known(request(1, 2, *BOTH))
    actions = {
        hours: [
            (version, each.answered.answer.action.value)
            for version, each in told(versions, hours).versions.items()
        ]
        for hours in (0, 1.9, 2, 4, 5)
    }
    assert actions == {
        0: [("3", "deny")],
        1.9: [("3", "deny")],
        2: [("3", "allow")],
        4: [("3", "allow"), ("4", "deny")],
        5: [("3", "route_to_human"), ("4", "deny")],
    }


def test_it_names_who_approved_by_then():
    versions = known(request(1, 2, *BOTH), request(2, 4, *BOTH))
    assert told(versions, 1).versions["3"].approval is None
    assert told(versions, 3).versions["3"].approval.number == 1
    assert told(versions, 4).versions["3"].approval.number == 2
    document = authority_document(told(versions, 3))["versions"]["3"]
    assert [vote["role"] for vote in document["approval"]["votes"]] == list(BOTH)
    assert "validator-1 (validator)" in str(authority_table(told(versions, 3)).rows)


def test_an_approval_that_is_over_by_now_was_one_then():
    versions = known(request(1, 2, *BOTH, recorded=RequestState.VOIDED))
    assert told(versions, 3).versions["3"].approval.number == 1


def test_who_approved_is_told_by_the_rule_of_then():
    then = request(1, 2, Role.VALIDATOR, recorded=RequestState.VOIDED)
    assert told(known(then), 3).versions["3"].approval is None
    rule = replace(APPROVALS[ApprovalKind.ACTIVATE_VERSION], seats=(Seat(Role.VALIDATOR),))
    one = replace(GOVERNED, approvals={ApprovalKind.ACTIVATE_VERSION: rule})
    before = {"before": replace(POLICY, governance=one)}
    versions = known(replace(then, bound_to={"policy": "before"}))
    assert told(versions, 3, before.get).versions["3"].approval.number == 1


def test_a_request_that_nobody_granted_is_no_approval():
    versions = known(
        request(1, 2, Role.VALIDATOR, recorded=RequestState.EXPIRED),
        request(2, 2, Role.VALIDATOR, recorded=RequestState.PENDING),
        request(3, 2, recorded=RequestState.WITHDRAWN),
    )
    assert told(versions, 3).versions["3"].approval is None
    assert authority_table(told(versions, 3)).rows[0][-1] == "nobody"


def test_before_the_first_record_nothing_is_known_and_that_is_said():
    assert "nothing is known of this instant" in authority_table(told(known(), -1)).note
    assert "no daemon kept its gate" in authority_table(told(Versions(), 1)).note
