"""What versions may do put back as the audit log recorded it, after somebody wrote past the log."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection

from monitor.domain.errors import AuditError
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.projection import Document, Key, differences, subject_of
from monitor.governance.record import Actor, AuditEvent, Json
from monitor.store.changes import bump
from monitor.store.governance import delete_entry, read_documents, write_document


def restore_entries(
    connection: Connection,
    recorded: Mapping[Key, Document],
    actor: Actor,
    why: str,
    at: datetime,
) -> list[Happened]:
    """Put back every entry that is stored otherwise than it was recorded; return what to record.

    Args:
        connection: A transaction that writes.
        recorded: What the logs add up to, with people's words.
        actor: Who decides it.
        why: The reason they give.
        at: When.

    Raises:
        AuditError: Something cannot be put back.
    """
    models = {model for _, model, _ in _found(connection, recorded)}
    bump(connection, models)
    found = _found(connection, recorded)
    for key in found:
        if key in recorded:
            write_document(connection, key, recorded[key])
        else:
            delete_entry(connection, key)
    left = _found(connection, recorded)
    if left:
        named = ", ".join(" ".join(key) for key in left)
        raise AuditError(f"cannot be put back as it was recorded: {named}; restore a backup")
    return [_event(model, found, actor, why, at) for model in sorted(models)]


def _found(connection: Connection, recorded: Mapping[Key, Document]) -> Collection[Key]:
    return differences(recorded, read_documents(connection)).keys()


def _event(model: str, found: Collection[Key], actor: Actor, why: str, at: datetime) -> Happened:
    named: list[Json] = [f"{noun} {which}" for noun, of, which in found if of == model]
    data: dict[str, Json] = {"restored": named, "why": why}
    return Happened(
        at, AuditEvent(EventType.STATE_RESTORED, subject_of(model, ""), actor, data=data)
    )
