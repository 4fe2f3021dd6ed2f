"""What the audit log says of pruned results, held against what is left of them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, RowMapping

from monitor.governance.events import EventType
from monitor.governance.record import AuditRecord, RecordError
from monitor.governance.verification import Fault, Flaw
from monitor.store.digest import results_digest

Recorded = tuple[str, datetime, datetime, int]
"""Model, start, end and revision of a run that a record is about."""

_KEPT = ("at", "readings", "verdicts")


class Step(Struct, frozen=True):
    """One time that something of a result was deleted, as the log has it.

    Attributes:
        place: Of the record.
        before: Digest of the result's rows before.
        after: Digest of those that were left.
        kept: What was kept of its readings and findings; None when they had gone before.
    """

    place: int
    before: str
    after: str
    kept: Mapping[str, Any] | None


def prunings(records: Mapping[int, AuditRecord]) -> dict[Recorded, list[Step]]:
    """Return of each run that was pruned how it was, in the order of the log."""
    found: dict[Recorded, list[Step]] = {}
    for place, record in records.items():
        if record.event.type is EventType.STORE_PRUNED:
            results = record.event.data["results"]
            for item in results if isinstance(results, list) else ():
                window, step = _step(record, place, item)
                found.setdefault(window, []).append(step)
    return found


def window_of_record(record: AuditRecord) -> Recorded:
    """Return which run a record of one is about."""
    return _named(record, record.event.data)


def flaws_of_pruned(
    connection: Connection, row: RowMapping, recorded: str, steps: Sequence[Step]
) -> Iterator[Flaw]:
    """Yield how a pruned result differs from what the log says of it.

    What went must have been what was recorded when it was stored, and what is left what was left.

    Args:
        connection: The database.
        row: The run.
        recorded: Digest of its rows when it was stored.
        steps: How it was pruned.
    """
    now = recorded
    for step in steps:
        if step.before != now:
            told = "what was pruned of a run was not what had been recorded"
            yield Flaw(Fault.STATE_DIFFERS, step.place, told)
        now = step.after
    last = steps[-1].place
    if results_digest(connection, row["id"]) != now:
        yield Flaw(Fault.STATE_DIFFERS, last, "what is left of a pruned run is stored otherwise")
    kept = next((step.kept for step in steps if step.kept is not None), None)
    if row["pruned"] != kept:
        yield Flaw(Fault.STATE_DIFFERS, last, "what is kept of a pruned run is stored otherwise")


def _step(record: AuditRecord, place: int, item: Any) -> tuple[Recorded, Step]:
    kept = {name: item[name] for name in _KEPT} if "at" in item else None
    return _named(record, item), Step(place, str(item["before"]), str(item["after"]), kept)


def _named(record: AuditRecord, data: Mapping[str, Any]) -> Recorded:
    window = data["window"]
    if not isinstance(window, dict):
        raise RecordError("a run is of a window")
    start, end = (datetime.fromisoformat(str(window[name])) for name in ("start", "end"))
    return record.event.subject.removeprefix("model/"), start, end, int(str(data["revision"]))
