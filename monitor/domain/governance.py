"""The answers that a policy must give before a model may act, and what follows from them.

What is delegated to the machine, what level of risk is acceptable, and who is accountable when
outcomes fail. A model whose policy leaves one out is watched all the same, and may not act.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import IntEnum, StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.approval import SHIPPED_RULES, ApprovalKind, ApprovalRule
from monitor.domain.finding import Verdict
from monitor.domain.reading import Subject
from monitor.domain.role import Role
from monitor.domain.timetable import ReviewMark


class Autonomy(StrEnum):
    """How far the machine decides alone."""

    ADVISE = "advise"
    """It proposes; a person decides each time."""
    ACT_WITH_REVIEW = "act_with_review"
    """It decides; a person looks at each decision before it takes effect."""
    ACT_WITH_LIMITS = "act_with_limits"
    """It decides alone within stated limits."""
    ACT = "act"


class Fallback(Struct, frozen=True):
    """Where decisions go that the machine may not make.

    Attributes:
        target: Who or what takes them, such as a desk or a queue.
        capacity_per_day: How many it can take; None when nobody has said.
    """

    target: str
    capacity_per_day: int | None = None


class Delegation(Struct, frozen=True):
    """What is delegated to the machine, and by whom.

    Attributes:
        statement: What it may decide, in a sentence; "" until the policy says.
        delegated_by: The person who delegated it; "" until the policy says.
        delegated_on: Since when; None until the policy says.
        reference: Where that is written, such as minutes of a committee.
        autonomy: How far it decides alone; None until the policy says.
        not_delegated: What people keep, in words.
        reversible: Whether a decision can be taken back; None until the policy says.
        fallback: Where decisions go that it may not make; None for nowhere.
    """

    statement: str = ""
    delegated_by: str = ""
    delegated_on: date | None = None
    reference: str = ""
    autonomy: Autonomy | None = None
    not_delegated: tuple[str, ...] = ()
    reversible: bool | None = None
    fallback: Fallback | None = None


class Accountability(Struct, frozen=True):
    """Who answers for the model, and who does what.

    People are named as they log in; teams by their name.

    Attributes:
        accountable: The one person who answers when outcomes fail; "" until the policy says.
        deputy: Who acts for them; "" for nobody.
        owners: People who submit versions and propose policies.
        operators: People who mute, acknowledge and stop.
        validators: People who approve versions; none of them is an owner or a builder.
        governance: People who approve looser policies and waivers.
        builders: People who built the model.
        accounts: Account to the person behind it, for people who have more than one.
        contacts: Role (``accountable``, ``owner``, ``operator``, ``validator``, ``governance``) to
            how its people are reached.
    """

    accountable: str = ""
    deputy: str = ""
    owners: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    validators: tuple[str, ...] = ()
    governance: tuple[str, ...] = ()
    builders: tuple[str, ...] = ()
    accounts: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)

    def person(self, account: str) -> str:
        """Return the person behind an account."""
        return self.accounts.get(account, account)

    def people(self, role: Role) -> frozenset[str]:
        """Return the persons that the policy gives a role; the deputy is accountable as well."""
        named = {
            Role.ACCOUNTABLE: tuple(name for name in (self.accountable, self.deputy) if name),
            Role.OWNER: self.owners,
            Role.OPERATOR: self.operators,
            Role.VALIDATOR: self.validators,
            Role.GOVERNANCE: self.governance,
        }
        return frozenset(self.person(account) for account in named.get(role, ()))


class Tier(StrEnum):
    """How much harm the model can do."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    PROHIBITED = "prohibited"
    """Nobody may let it act."""


class Risk(Struct, frozen=True):
    """What level of risk was accepted, and why.

    Attributes:
        tier: How much harm it can do; None until the policy says.
        rationale: Why, in words.
        obligations: Instruments that bind it, such as ``eu-ai-act:26``.
    """

    tier: Tier | None = None
    rationale: str = ""
    obligations: tuple[str, ...] = ()


class Rung(IntEnum):
    """How far a consequence goes: each leaves the machine less than the one before."""

    WATCH = 1
    RESTRICT = 2
    HOLD = 3
    STOP = 4

    def __str__(self) -> str:
        """Return its name as policies write it."""
        return self.name.lower()


