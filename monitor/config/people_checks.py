"""Duties that people may not have at the same time, and names of which nobody can tell whose."""

from collections.abc import Iterator
from unicodedata import normalize

from monitor.config.document import Document, KeyPath
from monitor.config.governance import accountability_of, tier_of
from monitor.config.governance_sections import GovernanceSections
from monitor.config.wording import quoted
from monitor.domain.errors import Problem
from monitor.domain.governance import Accountability, Tier
from monitor.domain.role import Role


def people_problems(document: Document, given: GovernanceSections) -> Iterator[Problem]:
    """Yield who has two duties that one person may not have."""
    people = accountability_of(given.accountability)
    builders = frozenset(map(people.person, people.builders))
    yield from _accounts(document, people)
    yield from _spelled_otherwise(document, people)
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


def _spelled_otherwise(document: Document, people: Accountability) -> Iterator[Problem]:
    """Yield names that would be two people by their letters alone, and could be one in two seats."""
    first: dict[str, str] = {}
    for path, name in _names(people):
        known = first.setdefault(normalize("NFKC", name).strip().casefold(), name)
        if known != name:
            message = (
                f"{quoted(name)} is {quoted(known)} but for its spelling; write one person one way, "
                "as they log in, and their other accounts under accounts"
            )
            yield document.problem(path, message)


def _names(people: Accountability) -> Iterator[tuple[KeyPath, str]]:
    for key in ("accountable", "deputy"):
        if name := getattr(people, key):
            yield ("accountability", key), name
    for key in ("owners", "operators", "validators", "governance", "builders"):
        for place, name in enumerate(getattr(people, key)):
            yield ("accountability", key, place), name
    for account, person in people.accounts.items():
        yield ("accountability", "accounts", account), person


def _who(people: Accountability, account: str) -> str:
    person = people.person(account)
    return quoted(account) if person == account else f"{quoted(account)}, who is {quoted(person)},"
