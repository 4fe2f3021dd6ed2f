"""The keys of a model's file about governance: their types, defaults and descriptions."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from monitor.config.section import Section
from monitor.config.values import (
    NEVER,
    Duration,
    Name,
    PositiveDuration,
    Text,
    Value,
    parse_duration,
    wrong,
)
from monitor.config.wording import described
from monitor.domain.governance import GateRule, WaiverRule

RoleName = Literal["accountable", "owner", "operator", "validator", "governance"]
ApproverName = Literal["accountable", "governance", "operator", "validator"]
RungName = Literal["watch", "restrict", "hold", "stop"]
KindName = Literal["activate_version", "release_hold", "loosen_policy", "waiver"]
PartyName = Literal["requester", "builders", "owner", "author"]
ALERT = "alert"
"""What follows from decisions outside what was allowed where somebody is only called."""
Seats = Annotated[int, Field(ge=1)]


def _one_person(value: Any) -> Any:
    if isinstance(value, list):
        raise wrong("must be one person: where several answer, nobody does; name a deputy besides")
    return value


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise wrong(f"must be a date such as 2026-09-01, not {described(value)}") from error


def _deadline(value: Any) -> Any:
    return None if value == NEVER else parse_duration(value)


Person = Annotated[Name, BeforeValidator(_one_person, json_schema_input_type=str)]
Day = Annotated[date, BeforeValidator(_date, json_schema_input_type=str)]
Deadline = Annotated[
    Duration | None, BeforeValidator(_deadline, json_schema_input_type=Duration | Literal["never"])
]
People = Annotated[list[Name], Field(min_length=1)]


class FallbackSection(Section):
    """Where decisions go that the machine may not make."""

    target: Name = Field(description="who or what takes them, such as a desk or a queue")
    capacity_per_day: int | None = Field(None, ge=1, description="how many it can take in a day")


class DelegationSection(Section):
    """What is delegated to the machine, and by whom."""

    statement: Text | None = Field(None, description="what the machine may decide, in a sentence")
    by: Person | None = Field(None, description="the person who delegated it")
    date: Day | None = Field(None, description="the day on which it was delegated")
    reference: Text | None = Field(None, description="where that is written, such as minutes")
    autonomy: Literal["advise", "act_with_review", "act_with_limits", "act"] | None = Field(
        None, description="how far the machine decides alone"
    )
    not_delegated: list[Text] = Field([], description="what people keep")
    reversible: bool | None = Field(None, description="whether a decision can be taken back")
    fallback: FallbackSection | None = Field(
        None, description="where decisions go that the machine may not make"
    )


class AccountabilitySection(Section):
    """Who answers for the model, and who does what; people are named as they log in."""

    accountable: Person | None = Field(
        None, description="the one person who answers when outcomes fail"
    )
    deputy: Person | None = Field(None, description="who acts for them")
    owners: list[Name] = Field([], description="people who submit versions and propose policies")
    operators: list[Name] = Field([], description="people who acknowledge, mute and stop")
    validators: list[Name] = Field(
        [], description="people who approve versions; neither owners nor builders"
    )
    governance: list[Name] = Field([], description="people who approve looser policies and waivers")
    builders: list[Name] = Field([], description="people who built the model")
    accounts: dict[Name, Name] = Field(
        {},
        description="account to the person behind it, for people who have more than one",
    )
    contacts: dict[RoleName, Text] = Field({}, description="role to how its people are reached")


class RiskLimitSection(Section):
    """Which alerts have which consequence."""

    id: Name = Field(description="its name, which waivers and cases use")
    consequence: RungName = Field(description="the rung that an alert leads to")
    measures: list[Name] = Field([], description="measures it is about; otherwise all")
    fields: list[Name] = Field([], description="fields it is about; otherwise all")
    populations: list[Name] = Field(
        [],
        description="populations it is about, a crossing as its names joined by ×; otherwise all",
    )
    at: Literal["warning", "critical"] = Field(
        "critical", description="the severity from which on it holds"
    )


class RiskSection(Section):
    """How much risk was accepted, and why."""

    tier: Literal["low", "medium", "high", "prohibited"] | None = Field(
        None, description="how much harm the model can do; prohibited lets nobody use it"
    )
    rationale: Text | None = Field(None, description="why it has this tier")
    obligations: list[Text] = Field(
        [], description="instruments that bind it, such as eu-ai-act:26"
    )
    limits: list[RiskLimitSection] = Field([], description="which alerts have which consequence")


class ConsequenceSection(Section):
    """What one rung of the ladder does; what it does not say is as it comes with modelmon."""

    gate: Literal["allow", "allow_with_conditions", "route_to_human", "deny"] | None = Field(
        None, description="what a serving layer is told"
    )
    conditions: dict[Name, float] | None = Field(
        None,
        min_length=1,
        description="column of the log to the most it may be while the machine acts, and "
        "human_review_share to the least",
    )
    notify: list[RoleName] | None = Field(None, description="roles whose people are told")
    deadline: Deadline = Field(None, description="how long its case may stay open, or never")
    on_deadline: Literal["restrict", "hold", "stop", "escalate"] | None = Field(
        None, description="what follows then; a rung further on, or escalate"
    )
    demote_alias: Name | None = Field(
        None, description="the registry's alias that is taken from the version"
    )


class ApprovalSection(Section):
    """What one kind of approval takes; what it does not say is as it comes with modelmon."""

    required: dict[ApproverName, Seats] | None = Field(
        None,
        min_length=1,
        description="accountable, governance, operator or validator to how many must agree",
    )
    exclude: list[PartyName] | None = Field(None, description="whose word does not count")
    expires: Deadline = Field(None, description="for how long a grant holds, or never")
    patience: PositiveDuration | None = Field(
        None, description="how long a request may wait for its votes"
    )


class WaiversSection(Section):
    """For how long a consequence may be waived."""

    longest: PositiveDuration = Field(
        f"{WaiverRule().longest.days}d",
        validate_default=True,
        description="how long one waiver may hold",
    )
    renewals: int = Field(
        WaiverRule().renewals, ge=0, description="how often it may be asked for again on end"
    )
    never_for: list[Name] = Field([], description="ids of limits that are never waived")


class ReviewSection(Section):
    """How often people look at the model again, and what follows when they do not."""

    cadence: PositiveDuration = Field(description="from one review to the next")
    grace: Duration = Field("0s", validate_default=True, description="how long it may be late")
    on_lapse: RungName = Field(
        "restrict", description="the rung that follows a review that was not made"
    )


class ReviewedSection(Section):
    """How the log shows that a person looked at a decision."""

    column: Text = Field(description="column of the log that shows it")
    values: list[Value] | None = Field(
        None,
        min_length=1,
        description="values that say so; without them any value does, such as the name of who looked",
    )


class GateSection(Section):
    """How the gate answers for the model."""

    ttl: PositiveDuration = Field(
        f"{GateRule().ttl.seconds}s",
        validate_default=True,
        description="for how long an answer is fresh",
    )
    stale_grace: Duration = Field(
        f"{GateRule().stale_grace.seconds}s",
        validate_default=True,
        description="how long after that it may be used while the monitor cannot be asked",
    )
    on_unreachable: Literal["open", "closed"] = Field(
        "closed", description="what a serving layer does after that"
    )
    on_exceeded: Literal["alert", RungName] = Field(
        "hold",
        description="the rung that follows decisions outside what was allowed; alert moves nothing",
    )
    reviewed: ReviewedSection | None = Field(
        None, description="how the log shows that a person looked at a decision"
    )


class RegistrySection(Section):
    """The model in a registry such as MLflow's."""

    name: Name = Field(description="its name there")
    alias: Name | None = Field(None, description="the alias of the version that is served")
    on_outside_move: Literal["alert", "revert", "hold"] = Field(
        "hold", description="what follows when the alias is moved past the workflow"
    )


