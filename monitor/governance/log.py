"""The head of an audit log, and how events become records after it."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct, field

from monitor.governance.checkpoint import Checkpoint
from monitor.governance.events import EventType
from monitor.governance.merkle import Frontier
from monitor.governance.record import FIRST, AuditEvent, AuditRecord, record_at
from monitor.governance.verification import SKEW


class Happened(Struct, frozen=True):
    """An event and when it happened, by the clock of whoever saw it."""

    at: datetime
    event: AuditEvent


class LogHead(Struct, frozen=True):
    """Where a log ends: all that is needed to append to it.

    Attributes:
        origin: Which log.
        frontier: Its tree.
        last: Leaf hash of the last record; `FIRST` when there is none.
        at: Instant of the last record; None when there is none.
    """

    origin: str
    frontier: Frontier = field(default_factory=Frontier)
    last: bytes = FIRST
    at: datetime | None = None

    @property
    def size(self) -> int:
        """Return the number of records."""
        return self.frontier.size

    @property
    def checkpoint(self) -> Checkpoint:
        """Return what the log is now."""
        return Checkpoint(self.origin, self.size, self.frontier.root)


def appended(
    head: LogHead, happened: Iterable[Happened]
) -> tuple[LogHead, tuple[AuditRecord, ...]]:
    """Return the head and the records after events were appended.

    No record is older than the one before it. Two processes that write at once differ by moments,
    and the later one's record takes the earlier one's instant; a clock that was set back further
    than clocks may differ is an event of its own.

    Raises:
        RecordError: An event has no one form.
    """
    records = []
    for each in happened:
        if head.at is not None and each.at < head.at - SKEW:
            moved = AuditEvent(
                EventType.CLOCK_REGRESSED, "log", data={"clock": each.at.isoformat()}
            )
            head, record = _with(head, head.at, moved)
            records.append(record)
        at = each.at if head.at is None else max(each.at, head.at)
        head, record = _with(head, at, each.event)
        records.append(record)
    return head, tuple(records)


def _with(head: LogHead, at: datetime, event: AuditEvent) -> tuple[LogHead, AuditRecord]:
    record = record_at(head.origin, head.size, head.last, at, event)
    leaf = record.leaf
    return LogHead(head.origin, head.frontier.appended(leaf), leaf, at), record
