"""The checkpoints of a log with the lines of witnesses."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from monitor.governance.cosignature import with_cosignatures
from monitor.governance.note import Note, note_of, signature_of
from monitor.store.tables import AUDIT_CHECKPOINTS
from monitor.store.witness_tables import COSIGNATURES


def cosigned_notes(connection: Connection, number: int) -> Sequence[Note]:
    """Return the checkpoints of a log, each with the lines of witnesses, by size."""
    lines: dict[int, list[str]] = {}
    query = (
        select(COSIGNATURES).where(COSIGNATURES.c.log == number).order_by(COSIGNATURES.c.witness)
    )
    for row in connection.execute(query).mappings():
        lines.setdefault(row["size"], []).append(row["line"])
    notes = select(AUDIT_CHECKPOINTS).where(AUDIT_CHECKPOINTS.c.log == number)
    return [
        with_cosignatures(
            note_of(row["note"]), tuple(map(signature_of, lines.get(row["size"], ())))
        )
        for row in connection.execute(notes.order_by(AUDIT_CHECKPOINTS.c.size)).mappings()
    ]
