"""What a serving layer is told: never more than the standing gives, and less on each further rung."""

from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.governance import (
    HUMAN_REVIEW_SHARE,
    Accountability,
    Autonomy,
    Consequence,
    Delegation,
    Fallback,
    GateAction,
    GateRule,
    Governance,
    Risk,
    RiskLimit,
    Rung,
    Tier,
    Unreachable,
)
from monitor.governance.permit import LESS, answer_of, permit_of
from monitor.governance.standing import AUTHORITY, Standing, State

NOW = datetime(2026, 9, 20, 12, tzinfo=UTC)
LADDER = {
    Rung.WATCH: Consequence(Rung.WATCH, GateAction.ALLOW),
    Rung.RESTRICT: Consequence(
        Rung.RESTRICT, GateAction.ALLOW_WITH_CONDITIONS, {"amount": 5000.0, HUMAN_REVIEW_SHARE: 0.2}
    ),
    Rung.HOLD: Consequence(Rung.HOLD, GateAction.ROUTE_TO_HUMAN),
    Rung.STOP: Consequence(Rung.STOP, GateAction.DENY),
}
GOVERNED = Governance(
    delegation=Delegation(
        "Approve loans up to 20 000 EUR",
        "cro@bank.example",
        date(2026, 9, 1),
        autonomy=Autonomy.ACT_WITH_LIMITS,
        fallback=Fallback("underwriting-desk"),
    ),
    accountability=Accountability("head@bank.example"),
    risk=Risk(Tier.HIGH, "Access to credit"),
    limits=(RiskLimit("drift", Rung.HOLD),),
    consequences=MappingProxyType(LADDER),
)


def standing(state):
    return Standing("credit", "3", state, 7, NOW, "daemon")


def told(state, governance=GOVERNED, **more):
    return answer_of("credit", "3", governance, state and standing(state), **more)


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (State.REGISTERED, GateAction.DENY),
        (State.PENDING, GateAction.DENY),
        (State.APPROVED, GateAction.ALLOW),
        (State.WATCH, GateAction.ALLOW),
        (State.RESTRICTED, GateAction.ALLOW_WITH_CONDITIONS),
        (State.HELD, GateAction.ROUTE_TO_HUMAN),
        (State.STOPPED, GateAction.DENY),
        (State.RETIRED, GateAction.DENY),
    ],
)
def test_the_action_follows_from_where_the_version_stands(state, action):
    found = told(state)
    assert found.action is action
    assert (found.state, found.sequence) == (state, 7)
    assert bool(found.reasons) == (state is not State.APPROVED)


def test_a_restricted_version_is_told_within_what_it_may_act():
    assert told(State.RESTRICTED).conditions == {"amount": 5000.0, HUMAN_REVIEW_SHARE: 0.2}
    assert told(State.HELD).conditions == {}


def test_a_version_that_nobody_knows_is_denied():
    found = told(None)
    assert (found.action, found.state) == (GateAction.DENY, None)
    assert found.reasons == ("unknown_version: nothing is known of version 3",)


def test_every_answer_that_the_policy_leaves_out_is_named():
    found = told(State.APPROVED, Governance())
    assert found.action is GateAction.DENY
    missing = ", ".join(Governance().missing)
    assert found.reasons == (f"ungoverned: the policy leaves out {missing}",)
    assert "accountability.accountable" in missing


def test_nobody_may_let_a_prohibited_model_act():
    prohibited = replace(GOVERNED, risk=Risk(Tier.PROHIBITED))
    assert told(State.APPROVED, prohibited).action is GateAction.DENY
    assert told(State.APPROVED, prohibited).reasons[0].startswith("prohibited:")


def test_without_anybody_who_decides_instead_nothing_is_routed():
    alone = replace(GOVERNED, delegation=replace(GOVERNED.delegation, fallback=None))
    assert told(State.HELD, alone).action is GateAction.DENY
    assert any(reason.startswith("no_fallback:") for reason in told(State.HELD, alone).reasons)


def test_restricted_to_nothing_that_is_named_is_not_acting():
    bare = {**LADDER, Rung.RESTRICT: Consequence(Rung.RESTRICT, GateAction.ALLOW)}
    found = told(State.RESTRICTED, replace(GOVERNED, consequences=bare))
    assert found.action is GateAction.ROUTE_TO_HUMAN


def test_who_was_delegated_advice_has_each_decision_seen_by_a_person():
    advising = replace(GOVERNED, delegation=replace(GOVERNED.delegation, autonomy=Autonomy.ADVISE))
    found = told(State.APPROVED, advising)
    assert (found.action, found.conditions) == (
        GateAction.ALLOW_WITH_CONDITIONS,
        {HUMAN_REVIEW_SHARE: 1.0},
    )
    assert told(State.RESTRICTED, advising).conditions == {
        "amount": 5000.0,
        HUMAN_REVIEW_SHARE: 1.0,
    }


