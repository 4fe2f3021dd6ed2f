"""The table of states: what must hold of every way in it, and walks through it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.domain.approval import APPROVERS, ApprovalKind
from monitor.domain.role import Role
from monitor.governance.approvals import NotAllowedError
from monitor.governance.standing import (
    AUTHORITY,
    EDGES,
    Event,
    Move,
    Standing,
    State,
    edge_of,
    moved,
)

AT = datetime(2026, 9, 1, tzinfo=UTC)
UP = [edge for edge in EDGES if AUTHORITY[edge.target] > AUTHORITY[edge.source]]


def standing(state):
    return Standing("credit", "3", state, 7, AT, "daemon")


def test_every_state_can_be_reached_and_left():
    assert {edge.target for edge in EDGES} | {State.REGISTERED} == set(State)
    assert {edge.source for edge in EDGES} == set(State) - {State.RETIRED}


def test_one_event_leads_to_one_state():
    assert len({(edge.source, edge.event) for edge in EDGES}) == len(EDGES)
    assert {edge.event for edge in EDGES} == set(Event)


@pytest.mark.parametrize("edge", UP, ids=lambda edge: f"{edge.source}-{edge.event}")
def test_authority_is_given_by_an_approval_alone(edge):
    assert edge.approval is not None
    assert edge.by <= APPROVERS
    assert Role.SYSTEM not in edge.by


def test_the_system_makes_one_way_up_and_that_is_no_more_authority():
    ups = [edge for edge in EDGES if edge.by == {Role.SYSTEM} and edge.target is State.APPROVED]
    assert [(edge.source, edge.target) for edge in ups] == [(State.WATCH, State.APPROVED)]
    assert AUTHORITY[State.WATCH] == AUTHORITY[State.APPROVED]


@pytest.mark.parametrize("state", [state for state in State if AUTHORITY[state]])
def test_one_person_or_the_system_takes_authority_away_from_whatever_acts(state):
    stop = edge_of(state, Event.STOPPED)
    assert stop is not None
    assert stop.approval is None
    assert {Role.OPERATOR, Role.ACCOUNTABLE, Role.GOVERNANCE} == stop.by
    for event in (Event.HOLD_BREACHED, Event.IDENTITY_CHANGED, Event.APPROVAL_EXPIRED):
        assert edge_of(state, event).target is State.HELD


def test_an_owner_and_an_administrator_give_no_authority():
    assert not any(
        {Role.OWNER, Role.ADMIN, Role.VIEWER, Role.AUDITOR, Role.GATE} & edge.by for edge in UP
    )


def test_nothing_leads_out_of_retirement():
    assert not [edge for edge in EDGES if edge.source is State.RETIRED]
    with pytest.raises(NotAllowedError, match="this state is the last"):
        moved(standing(State.RETIRED), Move(Event.SUBMITTED, AT, "dana", Role.OWNER))


def test_a_hold_is_released_in_two_steps():
    release = Move(
        Event.RELEASED, AT, "head", Role.ACCOUNTABLE, "cause mended", ApprovalKind.RELEASE_HOLD
    )
    probation = moved(standing(State.HELD), release)
    assert probation.state is State.RESTRICTED
    assert moved(probation, release).state is State.APPROVED


def test_every_reason_why_not_is_told_at_once():
    with pytest.raises(NotAllowedError) as refused:
        moved(standing(State.HELD), Move(Event.RELEASED, AT, "dana", Role.OWNER))
    assert refused.value.reasons == (
        "dana speaks as owner; released is up to accountable",
        "it takes an approval of the kind release_hold that holds now",
        "it needs a reason",
    )


def test_an_approval_of_another_kind_is_none():
    approve = Move(Event.APPROVED, AT, "val", Role.VALIDATOR, granted=ApprovalKind.WAIVER)
    with pytest.raises(NotAllowedError, match="of the kind activate_version"):
        moved(standing(State.PENDING), approve)


def test_a_move_says_who_when_and_why():
    stop = Move(Event.STOPPED, AT + timedelta(1), "sre", Role.OPERATOR, "wrong scores since noon")
    after = moved(standing(State.WATCH), stop)
    assert (after.state, after.sequence, after.since, after.by, after.reason) == (
        State.STOPPED,
        8,
        AT + timedelta(1),
        "sre",
        "wrong scores since noon",
    )


class AnyWalk(RuleBasedStateMachine):
    """Whatever happens, in whatever order, by whomever."""

    @initialize()
    def begin(self):
        self.standing = standing(State.REGISTERED)

    @rule(
        event=st.sampled_from(Event),
        role=st.sampled_from(Role),
        reason=st.sampled_from(["", " ", "because"]),
        granted=st.none() | st.sampled_from(ApprovalKind),
        minutes=st.integers(0, 100),
    )
    def happens(self, event, role, reason, granted, minutes):
        before = self.standing
        at = before.since + timedelta(minutes=minutes)
        try:
            self.standing = moved(before, Move(event, at, "somebody", role, reason, granted))
        except NotAllowedError:
            return
        assert self.standing.sequence == before.sequence + 1
        rose = AUTHORITY[self.standing.state] > AUTHORITY[before.state]
        if rose:
            assert granted is edge_of(before.state, event).approval is not None
            assert role in APPROVERS
        if role is Role.SYSTEM:
            assert not rose

    @invariant()
    def retired_is_for_good(self):
        if hasattr(self, "standing") and self.standing.state is State.RETIRED:
            assert not [event for event in Event if edge_of(State.RETIRED, event)]


TestAnyWalk = AnyWalk.TestCase
TestAnyWalk.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
