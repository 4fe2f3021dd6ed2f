"""How long a log was silent: nobody wrote, or what was written is gone.

Who leads writes a heartbeat each hour, so a longer time without a record is one in which no daemon
kept the log. Where it was told to end it said so before. A log that never had a heartbeat was kept
by commands alone: nothing was promised of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from msgspec import Struct

from monitor.governance.events import EventType
from monitor.governance.record import AuditRecord, RecordError, record_of

PROMISED = timedelta(hours=1, minutes=5)
"""The longest that a log which a daemon keeps is without a record: the hour, and what clocks and
a busy database take."""


class Silence(Struct, frozen=True):
    """A time without a record that is longer than what was promised.

    Attributes:
        since: Instant of the record before it.
        until: Of the record after it; of the examination where there is none.
        planned: Whether the daemon had been told to end, and no other had begun.
        ended: Whether there is a record after it.
    """

    since: datetime
    until: datetime
    planned: bool
    ended: bool = True

    @property
    def length(self) -> timedelta:
        """Return how long it was."""
        return self.until - self.since


def silences(bodies: Sequence[bytes], now: datetime | None) -> tuple[Silence, ...] | None:
    """Return when a log was silent, oldest first; None where no daemon ever kept it.

    Args:
        bodies: Its records, in order. What is no record is told where they are examined.
        now: When the log was read: nothing was written between its newest record and this. None
            for one that is no longer written to, and where it is not known.
    """
    records = _records(bodies)
    found, kept, planned = list[Silence](), False, False
    for before, after in zip_longest(records, records[1:]):
        if before.event.type is EventType.LOG_HEARTBEAT:
            kept, planned = True, False
        elif before.event.type is EventType.LOG_RESTED:
            kept = planned = True
        until = (now or before.at) if after is None else after.at
        if kept and until - before.at > PROMISED:
            found.append(Silence(before.at, until, planned, ended=after is not None))
    return tuple(found) if kept else None


def _records(bodies: Sequence[bytes]) -> list[AuditRecord]:
    found = []
    for body in bodies:
        try:
            found.append(record_of(body))
        except RecordError:  # told where records are examined
            continue
    return found
