"""A governed model with people, limits and alerts, for tests of what its versions may do."""

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from monitor.domain.alert import Alert, AlertState, Condition
from monitor.domain.approval import ApprovalKind, ApprovalRule, Party, Seat
from monitor.domain.finding import Verdict
from monitor.domain.governance import (
    Accountability,
    Consequence,
    Delegation,
    GateAction,
    Governance,
    OnDeadline,
    Review,
    Risk,
    RiskLimit,
    Rung,
    Tier,
    WaiverRule,
)
from monitor.domain.reading import Subject
from monitor.domain.role import Role
from monitor.domain.window import Window
from monitor.governance.acts import Speaker
from monitor.governance.authorisation import Method, Who
from monitor.governance.consequences import Present
from tests.stored import a_policy

AT = datetime(2026, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

LADDER = {
    Rung.WATCH: Consequence(
        Rung.WATCH, GateAction.ALLOW, deadline=5 * DAY, on_deadline=OnDeadline.RESTRICT
    ),
    Rung.RESTRICT: Consequence(
        Rung.RESTRICT,
        GateAction.ALLOW_WITH_CONDITIONS,
        {"amount": 5000.0},
        deadline=2 * DAY,
        on_deadline=OnDeadline.HOLD,
    ),
    Rung.HOLD: Consequence(
        Rung.HOLD, GateAction.ROUTE_TO_HUMAN, deadline=DAY, on_deadline=OnDeadline.ESCALATE
    ),
    Rung.STOP: Consequence(Rung.STOP, GateAction.DENY),
}
RULES = {
    rule.kind: rule
    for rule in (
        ApprovalRule(
            ApprovalKind.ACTIVATE_VERSION,
            (Seat(Role.VALIDATOR), Seat(Role.ACCOUNTABLE)),
            frozenset({Party.REQUESTER, Party.BUILDERS}),
            expires=90 * DAY,
        ),
        ApprovalRule(ApprovalKind.RELEASE_HOLD, (Seat(Role.ACCOUNTABLE),)),
        ApprovalRule(ApprovalKind.WAIVER, (Seat(Role.GOVERNANCE),)),
    )
}
GOVERNANCE = Governance(
    delegation=Delegation("approve loans up to 20 000", "cro", date(2026, 8, 1)),
    accountability=Accountability(
        accountable="head",
        deputy="deputy",
        owners=("olga", "head2"),
        operators=("sre",),
        validators=("vera", "bob"),
        governance=("gina",),
        builders=("bob",),
        accounts={"head2": "head"},
    ),
    risk=Risk(Tier.MEDIUM, "access to credit"),
    limits=(
        RiskLimit("drift", Rung.WATCH, frozenset({"psi"}), at=Verdict.WARNING),
        RiskLimit("scores", Rung.RESTRICT, frozenset({"ks"})),
        RiskLimit("sex-parity", Rung.HOLD, populations=frozenset({"sex"})),
        RiskLimit("silence", Rung.STOP, frozenset({"freshness"})),
    ),
    consequences=LADDER,
    approvals=RULES,
    waivers=WaiverRule(14 * DAY, 1, frozenset({"silence"})),
    review=Review(60 * DAY, 10 * DAY),
)
POLICY = replace(a_policy("sha-policy"), governance=GOVERNANCE)

OLGA = Speaker("olga", "olga", frozenset({Role.OWNER}))
VERA = Speaker("vera", "vera", frozenset({Role.VALIDATOR}))
BOB = Speaker("bob", "bob", frozenset({Role.VALIDATOR}))
HEAD = Speaker("head", "head", frozenset({Role.ACCOUNTABLE}))
DEPUTY = Speaker("deputy", "deputy", frozenset({Role.ACCOUNTABLE}))
GINA = Speaker("gina", "gina", frozenset({Role.GOVERNANCE}))
SRE = Speaker("sre", "sre", frozenset({Role.OPERATOR}))


def who(account):
    return Who(account, Method.CLI)


def an_alert(measure="psi", population="", *, version="3", severity=Verdict.CRITICAL, at=AT):
    """Return an alert that fires since an instant."""
    group = "F" if population else ""
    window = Window(at - DAY, at)
    return Alert(
        fingerprint=f"{measure}-{population}-{version}",
        measure=measure,
        subject=Subject("credit", version, population=population, group=group),
        state=AlertState.FIRING,
        severity=severity,
        condition=Condition.JUDGED,
        since=window,
        began=window,
        judged=window,
        beyond=1,
        within=0,
        started_at=at,
    )


def over(alert, state=AlertState.RESOLVED):
    return replace(alert, state=state)


def present(*alerts, now=AT, policy=POLICY, baseline="sha-baseline", observed=None):
    return Present(policy, alerts, now, {"3": baseline}, observed or {})
