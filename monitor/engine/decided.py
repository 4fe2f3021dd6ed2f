"""What people and the system had decided about a model by an instant, as far as it stays so."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.domain.window import Window
from monitor.governance.cases import Case
from monitor.governance.ledger import Ledger
from monitor.governance.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Decided:
    """The cases and waivers that concern a period, as they were known at an instant.

    Attributes:
        at: When the last of what is known was decided; None where nothing was.
        cases: Those that were open in the period or since, by number.
        waivers: Those that held in the period or since, by number.
    """

    at: datetime | None = None
    cases: tuple[Case, ...] = ()
    waivers: tuple[Waiver, ...] = ()


def decided_about(ledger: Ledger, span: Window, at: datetime | None = None) -> Decided:
    """Return what had been decided about a model by an instant.

    The same instant gives the same answer later on: what ended after it is open.

    Args:
        ledger: What is known of the model now.
        span: The period; what was over before it began is left out.
        at: The instant; None for now.
    """
    until = max((each for each in _instants(ledger) if at is None or each <= at), default=None)
    if until is None:
        return Decided()
    cases = [_case_at(item, until) for item in ledger.cases.values() if item.opened_at <= until]
    waivers = [_waiver_at(item, until) for item in ledger.waivers.values() if item.starts <= until]
    return Decided(
        until,
        tuple(item for item in cases if item.closed_at is None or item.closed_at > span.start),
        tuple(item for item in waivers if item.over_at > span.start),
    )


def _instants(ledger: Ledger) -> Iterator[datetime]:
    for case in ledger.cases.values():
        yield case.opened_at
        if case.closed_at is not None:
            yield case.closed_at
    for waiver in ledger.waivers.values():
        yield waiver.starts
        if waiver.ended_at is not None:
            yield waiver.ended_at


def _case_at(case: Case, until: datetime) -> Case:
    if case.closed_at is None or case.closed_at <= until:
        return case
    return replace(case, closed_at=None, closed_by="", disposition=None, closing="", evidence="")


def _waiver_at(waiver: Waiver, until: datetime) -> Waiver:
    if waiver.ended_at is None or waiver.ended_at <= until:
        return waiver
    return replace(waiver, ended_at=None, ended_by="", ending="")