def _of_a_version(value: str) -> str:
    if "{" in value.replace("{version}", ""):
        raise wrong("may hold {version} and no other name in braces")
    return value


Place = Annotated[Name, AfterValidator(_of_a_version)]


class RestsOnSection(Section):
    """Files that an approval rests on: when one is another, the approval is void."""

    model: Place | None = Field(
        None, description="file or folder of the model; {version} stands for the version"
    )
    report: Place | None = Field(
        None, description="file of the report that approvers read; {version} as above"
    )


class GovernanceSections(Section):
    """What must be answered before a model may act, and what follows."""

    delegation: DelegationSection = Field(
        {}, validate_default=True, description="what is delegated to the machine, and by whom"
    )
    accountability: AccountabilitySection = Field(
        {}, validate_default=True, description="who answers for the model, and who does what"
    )
    risk: RiskSection = Field(
        {}, validate_default=True, description="how much risk was accepted, and why"
    )
    consequences: dict[RungName, ConsequenceSection] = Field(
        {}, description="what each rung does: watch, restrict, hold, stop"
    )
    approvals: dict[KindName, ApprovalSection] = Field(
        {},
        description="what approvals take: activate_version, release_hold, loosen_policy, waiver",
    )
    waivers: WaiversSection = Field(
        {}, validate_default=True, description="for how long consequences may be waived"
    )
    review: ReviewSection | None = Field(
        None, description="how often people look at the model again"
    )
    gate: GateSection = Field({}, validate_default=True, description="how the gate answers")
    registry: RegistrySection | None = Field(None, description="the model in a registry")
    rests_on: RestsOnSection = Field(
        {}, validate_default=True, description="files that an approval rests on"
    )
