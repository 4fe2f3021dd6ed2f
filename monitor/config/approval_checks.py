"""Approvals that one person could give to themselves, and those that nobody could ever give."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import combinations
from typing import Any

from monitor.config.document import Document, KeyPath
from monitor.config.governance import accountability_of, governance_of, rules_of, tier_of
from monitor.config.governance_sections import ApprovalSection, GovernanceSections
from monitor.domain.approval import ApprovalKind, ApprovalRule, Party
from monitor.domain.errors import Problem
from monitor.domain.governance import Accountability, Tier
from monitor.domain.role import Role
from monitor.governance.authorisation import ALLOWED, Action
from monitor.governance.standing import EDGES

APPROVERS_OF_HIGH = 2
"""People who must agree before a version of a model of the tier high may act."""

_NAMED = {
    Role.ACCOUNTABLE: "accountable and deputy",
    Role.GOVERNANCE: "governance",
    Role.OPERATOR: "operators",
    Role.VALIDATOR: "validators",
}
_ASKED_BY = {
    ApprovalKind.ACTIVATE_VERSION: ALLOWED[Action.SUBMIT],
    ApprovalKind.RELEASE_HOLD: ALLOWED[Action.ASK_RELEASE],
    ApprovalKind.LOOSEN_POLICY: ALLOWED[Action.PROPOSE_POLICY],
    ApprovalKind.WAIVER: ALLOWED[Action.ASK_WAIVER],
}
_ASKING = frozenset({Party.REQUESTER, Party.AUTHOR})


def approval_problems(document: Document, given: GovernanceSections) -> Iterator[Problem]:
    """Yield approvals that take too few people, or more than are named, or the wrong ones."""
    rules = rules_of(given.approvals)
    high = tier_of(given.risk) is Tier.HIGH
    if high and _people_of(rules[ApprovalKind.ACTIVATE_VERSION]) < APPROVERS_OF_HIGH:
        message = f"a version of a model of the tier high takes at least {APPROVERS_OF_HIGH} people"
        yield document.problem(("approvals", "activate_version", "required"), message)
    people = accountability_of(given.accountability)
    yield from _unnamed(document, given, rules.values())
    sections: Mapping[Any, ApprovalSection] = given.approvals
    for kind, rule in rules.items():
        section = sections.get(kind)
        yield from _alone(document, rule)
        yield from _without_effect(document, rule)
        if section is not None and section.expires is not None:
            yield from _expiry(document, kind, section.expires)
        at_rule = section is not None and section.required is not None
        path: KeyPath = ("approvals", kind, "required") if at_rule else ("accountability",)
        for why in _never_given(rule, people):
            yield document.problem(path, why if at_rule else f"{kind} {why}", at_key=not at_rule)


_BY_POLICY_ALONE = {Role.OWNER: "owners", Role.VALIDATOR: "validators"}
"""Roles that a model's file gives and nothing else; `accountable` is one of its answers."""


def _unnamed(
    document: Document, given: GovernanceSections, rules: Iterable[ApprovalRule]
) -> Iterator[Problem]:
    """Yield who is named nowhere though the file answers everything, and no version could ever act."""
    answers = governance_of(given)
    if not answers.governed or answers.risk.tier is Tier.PROHIBITED:
        return
    wanted = {Role.OWNER: "submits a version or proposes a change"}
    for rule in rules:
        wanted |= {
            seat.role: f"agrees to {rule.kind}"
            for seat in rule.seats
            if seat.role in _BY_POLICY_ALONE
        }
    for role, what in wanted.items():
        if not answers.accountability.people(role):
            message = f"names nobody as {role}, so nobody {what}; add {_BY_POLICY_ALONE[role]}"
            yield document.problem(("accountability",), message, at_key=True)


_ENDS_OTHERWISE = {
    ApprovalKind.RELEASE_HOLD: "a release is given at once",
    ApprovalKind.LOOSEN_POLICY: "a policy is in force until another one is",
    ApprovalKind.WAIVER: "a waiver ends by itself; waivers.longest bounds it",
}


def _expiry(document: Document, kind: ApprovalKind, expires: timedelta) -> Iterator[Problem]:
    path: KeyPath = ("approvals", kind, "expires")
    if kind in _ENDS_OTHERWISE:
        message = f"is for activate_version alone: {_ENDS_OTHERWISE[kind]}"
        yield document.problem(path, message, at_key=True)
    elif not expires:
        message = "the approval would be over as it is given; right is such as 90d, or never"
        yield document.problem(path, message)


def _people_of(rule: ApprovalRule) -> int:
    return sum(seat.count for seat in rule.seats)


def _alone(document: Document, rule: ApprovalRule) -> Iterator[Problem]:
    """Yield that who asks could agree with themselves, or that who built a model could let it act."""
    path: KeyPath = ("approvals", rule.kind, "exclude")
    if _people_of(rule) == 1 and not rule.exclude & _ASKING:
        message = "who asks could agree alone; add requester, or have two people agree"
        yield document.problem(path, message)
    if rule.kind is ApprovalKind.ACTIVATE_VERSION and Party.BUILDERS not in rule.exclude:
        message = "who built a model could let it act; add builders"
        yield document.problem(path, message)


def _without_effect(document: Document, rule: ApprovalRule) -> Iterator[Problem]:
    """Yield that nobody of those who agree is somebody who can move a version that way."""
    seats = {seat.role for seat in rule.seats}
    for edge in EDGES:
        if edge.approval is rule.kind and not seats & edge.by:
            able = " or ".join(sorted(edge.by))
            message = f"none of these can have a version {edge.event}; add {able}"
            yield document.problem(("approvals", rule.kind, "required"), message)
            return


def _never_given(rule: ApprovalRule, people: Accountability) -> Iterator[str]:
    """Yield why a rule cannot be followed by the people who are named, whoever of them asks."""
    excluded = _excluded(rule, people)
    why = _unfilled(rule, people, excluded)
    if why:
        yield why
        return
    asking = [people.people(role) for role in _ASKED_BY[rule.kind]]
    if not all(asking) or not rule.exclude & _ASKING:  # or anybody may ask, and agree as well
        return
    known = frozenset[str]().union(*asking)
    missing = [_unfilled(rule, people, excluded | {person}) for person in sorted(known)]
    if all(missing):
        yield f"{missing[0]}, as only {' and '.join(sorted(known))} can ask for it"


def _unfilled(rule: ApprovalRule, people: Accountability, excluded: frozenset[str]) -> str:
    """Return why seats stay free when some people's votes do not count; "" if they need not.

    Roles that name nobody are left out: their people may come from elsewhere.
    """
    seats = {seat.role: seat.count for seat in rule.seats if people.people(seat.role)}
    eligible = {role: people.people(role) - excluded for role in seats}
    for size in range(1, len(seats) + 1):
        for roles in combinations(seats, size):
            wanted = sum(seats[role] for role in roles)
            able = frozenset[str]().union(*(eligible[role] for role in roles))
            if len(able) < wanted:
                return (
                    f"takes {wanted} of {_listed(_NAMED[role] for role in roles)}, "
                    f"and the vote of {len(able)} of the people named there counts"
                )
    return ""


def _excluded(rule: ApprovalRule, people: Accountability) -> frozenset[str]:
    builders = frozenset(map(people.person, people.builders))
    excluded = builders if Party.BUILDERS in rule.exclude else frozenset[str]()
    return excluded | people.people(Role.OWNER) if Party.OWNER in rule.exclude else excluded


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"accountability.{name}" for name in names)
