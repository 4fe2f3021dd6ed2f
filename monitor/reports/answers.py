"""Who answers for a model: what its policy says of it, and what it leaves out."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from monitor.domain.governance import (
    HUMAN_REVIEW_SHARE,
    QUESTIONS,
    Consequence,
    GateAction,
    Governance,
    RiskLimit,
    Tier,
)
from monitor.domain.policy import Policy
from monitor.reports.evidence import Fact
from monitor.reports.table import Table

_WORDS = {
    GateAction.ALLOW: "acts",
    GateAction.ALLOW_WITH_CONDITIONS: "acts within conditions",
    GateAction.ROUTE_TO_HUMAN: "does not act; decisions go to people",
    GateAction.DENY: "does not act",
}
_PEOPLE = (
    ("owners", "submits versions"),
    ("validators", "approves versions"),
    ("governance", "approves waivers and looser policies"),
    ("operators", "is called, and may stop it"),
    ("builders", "built it"),
)


class Answers(Struct, frozen=True):
    """What a policy says of who answers for a model.

    Attributes:
        sentence: Whether a version may be allowed to act at all.
        missing: What the policy leaves out: key, and the question.
        facts: What it says.
        limits: Which alerts have which consequence.
    """

    sentence: str
    missing: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]
    limits: Table


def answers(policy: Policy) -> Answers:
    """Return who answers for a model."""
    governance = policy.governance
    return Answers(
        _sentence(governance),
        tuple((key, QUESTIONS[key]) for key in governance.missing),
        tuple(fact for fact in _facts(governance) if fact.text),
        _limits(governance),
    )


def _sentence(governance: Governance) -> str:
    if governance.missing:
        return "Ungoverned: it is watched, and no version of it may act until its file answers."
    if governance.risk.tier is Tier.PROHIBITED:
        return "Prohibited: no version of it may act, whoever approves."
    return f"{governance.accountability.accountable} answers for it when outcomes fail."


def _facts(governance: Governance) -> Iterable[Fact]:
    delegated, people, risk = governance.delegation, governance.accountability, governance.risk
    yield Fact("delegated to the machine", delegated.statement)
    since = f", {delegated.delegated_on:%Y-%m-%d}" if delegated.delegated_on else ""
    where = f", {delegated.reference}" if delegated.reference else ""
    yield Fact("delegated by", f"{delegated.delegated_by}{since}{where}".removeprefix(", "))
    yield Fact("how far it decides alone", (delegated.autonomy or "").replace("_", " "))
    yield Fact("not delegated", "; ".join(delegated.not_delegated))
    if delegated.reversible is not None:
        yield Fact("can be taken back", "yes" if delegated.reversible else "no")
    if delegated.fallback:
        most = delegated.fallback.capacity_per_day
        a_day = f", {most:,} a day at most" if most else ""
        yield Fact("what it may not decide goes to", f"{delegated.fallback.target}{a_day}")
    yield Fact("accountable", _reached(people.accountable, people.contacts, "accountable"))
    yield Fact("deputy", people.deputy)
    for key, duty in _PEOPLE:
        named = ", ".join(getattr(people, key))
        yield Fact(duty, _reached(named, people.contacts, key.removesuffix("s")))
    because = f": {risk.rationale}" if risk.rationale else ""
    yield Fact("risk", f"{risk.tier}{because}" if risk.tier else "")
    yield Fact("bound by", ", ".join(risk.obligations))
    if governance.review:
        review = governance.review
        late = f", {review.grace.days} days late at most" if review.grace else ""
        then = f"; else {review.on_lapse}"
        yield Fact("reviewed", f"every {review.cadence.days} days{late}{then}")


def _reached(names: str, contacts: Mapping[str, str], role: str) -> str:
    return f"{names} ({contacts[role]})" if names and role in contacts else names


def _limits(governance: Governance) -> Table:
    rows = tuple(
        (limit.id, _about(limit), limit.at.value, str(limit.consequence), _told(consequence))
        for limit in governance.limits
        for consequence in (governance.consequences[limit.consequence],)
    )
    columns = ("limit", "about", "from", "consequence", "the machine then")
    return Table("Which alerts have which consequence", columns, rows)


def _about(limit: RiskLimit) -> str:
    named = (
        ", ".join(sorted(names))
        for names in (limit.measures, limit.fields, limit.populations)
        if names
    )
    return " of ".join(named) or "everything that is judged"


def _told(consequence: Consequence) -> str:
    conditions = ", ".join(
        f"{name} {'at least' if name == HUMAN_REVIEW_SHARE else 'at most'} {most:g}"
        for name, most in consequence.conditions.items()
    )
    return _WORDS[consequence.gate] + (f": {conditions}" if conditions else "")
