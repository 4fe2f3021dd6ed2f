"""The ladder of consequences: each rung leaves the machine less than the one before."""

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.document import Document
from monitor.config.governance import ladder_of, tier_of
from monitor.config.governance_sections import (
    ConsequenceSection,
    GovernanceSections,
)
from monitor.config.values import duration_text
from monitor.domain.errors import Problem
from monitor.domain.governance import (
    HUMAN_REVIEW_SHARE,
    Consequence,
    GateAction,
    OnDeadline,
    Rung,
    Tier,
)

RIGHT: Mapping[Rung, tuple[GateAction, ...]] = {
    Rung.WATCH: (GateAction.ALLOW,),
    Rung.RESTRICT: (
        GateAction.ALLOW_WITH_CONDITIONS,
        GateAction.ROUTE_TO_HUMAN,
        GateAction.DENY,
    ),
    Rung.HOLD: (GateAction.ROUTE_TO_HUMAN, GateAction.DENY),
    Rung.STOP: (GateAction.ROUTE_TO_HUMAN, GateAction.DENY),
}
"""What each rung may tell a serving layer: a watched version acts, a held one does not."""

_FREEDOM = tuple(GateAction)
_RUNGS = {OnDeadline(str(rung)): rung for rung in Rung if rung is not Rung.WATCH}


def ladder_problems(document: Document, given: GovernanceSections) -> Iterator[Problem]:
    """Yield rungs that give back what the one before has taken, or that go nowhere."""
    delegation, risk = given.delegation, given.risk
    ladder = ladder_of(given.consequences, delegation, risk)
    prohibited = tier_of(risk) is Tier.PROHIBITED
    sections: Mapping[Any, ConsequenceSection] = given.consequences
    for rung, item in ladder.items():
        section = sections.get(str(rung))
        if section is None:
            continue
        yield from _gate(document, item, prohibited=prohibited)
        yield from _conditions(document, item, section)
        yield from _deadline(document, item, section)
        path = ("consequences", str(rung))
        if item.gate is GateAction.ROUTE_TO_HUMAN and delegation.fallback is None:
            message = "sends decisions to people; name them under delegation.fallback"
            yield document.problem((*path, "gate"), message)
        if item.demote_alias and given.registry is None:
            message = "is an alias of a registry; add registry: with the model's name there"
            yield document.problem((*path, "demote_alias"), message)
    if not prohibited:
        yield from _order(document, ladder)


def _gate(document: Document, item: Consequence, *, prohibited: bool) -> Iterator[Problem]:
    path = ("consequences", str(item.rung), "gate")
    if prohibited:
        if item.gate is not GateAction.DENY:
            message = f"a model of the tier prohibited never acts; right is {GateAction.DENY}"
            yield document.problem(path, message)
    elif item.gate not in RIGHT[item.rung]:
        right = " or ".join(RIGHT[item.rung])
        yield document.problem(path, f"{item.rung} cannot be {item.gate}; right is {right}")


def _order(document: Document, ladder: Mapping[Rung, Consequence]) -> Iterator[Problem]:
    held, stopped = ladder[Rung.HOLD].gate, ladder[Rung.STOP].gate
    restricted = ladder[Rung.RESTRICT].gate
    for before, after, rung in ((restricted, held, Rung.HOLD), (held, stopped, Rung.STOP)):
        if _FREEDOM.index(after) < _FREEDOM.index(before):
            message = f"{rung} would be {after}, which leaves more than {before} on the rung before"
            yield document.problem(("consequences", str(rung), "gate"), message)


def _conditions(
    document: Document, item: Consequence, section: ConsequenceSection
) -> Iterator[Problem]:
    path = ("consequences", str(item.rung), "conditions")
    conditional = item.gate is GateAction.ALLOW_WITH_CONDITIONS
    if conditional and not item.conditions:
        message = "is missing: name the columns that bound what the machine may do"
        yield document.problem(path, message, at_key=True)
    if section.conditions is not None and not conditional:
        message = f"conditions bind what may act; the gate says {item.gate} here"
        yield document.problem(path, message, at_key=True)
    share = (section.conditions or {}).get(HUMAN_REVIEW_SHARE)
    if share is not None and not 0 < share <= 1:
        message = f"is a share of the decisions, more than 0 and at most 1, not {share:g}"
        yield document.problem((*path, HUMAN_REVIEW_SHARE), message)


def _deadline(
    document: Document, item: Consequence, section: ConsequenceSection
) -> Iterator[Problem]:
    path = ("consequences", str(item.rung), "on_deadline")
    after = OnDeadline(section.on_deadline) if section.on_deadline else None
    if item.deadline is None:
        if after is not None:
            message = "follows a deadline, and this rung has none; add deadline"
            yield document.problem(path, message, at_key=True)
        return
    if not item.deadline:
        message = f"must be longer than {duration_text(item.deadline)}; or never"
        yield document.problem(("consequences", str(item.rung), "deadline"), message)
    if after in _RUNGS and _RUNGS[after] <= item.rung:
        message = (
            f"{after} is no rung beyond {item.rung}: a deadline gives no authority back; "
            f"right is a later rung or {OnDeadline.ESCALATE}"
        )
        yield document.problem(path, message)
