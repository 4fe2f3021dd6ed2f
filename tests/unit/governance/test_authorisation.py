"""Who may do what: each cell of the table, through the one function that is asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.approval import SHIPPED_RULES, ApprovalKind, ApprovalRule, Seat
from monitor.domain.governance import Accountability, Governance, Risk, Tier
from monitor.domain.role import Role
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import (
    ALLOWED,
    APPROVING,
    FRESH,
    GIVEN,
    OPERATING,
    WITHOUT_MODEL,
    Action,
    Method,
    Who,
    allowed,
    authorise,
    roles_of,
)
from tests.unit.measures.test_stretches import POLICY as ANY

NOW = datetime(2026, 9, 1, 3, tzinfo=UTC)

PEOPLE = Accountability(
    accountable="maria",
    deputy="noor",
    owners=("omar",),
    operators=("sre", "olga"),
    validators=("vera",),
    governance=("gita",),
    builders=("bela",),
    accounts={"maria.admin": "maria", "ver@home": "vera"},
)

BY_POLICY = {
    Role.OWNER: "omar",
    Role.OPERATOR: "olga",
    Role.VALIDATOR: "vera",
    Role.ACCOUNTABLE: "maria",
    Role.GOVERNANCE: "gita",
}


def policy(tier=Tier.LOW, people=PEOPLE, approvals=None):
    answers = Governance(accountability=people, risk=Risk(tier=tier), approvals=approvals or {})
    return replace(ANY, model="credit", governance=answers)


def somebody(role, **more):
    """Return somebody who has exactly this role, by the place that gives it."""
    more = {"authenticated_at": NOW, "method": Method.OIDC, **more}
    if role in BY_POLICY:
        return Who(BY_POLICY[role], **more)
    return Who("uma", roles=frozenset({role}), **more)


def reasons(who, action, of, at=NOW):
    with pytest.raises(NotAllowedError) as refused:
        authorise(who, action, of, at)
    return refused.value.reasons


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_each_cell_of_the_table_is_what_the_function_says(action, role):
    who, about = somebody(role), None if action in WITHOUT_MODEL else policy()
    if about is None:  # a policy's roles are for its model alone
        who = Who("uma", Method.OIDC, frozenset({role}), authenticated_at=NOW)
    if allowed(action, role):
        assert authorise(who, action, about, NOW) == {role}
    else:
        assert "is up to" in reasons(who, action, about)[0]


@pytest.mark.parametrize(
    ("who", "told"),
    [
        (Who("sre", Method.OIDC), "to propose policy is up to owner (omar)"),
        (Who("uma", Method.CLI), "to propose policy is up to owner (omar); --by says"),
        (
            Who("uma", Method.OIDC),
            "uma is nothing for the model credit; to propose policy is up to owner",
        ),
    ],
)
def test_who_is_refused_reads_who_may_unless_they_are_nothing(who, told):
    (reason,) = reasons(who, Action.PROPOSE_POLICY, policy())
    assert told in reason
    assert ("omar" in reason) == (who.account == "sre" or who.method is Method.CLI)
    nobody = replace(PEOPLE, owners=())
    assert "up to owner" in reasons(who, Action.PROPOSE_POLICY, policy(people=nobody))[0]


def test_nobody_does_what_is_about_a_model_without_its_policy():
    with pytest.raises(ValueError, match="give its policy"):
        authorise(somebody(Role.OWNER), Action.SUBMIT, None, NOW)


@pytest.mark.parametrize(
    "role", sorted(set(Role) - {Role.ACCOUNTABLE, Role.GOVERNANCE, Role.VALIDATOR})
)
def test_who_gives_authority_is_a_validator_accountable_or_of_governance(role):
    assert not any(allowed(action, role) for action in APPROVING)


@pytest.mark.parametrize("action", sorted(APPROVING))
def test_whoever_administers_access_approves_nothing_whatever_else_they_are(action):
    for person in BY_POLICY.values():
        who = Who(person, Method.OIDC, frozenset({Role.ADMIN}), authenticated_at=NOW)
        assert "whoever administers access approves nothing" in reasons(who, action, policy())
    who = Who("gita", Method.CLI, frozenset({Role.ADMIN, *Role}), authenticated_at=NOW)
    assert reasons(who, action, policy())


def test_an_administrator_may_take_authority_away_in_another_role():
    who = Who("olga", Method.OIDC, frozenset({Role.ADMIN}))
    assert authorise(who, Action.STOP, policy(), NOW) == {Role.OPERATOR}


def test_a_deputy_is_accountable_and_another_account_is_the_same_person():
    assert roles_of(Who("noor", Method.OIDC), policy()) == {Role.ACCOUNTABLE}
    assert roles_of(Who("maria.admin", Method.OIDC), policy()) == {Role.ACCOUNTABLE}
    assert roles_of(Who("ver@home", Method.OIDC), policy()) == {Role.VALIDATOR}


@pytest.mark.parametrize("account", ["maria", "maria.admin"])
def test_who_is_named_by_another_account_of_theirs_is_the_same_person(account):
    people = replace(PEOPLE, accountable="maria.admin", owners=("maria.admin",))
    held = roles_of(Who(account, Method.CLI), policy(people=people))
    assert {Role.ACCOUNTABLE, Role.OWNER} <= held


def test_a_team_has_a_role_and_is_never_the_accountable_person():
    assert roles_of(Who("ann", Method.OIDC, groups=frozenset({"sre"})), policy()) == {Role.OPERATOR}
    assert roles_of(Who("ann", Method.OIDC, groups=frozenset({"maria"})), policy()) == frozenset()


def test_a_policy_that_names_nobody_gives_nobody_a_role():
    nobody = policy(people=Accountability())
    assert roles_of(Who("", Method.OIDC, groups=frozenset({""})), nobody) == frozenset()


class TestTokens:
    def test_a_token_has_by_itself_only_what_gives_no_authority(self):
        who = Who("robot", Method.TOKEN, GIVEN, within=frozenset(Role))
        assert authorise(who, Action.MUTE, policy(), NOW) == {Role.OPERATOR}
        assert not any(allowed(action, role) for action in APPROVING for role in GIVEN)

    def test_it_narrows_what_its_holder_is(self):
        within = frozenset({Role.OWNER})
        assert roles_of(Who("omar", Method.TOKEN, within=within), policy()) == within
        assert roles_of(Who("maria", Method.TOKEN, within=within), policy()) == frozenset()

    def test_it_is_for_no_other_model(self):
        other = replace(policy(), model="other")
        who = Who("omar", Method.TOKEN, within=frozenset({Role.OWNER}), models=frozenset({"other"}))
        assert authorise(who, Action.SUBMIT, other, NOW) == {Role.OWNER}
        assert reasons(who, Action.SUBMIT, policy()) == ("this token is not for the model credit",)

    @pytest.mark.parametrize("tier", [Tier.LOW, Tier.MEDIUM])
    def test_it_approves_where_the_risk_is_not_high(self, tier):
        who = Who("vera", Method.TOKEN, within=frozenset({Role.VALIDATOR}))
        assert authorise(who, Action.APPROVE_VERSION, policy(tier), NOW) == {Role.VALIDATOR}


class TestHighRisk:
    @pytest.mark.parametrize("action", sorted(APPROVING))
    @pytest.mark.parametrize("method", [Method.TOKEN, Method.HEADER])
    def test_what_is_no_login_approves_nothing(self, action, method):
        for person in BY_POLICY.values():
            who = Who(person, method, authenticated_at=NOW)
            told = reasons(who, action, policy(Tier.HIGH))
            assert any(f"not a {method}" in reason for reason in told)

    @pytest.mark.parametrize("method", [Method.OIDC, Method.CLI])
    @pytest.mark.parametrize("age", [-2, -1, 0, 14, 15])
    def test_a_login_counts_for_fifteen_minutes(self, method, age):
        who = Who("vera", method, authenticated_at=NOW - timedelta(minutes=age))
        if age < -1:
            assert "log in again" in reasons(who, Action.APPROVE_VERSION, policy(Tier.HIGH))[0]
        else:
            assert authorise(who, Action.APPROVE_VERSION, policy(Tier.HIGH), NOW)

    def test_an_old_or_unknown_login_is_told_of(self):
        old = Who("vera", Method.OIDC, authenticated_at=NOW - FRESH - timedelta(seconds=1))
        assert "log in again" in reasons(old, Action.APPROVE_VERSION, policy(Tier.HIGH))[0]
        unknown = Who("vera", Method.CLI)
        assert "nobody knows" in reasons(unknown, Action.APPROVE_VERSION, policy(Tier.HIGH))[0]

    def test_authority_is_taken_away_without_any_of_it(self):
        who = Who("olga", Method.TOKEN, within=frozenset({Role.OPERATOR}))
        assert authorise(who, Action.STOP, policy(Tier.HIGH), NOW) == {Role.OPERATOR}

    def test_every_reason_is_told_at_once(self):
        who = Who("olga", Method.TOKEN, frozenset({Role.ADMIN}))
        assert len(reasons(who, Action.APPROVE_VERSION, policy(Tier.HIGH))) == 3


class TestAtTheMachine:
    @pytest.mark.parametrize("action", sorted(WITHOUT_MODEL))
    def test_who_has_the_database_needs_no_role_for_the_daemon(self, action):
        assert authorise(Who("root", Method.CLI), action, None, NOW) == frozenset()
        assert reasons(Who("root", Method.OIDC), action, None)

    @pytest.mark.parametrize("action", Action)
    def test_where_a_policy_names_nobody_it_is_operated_and_nothing_else(self, action):
        who, about = Who("root", Method.CLI, authenticated_at=NOW), policy(people=Accountability())
        if action in OPERATING | WITHOUT_MODEL:
            assert authorise(who, action, about, NOW) == frozenset()
        else:
            assert reasons(who, action, about)

    @pytest.mark.parametrize("action", sorted(OPERATING))
    def test_where_a_policy_names_people_it_is_them(self, action):
        assert reasons(Who("root", Method.CLI), action, policy())
        omar = Who("omar", Method.CLI)
        if allowed(action, Role.OWNER):
            assert authorise(omar, action, policy(), NOW) == {Role.OWNER}
        else:
            assert "up to governance" in reasons(omar, action, policy())[0]


def test_the_seats_of_a_policy_take_the_tables_place():
    rule = ApprovalRule(ApprovalKind.ACTIVATE_VERSION, (Seat(Role.GOVERNANCE),))
    own = policy(approvals={rule.kind: rule})
    assert authorise(somebody(Role.GOVERNANCE), Action.APPROVE_VERSION, own, NOW)
    assert "up to governance" in reasons(somebody(Role.VALIDATOR), Action.APPROVE_VERSION, own)[0]


def test_the_shipped_rules_seat_who_the_table_says():
    kinds = {kind: action for action, kind in APPROVING.items() if kind is not None}
    assert {
        kinds[kind]: {seat.role for seat in rule.seats} for kind, rule in SHIPPED_RULES.items()
    } == {action: set(ALLOWED[action]) for action in kinds.values()}


@given(
    account=st.sampled_from([*BY_POLICY.values(), "noor", "sre", "uma", ""]),
    method=st.sampled_from(Method),
    roles=st.frozensets(st.sampled_from(Role)),
    within=st.none() | st.frozensets(st.sampled_from(Role)),
    tier=st.sampled_from([None, *Tier]),
    action=st.sampled_from(Action),
)
def test_who_is_let_through_has_a_role_of_the_row_and_a_token_never_more_than_its_holder(
    account, method, roles, within, tier, action
):
    who, of = Who(account, method, roles, authenticated_at=NOW, within=within), policy(tier)
    try:
        granted = authorise(who, action, of, NOW)
    except NotAllowedError:
        return
    assert granted <= ALLOWED[action]
    assert granted <= roles_of(replace(who, within=None), of)
    assert granted or (method is Method.CLI and action in WITHOUT_MODEL)
