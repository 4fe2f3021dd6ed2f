"""What was decided about a model, and seen of its versions, by an instant; as far as it stays so."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.alert import Mute
from monitor.domain.registry import Origin
from monitor.domain.window import Window
from monitor.governance.cases import Case
from monitor.governance.ledger import Ledger
from monitor.governance.waivers import Waiver


class Decided(Struct, frozen=True):
    """What concerns a period beside its numbers, as it was known at an instant.

    Attributes:
        at: When the last of what is known was decided or seen; None where nothing was.
        cases: Those that were open in the period or since, by number.
        waivers: Those that held in the period or since, by number.
        mutes: Mutes that held in the period or since, in the order of their decisions; each until
            the next decision on its finding.
        origins: Where each version came from, as its registry told it last, by version.
    """

    at: datetime | None = None
    cases: tuple[Case, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    mutes: tuple[Mute, ...] = ()
    origins: tuple[Origin, ...] = ()


def decided_about(
    ledger: Ledger,
    span: Window,
    at: datetime | None = None,
    decisions: Sequence[Mute] = (),
    seen: Sequence[Origin] = (),
) -> Decided:
    """Return what had been decided about a model by an instant.

    The same instant gives the same answer later on: what ended after it is open.

    Args:
        ledger: What is known of the model now.
        span: The period; what was over before it began is left out.
        at: The instant; None for now.
        decisions: Every decision to mute a finding of the model or to end that, oldest first.
        seen: Where its versions came from, each time that was seen, oldest first.
    """
    instants = chain(
        _instants(ledger), (item.at for item in decisions), (item.seen_at for item in seen)
    )
    until = max((each for each in instants if at is None or each <= at), default=None)
    if until is None:
        return Decided()
    mutes = _mutes_at([item for item in decisions if item.at <= until])
    cases = [_case_at(item, until) for item in ledger.cases.values() if item.opened_at <= until]
    waivers = [_waiver_at(item, until) for item in ledger.waivers.values() if item.starts <= until]
    origins = {item.version: item for item in seen if item.seen_at <= until}
    return Decided(
        until,
        tuple(item for item in cases if item.closed_at is None or item.closed_at > span.start),
        tuple(item for item in waivers if item.over_at > span.start),
        tuple(item for item in mutes if item.until > max(item.at, span.start)),
        tuple(origins[version] for version in sorted(origins)),
    )


def _mutes_at(decisions: Sequence[Mute]) -> Iterator[Mute]:
    """Yield each decision with the instant at which it ended by itself or by the next one."""
    for place, item in enumerate(decisions):
        later = (each.at for each in decisions[place + 1 :] if each.fingerprint == item.fingerprint)
        yield replace(item, until=min(item.until, next(later, item.until)))


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