class GateAction(StrEnum):
    """What a serving layer is told."""

    ALLOW = "allow"
    ALLOW_WITH_CONDITIONS = "allow_with_conditions"
    ROUTE_TO_HUMAN = "route_to_human"
    DENY = "deny"


class OnDeadline(StrEnum):
    """What follows when a case was not closed in time. It never gives authority back."""

    RESTRICT = "restrict"
    HOLD = "hold"
    STOP = "stop"
    ESCALATE = "escalate"
    """Somebody higher up is told; what the machine may do stays as it is."""


class Consequence(Struct, frozen=True):
    """What one rung of the ladder does.

    Attributes:
        rung: Which one.
        gate: What a serving layer is told.
        conditions: Name of a column of the log, or ``human_review_share``, to the most it may be
            while the machine acts (the least, for the share); empty for none.
        notify: Roles whose people are told.
        deadline: How long its case may stay open; None for no limit.
        on_deadline: What follows then; None exactly where there is no deadline.
        demote_alias: The registry's alias that is taken from the version; "" for none.
    """

    rung: Rung
    gate: GateAction
    conditions: Mapping[str, float] = field(default_factory=dict)
    notify: tuple[str, ...] = ()
    deadline: timedelta | None = None
    on_deadline: OnDeadline | None = None
    demote_alias: str = ""


HUMAN_REVIEW_SHARE = "human_review_share"
"""The condition that at least this share of the decisions is looked at by a person."""


def shipped_ladder(
    *, fallback: bool = False, prohibited: bool = False
) -> Mapping[Rung, Consequence]:
    """Return what each rung does where a policy does not say otherwise.

    Args:
        fallback: Whether the policy says where decisions go that the machine may not make: a held
            model then sends them there, and is denied otherwise.
        prohibited: Whether nobody may let the model act.
    """
    held = GateAction.ROUTE_TO_HUMAN if fallback else GateAction.DENY
    ladder: tuple[Consequence, ...] = (
        Consequence(
            Rung.WATCH,
            GateAction.ALLOW,
            notify=("owner",),
            deadline=timedelta(days=5),
            on_deadline=OnDeadline.RESTRICT,
        ),
        Consequence(
            Rung.RESTRICT,
            GateAction.ALLOW_WITH_CONDITIONS,
            conditions={HUMAN_REVIEW_SHARE: 0.2},
            notify=("owner", "operator"),
            deadline=timedelta(days=2),
            on_deadline=OnDeadline.HOLD,
        ),
        Consequence(
            Rung.HOLD,
            held,
            notify=("owner", "operator", "accountable"),
            deadline=timedelta(days=1),
            on_deadline=OnDeadline.ESCALATE,
        ),
        Consequence(Rung.STOP, GateAction.DENY, notify=("accountable", "governance")),
    )
    if prohibited:
        ladder = tuple(replace(item, gate=GateAction.DENY, conditions={}) for item in ladder)
    return {item.rung: item for item in ladder}


class RiskLimit(Struct, frozen=True):
    """Which alerts have which consequence. An alert that several fit has the furthest of them.

    Attributes:
        id: Its name, which waivers and cases use.
        consequence: The rung that an alert leads to.
        measures: Measures it is about; empty for all.
        fields: Fields it is about; empty for all.
        populations: Populations it is about; empty for all.
        at: The severity from which on it holds.
    """

    id: str
    consequence: Rung
    measures: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    populations: frozenset[str] = frozenset()
    at: Verdict = Verdict.CRITICAL

    def covers(self, measure: str, subject: Subject, severity: Verdict) -> bool:
        """Return whether it is about what somebody is called for, and that is severe enough."""
        return (
            (not self.measures or measure in self.measures)
            and (not self.fields or subject.field in self.fields)
            and (not self.populations or subject.population in self.populations)
            and (severity is Verdict.CRITICAL or severity is self.at is Verdict.WARNING)
        )


class WaiverRule(Struct, frozen=True):
    """For how long a consequence may be waived.

    Attributes:
        longest: How long one waiver may hold.
        renewals: How often it may be asked for again on end.
        never_for: Ids of limits that are never waived.
    """

    longest: timedelta = timedelta(days=14)
    renewals: int = 1
    never_for: frozenset[str] = frozenset()


