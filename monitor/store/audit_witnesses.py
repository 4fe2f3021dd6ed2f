"""What witnesses said of the newest audit log, in SQL."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from monitor.domain.lease import Term
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.note import Note, note_of
from monitor.governance.record import AuditEvent, Json
from monitor.store.audit_watch import AuditWatch, newest_log
from monitor.store.connection import reported
from monitor.store.tables import AUDIT_CHECKPOINTS, AUDIT_RECORDS
from monitor.store.witness_tables import COSIGNATURES, WITNESS_REFUSALS


class KnownWitness(Struct, frozen=True):
    """What is known of a witness.

    Attributes:
        size: Records that it has cosigned; 0 for none.
        at: When it last did, by its clock; None when it never did.
        refused_at: When it last refused, by ours; None when it never did, or has cosigned more since.
    """

    size: int = 0
    at: datetime | None = None
    refused_at: datetime | None = None


class AuditWitnesses(AuditWatch):
    """The newest log, with what witnesses made of it."""

    def newest_checkpoint(self) -> Note | None:
        """Return the newest signed checkpoint; None where the log is not signed.

        Raises:
            StoreError: The database cannot be read.
        """
        doing = "reading the newest checkpoint"
        with reported(self._url, doing), self._engine.connect() as connection:
            row = newest_log(connection)
            query = select(AUDIT_CHECKPOINTS.c.note).order_by(AUDIT_CHECKPOINTS.c.size.desc())
            number = None if row is None else row["number"]
            text = connection.scalar(query.where(AUDIT_CHECKPOINTS.c.log == number).limit(1))
            return None if text is None else note_of(text)

    def leaves(self, size: int) -> Sequence[bytes]:
        """Return the leaf hashes of the first records of the newest log.

        Raises:
            StoreError: The database cannot be read.
        """
        with (
            reported(self._url, "reading the audit log"),
            self._engine.connect() as connection,
        ):
            row = newest_log(connection)
            query = select(AUDIT_RECORDS.c.leaf).where(
                AUDIT_RECORDS.c.log == (None if row is None else row["number"]),
                AUDIT_RECORDS.c.sequence < size,
            )
            return connection.scalars(query.order_by(AUDIT_RECORDS.c.sequence)).all()

    def known(self, witness: str) -> KnownWitness:
        """Return what is known of a witness.

        Raises:
            StoreError: The database cannot be read.
        """
        doing = "reading what a witness said"
        with reported(self._url, doing), self._engine.connect() as connection:
            row = newest_log(connection)
            return KnownWitness() if row is None else _known(connection, row["number"], witness)

    def cosigned(self, witness: str, size: int, line: str, at: datetime, term: Term) -> None:
        """Keep a cosignature that was verified; one that follows a refusal is recorded.

        Raises:
            FencedError: The term is over.
            StoreError: The database cannot be written.
        """

        def steps(connection: Connection, number: int) -> Sequence[Happened]:
            before = _known(connection, number, witness)
            connection.execute(
                insert(COSIGNATURES),
                {"log": number, "witness": witness, "size": size, "line": line, "at": at},
            )
            told: dict[str, Json] = {"witness": witness, "size": size}
            event = AuditEvent(EventType.ANCHOR_OK, "log", data=told)
            return [] if before.refused_at is None else [Happened(at, event)]

        self._noted(term, steps)

    def refused(  # noqa: PLR0917  # what a refusal consists of
        self, witness: str, size: int, status: int, said: str, asked: str, at: datetime, term: Term
    ) -> None:
        """Keep a refusal with what was asked, as evidence; once, until it cosigns again.

        Raises:
            FencedError: The term is over.
            StoreError: The database cannot be written.
        """

        def steps(connection: Connection, number: int) -> Sequence[Happened]:
            row = {"log": number, "witness": witness, "size": size, "status": status}
            same = select(func.count()).where(
                WITNESS_REFUSALS.c.log == number,
                WITNESS_REFUSALS.c.witness == witness,
                WITNESS_REFUSALS.c.status == status,
                WITNESS_REFUSALS.c.size > _known(connection, number, witness).size,
            )
            if connection.scalar(same):
                return []  # the record of the first one made the log grow, and it is asked again
            connection.execute(
                insert(WITNESS_REFUSALS), {**row, "at": at, "said": said, "asked": asked}
            )
            told: dict[str, Json] = {"witness": witness, "size": size, "status": status}
            return [Happened(at, AuditEvent(EventType.ANCHOR_FAILED, "log", data=told))]

        self._noted(term, steps)


def _known(connection: Connection, number: int, witness: str) -> KnownWitness:
    mine = (COSIGNATURES.c.log == number, COSIGNATURES.c.witness == witness)
    newest = select(COSIGNATURES.c.size, COSIGNATURES.c.at).where(*mine)
    row = connection.execute(newest.order_by(COSIGNATURES.c.size.desc()).limit(1)).first()
    size, at = (0, None) if row is None else row
    refused = select(func.max(WITNESS_REFUSALS.c.at)).where(
        WITNESS_REFUSALS.c.log == number,
        WITNESS_REFUSALS.c.witness == witness,
        WITNESS_REFUSALS.c.size > size,
    )
    return KnownWitness(size, at, connection.scalar(refused))
