"""Pages of the newest audit log, and the proof that a record is in a log."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, Engine, RowMapping, select

from monitor.domain.errors import AuditError
from monitor.governance.checkpoint import unverified_checkpoint
from monitor.governance.merkle import inclusion_proof, is_included, leaf_hash
from monitor.governance.note import Note, note_of
from monitor.governance.receipt import Proved, Receipt
from monitor.governance.record import RecordError, record_of
from monitor.store.connection import of_one_instant, reported
from monitor.store.tables import AUDIT_CHECKPOINTS, AUDIT_LOGS, AUDIT_RECORDS

_UNPROVED = (
    "record {} of the audit log {} is not what the newest checkpoint is of, or records are missing:"
    " nothing proves it; see: modelmon audit verify"
)


class Page(Struct, frozen=True):
    """Some records of a log, one after the other.

    Attributes:
        origin: The log.
        size: How many records it has.
        bodies: The bytes that were hashed, from the place that was asked for.
    """

    origin: str
    size: int
    bodies: Sequence[str]


class Proof(Struct, frozen=True):
    """That a record is in what a checkpoint covers.

    Attributes:
        body: The bytes that were hashed.
        leaf: Their hash.
        size: How many records the checkpoint covers.
        hashes: The way from the leaf to the root (RFC 6962).
        checkpoint: The newest signed one; None where the log is not signed.
    """

    body: str
    leaf: bytes
    size: int
    hashes: Sequence[bytes]
    checkpoint: Note | None


class AuditPages:
    """The audit log, for whoever reads it."""

    def __init__(self, engine: Engine) -> None:
        """Read over somebody's connections."""
        self._engine = engine

    def page(self, since: int, most: int) -> Page | None:
        """Return the records from a place on, at most so many; None where there is no log.

        Raises:
            StoreError: The database cannot be read.
        """
        with (
            reported(self._engine.url, "reading the audit log"),
            self._engine.connect() as connection,
        ):
            log = _newest(connection)
            if log is None:
                return None
            query = select(AUDIT_RECORDS.c.body).where(
                AUDIT_RECORDS.c.log == log["number"], AUDIT_RECORDS.c.sequence >= since
            )
            bodies = connection.scalars(query.order_by(AUDIT_RECORDS.c.sequence).limit(most)).all()
            return Page(log["origin"], log["size"], bodies)

    def proof(self, sequence: int) -> Proof | None:
        """Return the proof that a record is in the newest log; None where there is no such record.

        Every hash of the log is read for it: some milliseconds for ten thousand records.

        Raises:
            StoreError: The database cannot be read.
        """
        with (
            reported(self._engine.url, "reading the audit log"),
            of_one_instant(self._engine) as at,
        ):
            log = _newest(at)
            return None if log is None else _proof(at, log, sequence)

    def receipt(self, sequence: int, origin: str | None = None) -> Receipt | None:
        """Return the receipt of any record, by the newest checkpoint; None where there is no record.

        Args:
            sequence: Its place in the log.
            origin: Which log; None for the newest.

        Raises:
            AuditError: The record is not what was signed, or no record at all: it proves nothing.
            StoreError: The database cannot be read.
        """
        with (
            reported(self._engine.url, "reading the audit log"),
            of_one_instant(self._engine) as at,
        ):
            named = select(AUDIT_LOGS).where(AUDIT_LOGS.c.origin == origin)
            log = _newest(at) if origin is None else at.execute(named).mappings().first()
            found = None if log is None else _proof(at, log, sequence)
        if log is None or found is None:
            return None
        root = None if found.checkpoint is None else unverified_checkpoint(found.checkpoint).root
        if root is not None and not is_included(
            found.leaf, sequence, found.size, found.hashes, root
        ):
            raise AuditError(_UNPROVED.format(sequence, log["origin"]))
        try:
            record = record_of(found.body.encode())
        except RecordError as error:
            raise AuditError(_UNPROVED.format(sequence, log["origin"])) from error
        proved = Proved(record, tuple(found.hashes))
        return Receipt(log["origin"], found.size, (proved,), found.checkpoint)


def _proof(connection: Connection, log: RowMapping, sequence: int) -> Proof | None:
    note = connection.scalar(
        select(AUDIT_CHECKPOINTS.c.note)
        .where(AUDIT_CHECKPOINTS.c.log == log["number"])
        .order_by(AUDIT_CHECKPOINTS.c.size.desc())
        .limit(1)
    )
    signed = None if note is None else note_of(note)
    size = log["size"] if signed is None else unverified_checkpoint(signed).size
    if not 0 <= sequence < size:
        return None
    mine = AUDIT_RECORDS.c.log == log["number"]
    body = connection.scalar(
        select(AUDIT_RECORDS.c.body).where(mine, AUDIT_RECORDS.c.sequence == sequence)
    )
    leaves = connection.scalars(
        select(AUDIT_RECORDS.c.leaf)
        .where(mine, AUDIT_RECORDS.c.sequence < size)
        .order_by(AUDIT_RECORDS.c.sequence)
    ).all()
    if body is None or len(leaves) != size:
        raise AuditError(_UNPROVED.format(sequence, log["origin"]))
    hashes = inclusion_proof(leaves, sequence)
    return Proof(body, leaf_hash(body.encode()), size, hashes, signed)


def _newest(connection: Connection) -> RowMapping | None:
    newest = select(AUDIT_LOGS).order_by(AUDIT_LOGS.c.number.desc()).limit(1)
    return connection.execute(newest).mappings().first()