def test_waived_limits_are_named_and_change_nothing():
    named = told(State.RESTRICTED, waived=["drift"])
    assert "waived: drift" in named.reasons
    assert named.action is told(State.RESTRICTED).action


actions = st.sampled_from(GateAction)
conditions = st.dictionaries(
    st.sampled_from(["amount", "term", HUMAN_REVIEW_SHARE]), st.floats(0, 1), max_size=3
)
ladders = st.fixed_dictionaries(
    {},
    optional={
        rung: st.builds(Consequence, st.just(rung), gate=actions, conditions=conditions)
        for rung in Rung
    },
)
governances = st.builds(
    replace,
    st.just(GOVERNED),
    consequences=ladders,
    risk=st.builds(Risk, st.sampled_from([None, *Tier])),
    delegation=st.builds(
        replace,
        st.just(GOVERNED.delegation),
        autonomy=st.sampled_from([None, *Autonomy]),
        fallback=st.sampled_from([None, Fallback("desk")]),
        statement=st.sampled_from(["", "Approve loans"]),
    ),
    gate=st.builds(GateRule, on_unreachable=st.sampled_from(Unreachable)),
)
states = st.sampled_from([None, *State])
rungs = st.sampled_from([None, *Rung])


@pytest.mark.slow
@given(governances, states, rungs)
def test_it_never_gives_more_than_the_standing(governance, state, rung):
    found = told(state, governance, rung=rung)
    authority = 0 if state is None else AUTHORITY[state]
    if authority == 0 or not governance.governed or governance.risk.tier is Tier.PROHIBITED:
        assert not found.acts
    if authority == 1:
        assert LESS[found.action] >= LESS[GateAction.ALLOW_WITH_CONDITIONS]
    if state in {None, State.REGISTERED, State.PENDING, State.STOPPED, State.RETIRED}:
        assert found.action is GateAction.DENY
    assert bool(found.conditions) == (found.action is GateAction.ALLOW_WITH_CONDITIONS)
    assert found.reasons or found.action is GateAction.ALLOW


@given(governances, states, rungs, rungs)
def test_a_further_rung_never_gives_more(governance, state, one, other):
    near, far = sorted([one, other], key=lambda rung: rung or 0)
    nearer, further = told(state, governance, rung=near), told(state, governance, rung=far)
    assert LESS[further.action] >= LESS[nearer.action]
    if further.action is nearer.action is GateAction.ALLOW_WITH_CONDITIONS:
        for name, bound in nearer.conditions.items():
            tighter = further.conditions[name]
            assert tighter >= bound if name == HUMAN_REVIEW_SHARE else tighter <= bound


@pytest.mark.slow
@given(governances, rungs)
def test_less_standing_never_gives_more(governance, rung):
    path = [State.APPROVED, State.WATCH, State.RESTRICTED, State.HELD, State.STOPPED]
    found = [LESS[told(state, governance, rung=rung).action] for state in path]
    assert found == sorted(found)


@given(governances, states, rungs)
def test_a_permit_opens_by_itself_for_nothing_that_may_not_act(governance, state, rung):
    answer = told(state, governance, rung=rung)
    permit = permit_of(answer, governance, NOW, "id")
    assert permit.issued < permit.expires <= permit.stale_until
    if not answer.acts or governance.risk.tier not in {Tier.LOW, Tier.MEDIUM}:
        assert permit.on_expiry is Unreachable.CLOSED


def test_a_low_tier_opens_where_its_policy_says_so():
    low = replace(GOVERNED, risk=Risk(Tier.LOW), gate=GateRule(on_unreachable=Unreachable.OPEN))
    permit = permit_of(told(State.APPROVED, low), low, NOW, "id")
    assert permit.on_expiry is Unreachable.OPEN


def test_what_is_signed_has_every_field():
    rule = GateRule(ttl=timedelta(seconds=60), stale_grace=timedelta(seconds=300))
    governance = replace(GOVERNED, gate=rule)
    answer = told(State.RESTRICTED, governance, policy="p" * 64, model_digest="m" * 64)
    second = int(NOW.timestamp())
    assert permit_of(answer, governance, NOW, "name", (12, "ab")).claims() == {
        "v": 1,
        "model": "credit",
        "version": "3",
        "model_digest": "m" * 64,
        "action": "allow_with_conditions",
        "conditions": {"amount": 5000.0, "human_review_share": 0.2},
        "state": "restricted",
        "reasons": ["restricted: since 2026-09-20T12:00:00+00:00"],
        "policy_digest": "p" * 64,
        "iat": second,
        "exp": second + 60,
        "stale_until": second + 360,
        "on_expiry": "closed",
        "seq": 7,
        "audit_size": 12,
        "audit_root": "ab",
        "jti": "name",
    }


def test_another_answer_has_another_digest():
    found = {told(state).digest for state in State} | {told(None).digest}
    assert len(found) == len(State) + 1
    assert told(State.HELD).digest == told(State.HELD).digest
