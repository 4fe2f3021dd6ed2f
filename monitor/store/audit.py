"""The audit log in SQL: appended to in the transaction of what it records."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from monitor.domain.errors import AuditError
from monitor.governance.checkpoint import unverified_checkpoint
from monitor.governance.events import EventType
from monitor.governance.log import Happened, LogHead, appended
from monitor.governance.merkle import Frontier
from monitor.governance.note import Note, SigningKey, VerifyingKey, note_of
from monitor.governance.receipt import Receipt, receipt_of
from monitor.governance.record import Actor, AuditEvent, AuditRecord, Json
from monitor.store.tables import AUDIT_CHECKPOINTS, AUDIT_LOGS, AUDIT_RECORDS, RUNS
from monitor.store.words import kept_apart

_HASH = 32

Witness = Callable[[Note, datetime], None]
"""Who is given each new checkpoint, after what it covers was committed."""


def _nobody(note: Note, at: datetime) -> None:
    _ = note, at


class Journal(Struct):
    """What happens in one transaction, in the order in which it is recorded."""

    happened: list[Happened] = field(default_factory=list)

    def add(self, happened: Happened) -> None:
        """Have an event recorded at the end of the transaction."""
        self.happened.append(happened)


class Auditing(Struct, frozen=True):
    """How the log is signed, and who else keeps its checkpoints.

    Attributes:
        key: Signs each checkpoint; its name is the log's origin. None: nothing is signed, and
            whoever may write the database may write the log anew.
        outside: The newest checkpoint that was kept outside the database; None where none was.
        witness: Is given each new checkpoint.
    """

    key: SigningKey | None = None
    outside: Note | None = None
    witness: Witness = _nobody

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """Return the key, if there is one."""
        return () if self.key is None else (self.key,)


class Signed(Struct, frozen=True):
    """What was appended, and the new checkpoint, if it was signed.

    Attributes:
        at: Instant of the newest record.
        checkpoint: The checkpoint; None where nobody signs the log.
        before: The log's tree before.
        records: What was appended.
    """

    at: datetime
    checkpoint: Note | None
    before: Frontier = field(default_factory=Frontier)
    records: Sequence[AuditRecord] = ()

    @property
    def receipt(self) -> Receipt:
        """Return what proves that it was appended."""
        return receipt_of(self.before, self.records, self.checkpoint)


def append(
    connection: Connection, happened: Sequence[Happened], auditing: Auditing
) -> Signed | None:
    """Write events to the log and sign it; None when there is nothing to write.

    Raises:
        AuditError: The log is signed by another key, or is not what an outside copy says it was.
            What is recorded must not be written either.
    """
    if not happened:
        return None
    number, head, key = _current(connection, auditing, happened)
    _require_key(key, auditing.key, head.origin)
    require_agreement(connection, number, head, auditing.outside)
    require_signed(connection, number, head, [key.verifying for key in auditing.keys])
    after, records = appended(head, kept_apart(connection, happened))
    signed = _write(connection, number, after, records, auditing.keys)
    return replace(signed, before=head.frontier, records=records)


def _current(
    connection: Connection, auditing: Auditing, happened: Sequence[Happened]
) -> tuple[int, LogHead, str]:
    """Return the number, head and key of the log that is written to; it is locked from here on."""
    row = _newest(connection)
    if row is not None:
        return row["number"], head_of(row), row["verifying_key"]
    origin = auditing.key.name if auditing.key else f"modelmon/{secrets.token_hex(8)}"
    of_this = sum(each.event.type is EventType.RUN_COMPLETED for each in happened)
    return 1, *_open(connection, 1, origin, auditing.key, happened[0].at, of_this)


def _open(  # noqa: PLR0917  # six nouns, each of another type
    connection: Connection,
    number: int,
    origin: str,
    key: SigningKey | None,
    at: datetime,
    of_this: int = 0,
) -> tuple[LogHead, str]:
    """Open a log; runs that are there already, but for those of this transaction, are not its."""
    public = "" if key is None else str(key.verifying)
    connection.execute(
        insert(AUDIT_LOGS),
        {
            "number": number,
            "origin": origin,
            "verifying_key": public,
            "size": 0,
            "hashes": b"",
            "last": LogHead(origin).last,
            "at": None,
        },
    )
    before: int = connection.scalar(select(func.coalesce(func.max(RUNS.c.id), 0))) or 0
    data: dict[str, Json] = {"verifying_key": public, "runs_before": before - of_this}
    opened = Happened(at, AuditEvent(EventType.LOG_OPENED, "log", data=data))
    head, records = appended(LogHead(origin), [opened])
    _write(connection, number, head, records, () if key is None else (key,))
    return head, public


def sign_from_here(
    connection: Connection, keys: Sequence[SigningKey], actor: Actor, at: datetime
) -> Signed:
    """Have the log signed by the last of some keys from here on.

    Args:
        connection: A transaction that writes.
        keys: The new key; or the one that signs now and the new one, which sign together this once.
        actor: Who wants it.
        at: When.

    Raises:
        AuditError: Another key signs the log now, or a key is of another log.
    """
    row, new = _newest(connection), keys[-1]
    if row is None:
        head, _ = _open(connection, 1, new.name, new, at)
        return Signed(at, head.checkpoint.signed(new))
    strange = [key.name for key in keys if key.name != row["origin"]]
    if strange:
        raise AuditError(f"the key is of the log {strange[0]}; this one is {row['origin']}")
    require_signed(connection, row["number"], head_of(row), [key.verifying for key in keys[:-1]])
    now = row["verifying_key"]
    before = "" if len(keys) == 1 else str(keys[0].verifying)
    if now != before:
        raise AuditError(f"the audit log {row['origin']} is signed by {now or 'nobody'} now")
    kind = EventType.KEY_ROTATED if before else EventType.KEY_CREATED
    data: dict[str, Json] = {"before": before, "after": str(new.verifying)}
    head, records = appended(
        head_of(row), [Happened(at, AuditEvent(kind, "log", actor, data=data))]
    )
    changed = update(AUDIT_LOGS).where(AUDIT_LOGS.c.number == row["number"])
    connection.execute(changed, {"verifying_key": str(new.verifying)})
    return _write(connection, row["number"], head, records, keys)


def recover(  # noqa: PLR0917  # six nouns, each of another type
    connection: Connection, outside: Note, key: SigningKey, actor: Actor, why: str, at: datetime
) -> Signed:
    """Open another log after one that is not what was seen of it from outside.

    Its first records say which checkpoint was lost. The old log stays as it lies.

    Args:
        connection: A transaction that writes.
        outside: The newest checkpoint that was kept outside.
        key: A new key, which has the new log's origin as its name.
        actor: Who decided.
        why: Why, in words.
        at: When.

    Raises:
        AuditError: Nothing is lost: the log agrees with the outside copy, or there is none.
    """
    row, seen = _newest(connection), unverified_checkpoint(outside)
    if row is None:
        raise AuditError("there is no audit log in this store; `modelmon audit init` opens one")
    if row["origin"] == seen.origin and _agrees(connection, row["number"], outside):
        raise AuditError(f"the audit log {row['origin']} is what the outside checkpoint says")
    number = row["number"] + 1
    head, _ = _open(connection, number, key.name, key, at)
    data: dict[str, Json] = {
        "lost": {"origin": seen.origin, "size": seen.size, "root": seen.root.hex()},
        "found": {"origin": row["origin"], "size": row["size"]},
        "why": why,
    }
    event = AuditEvent(EventType.LOG_RECOVERED, "log", actor, data=data)
    after, records = appended(head, [Happened(at, event)])
    return _write(connection, number, after, records, (key,))


def _newest(connection: Connection) -> RowMapping | None:
    """Return the log that is written to; its row is locked from here on."""
    newest = select(AUDIT_LOGS).order_by(AUDIT_LOGS.c.number.desc()).limit(1)
    return connection.execute(newest.with_for_update()).mappings().first()


def _require_key(public: str, key: SigningKey | None, origin: str) -> None:
    mine = "" if key is None else str(key.verifying)
    if mine == public:
        return
    if not public:
        raise AuditError(
            f"the audit log {origin} is not signed and this process has a key; right would be:"
            " modelmon audit init"
        )
    told = "no key; set audit.key" if key is None else f"another one ({mine})"
    raise AuditError(f"the audit log {origin} is signed by {public}, and this process has {told}")


def require_agreement(
    connection: Connection, number: int, head: LogHead, outside: Note | None
) -> None:
    """Refuse to go on where the log is not the one that was seen from outside.

    To sign it would be to say two things of one log. This is what a restored backup looks like.

    Raises:
        AuditError: It is not, or is another log.
    """
    if outside is None:
        return
    seen = unverified_checkpoint(outside)
    if seen.origin != head.origin:
        raise AuditError(
            f"the audit log is {head.origin}; the checkpoint kept outside is of {seen.origin}:"
            " is this the store that it was kept for?"
        )
    if head.size < seen.size or not _agrees(connection, number, outside):
        what = "shorter than it was" if head.size < seen.size else "not the log that it was"
        raise AuditError(
            f"the audit log {head.origin} is {what}: it has {head.size} records, and a checkpoint"
            f" kept outside is of {seen.size}. Was a backup restored? Nothing is written until"
            " somebody decides: modelmon audit recover"
        )


def require_signed(
    connection: Connection, number: int, head: LogHead, believed: Sequence[VerifyingKey]
) -> None:
    """Refuse a log whose newest checkpoint is not of all its records, or by nobody who is believed.

    Each write is signed in its transaction. What is not covered was written by somebody else, and
    to sign what comes after it would be to sign it.

    Args:
        connection: A transaction.
        number: Number of the log.
        head: Where it ends.
        believed: The keys that may have signed; none: the log is not signed.

    Raises:
        AuditError: It is not signed so.
    """
    if not believed:
        return
    newest = select(AUDIT_CHECKPOINTS.c.note).where(AUDIT_CHECKPOINTS.c.log == number)
    text = connection.scalar(newest.order_by(AUDIT_CHECKPOINTS.c.size.desc()).limit(1))
    note = None if text is None else note_of(text)
    if note is None or not any(key.has_signed(note) for key in believed):
        raise AuditError(
            f"the newest checkpoint of the audit log {head.origin} is signed by nobody whom this"
            " process believes; see what is wrong with it by: modelmon audit verify"
        )
    if unverified_checkpoint(note) != head.checkpoint:
        raise AuditError(
            f"the audit log {head.origin} has {head.size} records, and they are not those that were"
            " signed: somebody has written to it past modelmon, and nothing is signed after that;"
            " see: modelmon audit verify"
        )


def _agrees(connection: Connection, number: int, outside: Note) -> bool:
    """Return whether the database has the checkpoint that was kept outside."""
    seen = unverified_checkpoint(outside)
    then = select(AUDIT_CHECKPOINTS.c.note).where(
        AUDIT_CHECKPOINTS.c.log == number, AUDIT_CHECKPOINTS.c.size == seen.size
    )
    note = connection.scalar(then)
    return note is not None and unverified_checkpoint(note_of(note)) == seen


def _write(
    connection: Connection,
    number: int,
    head: LogHead,
    records: Sequence[AuditRecord],
    keys: Sequence[SigningKey],
) -> Signed:
    connection.execute(insert(AUDIT_RECORDS), [_record_row(number, each) for each in records])
    at = records[-1].at
    connection.execute(
        update(AUDIT_LOGS).where(AUDIT_LOGS.c.number == number),
        {
            "size": head.size,
            "hashes": b"".join(head.frontier.hashes),
            "last": head.last,
            "at": head.at,
        },
    )
    if not keys:
        return Signed(at, None)
    note = head.checkpoint.signed(*keys)
    connection.execute(
        insert(AUDIT_CHECKPOINTS),
        {"log": number, "size": head.size, "note": str(note), "at": at},
    )
    return Signed(at, note)


def head_of(row: RowMapping) -> LogHead:
    """Return where the log of a row ends.

    Raises:
        AuditError: The row is the head of no log.
    """
    packed = row["hashes"]
    hashes = tuple(packed[place : place + _HASH] for place in range(0, len(packed), _HASH))
    try:
        frontier = Frontier(row["size"], hashes)
    except ValueError as error:
        raise AuditError(
            f"the head of the audit log {row['origin']} is {error}: somebody has written to it"
            " past modelmon; see: modelmon audit verify"
        ) from error
    return LogHead(row["origin"], frontier, row["last"], row["at"])


def _record_row(number: int, record: AuditRecord) -> dict[str, object]:
    return {
        "log": number,
        "sequence": record.sequence,
        "leaf": record.leaf,
        "body": record.body.decode(),
        "at": record.at,
        "type": record.event.type.value,
        "subject": record.event.subject,
        "actor": record.event.actor.id,
    }
