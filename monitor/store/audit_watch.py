"""The newest audit log as the daemon watches it: where it ends, whether it adds up, its heartbeat."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from monitor.domain.lease import Term
from monitor.governance.events import EventType
from monitor.governance.log import Happened, LogHead
from monitor.store.audit import Auditing, Signed, append, head_of
from monitor.store.audit_store import state_differences
from monitor.store.connection import (
    connect_lazily,
    database_url,
    of_one_instant,
    reported,
    retried,
)
from monitor.store.lease import require_term
from monitor.store.tables import AUDIT_LOGS, AUDIT_RECORDS

LOG = "log"
"""What records of the log itself are of."""


class AuditWatch:
    """The log beside the store, on connections of its own.

    Args:
        url: The database.
        auditing: How what is written is signed and witnessed.
    """

    def __init__(self, url: str, auditing: Auditing) -> None:
        self._url = database_url(url)
        self._engine = connect_lazily(self._url)
        self._auditing = auditing

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def head(self) -> LogHead | None:
        """Return where the newest log ends; None where nothing was written yet.

        Raises:
            StoreError: The database cannot be read.
        """
        doing = "reading the head of the audit log"
        with reported(self._url, doing), self._engine.connect() as connection:
            row = newest_log(connection)
            return None if row is None else head_of(row)

    def beaten(self) -> tuple[datetime, bool] | None:
        """Return when the newest log last had a heartbeat, was opened or rested, and whether it rests.

        Raises:
            StoreError: The database cannot be read.
        """
        kinds = [EventType.LOG_HEARTBEAT, EventType.LOG_OPENED, EventType.LOG_RESTED]
        doing = "looking for the last heartbeat"
        with reported(self._url, doing), self._engine.connect() as connection:
            row = newest_log(connection)
            if row is None:
                return None
            query = select(AUDIT_RECORDS.c.at, AUDIT_RECORDS.c.type).where(
                AUDIT_RECORDS.c.log == row["number"],
                AUDIT_RECORDS.c.subject == LOG,
                AUDIT_RECORDS.c.type.in_([kind.value for kind in kinds]),
            )
            newest = connection.execute(query.order_by(AUDIT_RECORDS.c.sequence.desc()).limit(1))
            found = newest.first()
            return None if found is None else (found.at, found.type == EventType.LOG_RESTED)

    def differences(self) -> Sequence[str]:
        """Return where what is stored of versions is not what the logs add up to.

        Raises:
            StoreError: The database cannot be read.
        """
        doing = "adding up the audit log"
        with reported(self._url, doing), of_one_instant(self._engine) as connection:
            return state_differences(connection)[1]

    def _noted(self, term: Term, note: Callable[[Connection, int], Sequence[Happened]]) -> None:
        """Write something beside the newest log, with the records that it makes.

        Args:
            term: The term in which it may be written.
            note: Writes it, given the number of the log, and returns what is to be recorded.
        """

        def steps(connection: Connection) -> Signed | None:
            require_term(connection, term)
            row = newest_log(connection)
            happened = [] if row is None else note(connection, row["number"])
            return append(connection, happened, self._auditing)

        with reported(self._url, "writing to the audit log"):
            signed = retried(self._engine, steps)
        if signed is not None and signed.checkpoint is not None:
            self._auditing.witness(signed.checkpoint, signed.at)

    def record(self, happened: Sequence[Happened], term: Term) -> None:
        """Write events to the log.

        Raises:
            FencedError: The term is over.
            AuditError: The log is signed by another key, or is not what was seen of it.
            StoreError: The database cannot be written.
        """
        self._noted(term, lambda _, __: happened)


def newest_log(connection: Connection) -> RowMapping | None:
    """Return the log that is written to, without locking it."""
    newest = select(AUDIT_LOGS).order_by(AUDIT_LOGS.c.number.desc()).limit(1)
    return connection.execute(newest).mappings().first()