class Review(Struct, frozen=True):
    """How often people look at the model again, and what follows when they do not.

    Attributes:
        cadence: From one review to the next.
        grace: How long it may be late.
        on_lapse: The rung that follows a review that was not made.
    """

    cadence: timedelta
    grace: timedelta = timedelta(0)
    on_lapse: Rung = Rung.RESTRICT


class Unreachable(StrEnum):
    """What a serving layer does when it cannot ask, and its last answer is too old."""

    OPEN = "open"
    CLOSED = "closed"


class GateRule(Struct, frozen=True):
    """How the gate answers for a model.

    Attributes:
        ttl: For how long an answer is fresh.
        stale_grace: How long after that it may still be used when the monitor cannot be asked.
        on_unreachable: What follows then.
        on_exceeded: What follows from decisions that were outside what was allowed; None: somebody
            is called, and nothing else.
        reviewed: How the log shows that a person looked at a decision; None: it does not.
    """

    ttl: timedelta = timedelta(seconds=60)
    stale_grace: timedelta = timedelta(seconds=300)
    on_unreachable: Unreachable = Unreachable.CLOSED
    on_exceeded: Rung | None = Rung.HOLD
    reviewed: ReviewMark | None = None


class OnOutsideMove(StrEnum):
    """What follows when somebody moves the registry's alias past the workflow."""

    ALERT = "alert"
    REVERT = "revert"
    HOLD = "hold"


class RegistryEntry(Struct, frozen=True):
    """The model in a registry such as MLflow's.

    Attributes:
        name: Its name there.
        alias: The alias of the version that is served; "" for none.
        on_outside_move: What follows when the alias is moved past the workflow.
    """

    name: str
    alias: str = ""
    on_outside_move: OnOutsideMove = OnOutsideMove.HOLD


QUESTIONS: Mapping[str, str] = {
    "delegation.statement": "what may the machine decide?",
    "delegation.by": "who delegated that to it?",
    "accountability.accountable": "which one person answers when outcomes fail?",
    "risk.tier": "how much harm can it do?",
    "risk.limits": "which alerts have which consequence?",
}
"""What a policy must answer before a model may act: key to question."""


class Governance(Struct, frozen=True):
    """What a policy answers beyond what is measured; nothing is answered until the file does.

    Attributes:
        delegation: What is delegated to the machine, and by whom.
        accountability: Who answers for it.
        risk: How much risk was accepted.
        limits: Which alerts have which consequence.
        consequences: Every rung to what it does, the shipped ladder where the file is silent.
        approvals: What every kind of approval takes, the shipped rules where the file is silent.
        waivers: How long consequences may be waived.
        review: How often people look again; None until the policy says.
        gate: How the gate answers.
        registry: The model in a registry; None when it is in none.
        rests_on: What an approval rests on besides (``model``, ``report``) to the file or folder
            that it is in; ``{version}`` stands for the version.
    """

    delegation: Delegation = field(default_factory=Delegation)
    accountability: Accountability = field(default_factory=Accountability)
    risk: Risk = field(default_factory=Risk)
    limits: tuple[RiskLimit, ...] = ()
    consequences: Mapping[Rung, Consequence] = field(default_factory=shipped_ladder)
    approvals: Mapping[ApprovalKind, ApprovalRule] = field(default_factory=lambda: SHIPPED_RULES)
    waivers: WaiverRule = field(default_factory=WaiverRule)
    review: Review | None = None
    gate: GateRule = field(default_factory=GateRule)
    registry: RegistryEntry | None = None
    rests_on: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the answers that the policy leaves out, as its keys; with any, it is ungoverned."""
        answers = (
            self.delegation.statement,
            self.delegation.delegated_by,
            self.accountability.accountable,
            self.risk.tier,
            self.limits,
        )
        return tuple(key for key, answer in zip(QUESTIONS, answers, strict=True) if not answer)

    @property
    def governed(self) -> bool:
        """Return whether every answer is there, so that a version may be allowed to act."""
        return not self.missing

    @property
    def unfilled(self) -> tuple[tuple[ApprovalKind, Role], ...]:
        """Return the approvals that take somebody of a role that the policy gives to nobody."""
        return tuple(
            (kind, seat.role)
            for kind, rule in self.approvals.items()
            for seat in rule.seats
            if not self.accountability.people(seat.role)
        )
