"""Duties that people may not have at the same time, and approvals that nobody could give."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

from monitor.config.document import Document, KeyPath
from monitor.config.governance import accountability_of, rules_of, tier_of
from monitor.config.governance_sections import (
    ApprovalSection,
    GovernanceSections,
)
from monitor.config.wording import quoted
from monitor.domain.approval import ApprovalKind, ApprovalRule, Party
from monitor.domain.errors import Problem
from monitor.domain.governance import Accountability, Tier
from monitor.domain.role import Role

APPROVERS_OF_HIGH = 2
"""People who must agree before a version of a model of the tier high may act."""

_NAMED = {
    Role.ACCOUNTABLE: "accountable and deputy",
    Role.GOVERNANCE: "governance",
    Role.OPERATOR: "operators",
    Role.VALIDATOR: "validators",
}


def people_problems(document: Document, given: GovernanceSections) -> Iterator[Problem]:
    """Yield who has two duties that one person may not have."""
    people = accountability_of(given.accountability)
    builders = frozenset(map(people.person, people.builders))
    yield from _accounts(document, people)
    for key, account in (("accountable", people.accountable), ("deputy", people.deputy)):
        if account and people.person(account) in builders:
            who = _who(people, account)
            message = f"{who} is among the builders; who answers for a model has not built it"
            yield document.problem(("accountability", key), message)
    if people.deputy and people.person(people.deputy) == people.person(people.accountable):
        message = f"{_who(people, people.deputy)} is accountable already; a deputy is somebody else"
        yield document.problem(("accountability", "deputy"), message)
    owners = people.people(Role.OWNER)
    checked = "who checks a model is neither its owner nor its builder"
    yield from _apart(document, people, "validators", {"owners": owners}, checked)
    yield from _apart(document, people, "validators", {"builders": builders}, checked)
    if tier_of(given.risk) is Tier.HIGH:
        why = "owners of a model of the tier high have not built it"
        yield from _apart(document, people, "owners", {"builders": builders}, why)


def _apart(
    document: Document,
    people: Accountability,
    duty: str,
    others: dict[str, frozenset[str]],
    why: str,
) -> Iterator[Problem]:
    named: tuple[str, ...] = getattr(people, duty)
    for other, persons in others.items():
        for place, account in enumerate(named):
            if people.person(account) in persons:
                message = f"{_who(people, account)} is among the {other}; {why}"
                yield document.problem(("accountability", duty, place), message)


def _accounts(document: Document, people: Accountability) -> Iterator[Problem]:
    for account, person in people.accounts.items():
        path: KeyPath = ("accountability", "accounts", account)
        if person in people.accounts:
            message = f"{quoted(person)} is an account itself; name the person behind both"
            yield document.problem(path, message)


def _who(people: Accountability, account: str) -> str:
    person = people.person(account)
    return quoted(account) if person == account else f"{quoted(account)}, who is {quoted(person)},"


def seat_problems(document: Document, given: GovernanceSections) -> Iterator[Problem]:
    """Yield approvals that take too few people, or more than are named."""
    rules = rules_of(given.approvals)
    high = tier_of(given.risk) is Tier.HIGH
    wanted = sum(seat.count for seat in rules[ApprovalKind.ACTIVATE_VERSION].seats)
    if high and wanted < APPROVERS_OF_HIGH:
        message = f"a version of a model of the tier high takes at least {APPROVERS_OF_HIGH} people"
        yield document.problem(("approvals", "activate_version", "required"), message)
    people = accountability_of(given.accountability)
    sections: Mapping[Any, ApprovalSection] = given.approvals
    for kind, rule in rules.items():
        for why in _unfilled(rule, people):
            section = sections.get(kind)
            at_rule = section is not None and section.required is not None
            path: KeyPath = ("approvals", kind, "required") if at_rule else ("accountability",)
            said = why if at_rule else f"{kind} {why}"
            yield document.problem(path, said, at_key=not at_rule)


def _unfilled(rule: ApprovalRule, people: Accountability) -> Iterator[str]:
    """Yield why a rule cannot be followed by the people who are named.

    Roles that name nobody are left out: their people may come from elsewhere.
    """
    seats = {seat.role: seat.count for seat in rule.seats if people.people(seat.role)}
    eligible = {role: people.people(role) - _excluded(rule, people) for role in seats}
    for size in range(1, len(seats) + 1):
        for roles in combinations(seats, size):
            wanted = sum(seats[role] for role in roles)
            able = frozenset[str]().union(*(eligible[role] for role in roles))
            if len(able) < wanted:
                yield (
                    f"takes {wanted} of {_listed(_NAMED[role] for role in roles)}, "
                    f"and the vote of {len(able)} of the people named there counts"
                )
                return


def _excluded(rule: ApprovalRule, people: Accountability) -> frozenset[str]:
    builders = frozenset(map(people.person, people.builders))
    excluded = builders if Party.BUILDERS in rule.exclude else frozenset[str]()
    return excluded | people.people(Role.OWNER) if Party.OWNER in rule.exclude else excluded


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"accountability.{name}" for name in names)
