"""What a model's file answers about its governance: sections to domain values."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from monitor.config.governance_sections import (
    ALERT,
    AccountabilitySection,
    ApprovalSection,
    ConsequenceSection,
    DelegationSection,
    GateSection,
    GovernanceSections,
    RegistrySection,
    RestsOnSection,
    ReviewSection,
    RiskLimitSection,
    RiskSection,
    WaiversSection,
)
from monitor.domain.approval import SHIPPED_RULES, ApprovalKind, ApprovalRule, Party, Seat
from monitor.domain.finding import Verdict
from monitor.domain.governance import (
    Accountability,
    Autonomy,
    Consequence,
    Delegation,
    Fallback,
    GateAction,
    GateRule,
    Governance,
    OnDeadline,
    OnOutsideMove,
    RegistryEntry,
    Review,
    Risk,
    RiskLimit,
    Rung,
    Tier,
    Unreachable,
    WaiverRule,
    shipped_ladder,
)
from monitor.domain.role import Role
from monitor.domain.timetable import ReviewMark


def governance_of(given: GovernanceSections) -> Governance:
    """Return what a file answers, every default filled in."""
    delegation, risk = given.delegation, given.risk
    return Governance(
        delegation=_delegation(delegation),
        accountability=accountability_of(given.accountability),
        risk=Risk(tier_of(risk), risk.rationale or "", tuple(risk.obligations)),
        limits=tuple(_risk_limit(item) for item in risk.limits),
        consequences=ladder_of(given.consequences, delegation, risk),
        approvals=rules_of(given.approvals),
        waivers=_waivers(given.waivers),
        review=_review(given.review) if given.review else None,
        gate=_gate(given.gate),
        registry=_registry(given.registry) if given.registry else None,
        rests_on=_rests_on(given.rests_on),
    )


def tier_of(section: RiskSection) -> Tier | None:
    """Return how much harm a file says that the model can do; None where it says nothing."""
    return Tier(section.tier) if section.tier else None


def ladder_of(
    given: Mapping[Any, ConsequenceSection], delegation: DelegationSection, risk: RiskSection
) -> Mapping[Rung, Consequence]:
    """Return what every rung does: what the file says of it, and the shipped ladder besides."""
    shipped = shipped_ladder(
        fallback=delegation.fallback is not None, prohibited=tier_of(risk) is Tier.PROHIBITED
    )
    silent = ConsequenceSection.model_validate({})
    return {
        rung: _consequence(given.get(str(rung), silent), base) for rung, base in shipped.items()
    }


def rules_of(given: Mapping[Any, ApprovalSection]) -> Mapping[ApprovalKind, ApprovalRule]:
    """Return what every kind of approval takes: what the file says, and the shipped rules."""
    silent = ApprovalSection.model_validate({})
    return {kind: _rule(given.get(kind, silent), base) for kind, base in SHIPPED_RULES.items()}


def _delegation(section: DelegationSection) -> Delegation:
    fallback = section.fallback
    return Delegation(
        statement=section.statement or "",
        delegated_by=section.by or "",
        delegated_on=section.date,
        reference=section.reference or "",
        autonomy=Autonomy(section.autonomy) if section.autonomy else None,
        not_delegated=tuple(section.not_delegated),
        reversible=section.reversible,
        fallback=Fallback(fallback.target, fallback.capacity_per_day) if fallback else None,
    )


def accountability_of(section: AccountabilitySection) -> Accountability:
    """Return who answers for the model, and who does what."""
    return Accountability(
        accountable=section.accountable or "",
        deputy=section.deputy or "",
        owners=tuple(section.owners),
        operators=tuple(section.operators),
        validators=tuple(section.validators),
        governance=tuple(section.governance),
        builders=tuple(section.builders),
        accounts=dict(section.accounts),
        contacts={str(role): how for role, how in section.contacts.items()},
    )


def _risk_limit(section: RiskLimitSection) -> RiskLimit:
    return RiskLimit(
        id=section.id,
        consequence=Rung[section.consequence.upper()],
        measures=frozenset(section.measures),
        fields=frozenset(section.fields),
        populations=frozenset(section.populations),
        at=Verdict(section.at),
    )


def _consequence(section: ConsequenceSection, base: Consequence) -> Consequence:
    gate = GateAction(section.gate) if section.gate else base.gate
    conditional = gate is GateAction.ALLOW_WITH_CONDITIONS
    conditions = base.conditions if section.conditions is None else section.conditions
    deadline = section.deadline if "deadline" in section.model_fields_set else base.deadline
    after = OnDeadline(section.on_deadline) if section.on_deadline else base.on_deadline
    return Consequence(
        rung=base.rung,
        gate=gate,
        conditions=dict(conditions) if conditional else {},
        notify=base.notify if section.notify is None else tuple(section.notify),
        deadline=deadline,
        on_deadline=None if deadline is None else after or OnDeadline.ESCALATE,
        demote_alias=section.demote_alias or "",
    )


def _rule(section: ApprovalSection, base: ApprovalRule) -> ApprovalRule:
    required = section.required
    return replace(
        base,
        seats=base.seats
        if required is None
        else tuple(Seat(Role(role), count) for role, count in required.items()),
        exclude=base.exclude
        if section.exclude is None
        else frozenset(Party(party) for party in section.exclude),
        expires=section.expires if "expires" in section.model_fields_set else base.expires,
        patience=section.patience or base.patience,
    )


def _waivers(section: WaiversSection) -> WaiverRule:
    return WaiverRule(section.longest, section.renewals, frozenset(section.never_for))


def _review(section: ReviewSection) -> Review:
    return Review(section.cadence, section.grace, Rung[section.on_lapse.upper()])


def _gate(section: GateSection) -> GateRule:
    exceeded, mark = section.on_exceeded, section.reviewed
    return GateRule(
        ttl=section.ttl,
        stale_grace=section.stale_grace,
        on_unreachable=Unreachable(section.on_unreachable),
        on_exceeded=None if exceeded == ALERT else Rung[exceeded.upper()],
        reviewed=None if mark is None else ReviewMark(mark.column, frozenset(mark.values or ())),
    )


def _registry(section: RegistrySection) -> RegistryEntry:
    return RegistryEntry(section.name, section.alias or "", OnOutsideMove(section.on_outside_move))


def _rests_on(section: RestsOnSection) -> Mapping[str, str]:
    return {name: place for name, place in section.model_dump().items() if place is not None}
