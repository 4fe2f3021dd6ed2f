"""Nothing is written on top of a state that the audit log does not add up to.

A change of a ledger records the whole of what it makes of an entry. Made of an entry that somebody
had written past the log, it would record their state as if it had come about.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from monitor.domain.errors import AuditError
from monitor.governance.ledger import Change
from monitor.governance.projection import Document, Key, differences, replayed, subject_of
from monitor.governance.record import record_of
from monitor.store.governance import documents_of, read_ledger
from monitor.store.tables import AUDIT_RECORDS
from monitor.store.words import resolved, told_of


def require_as_recorded(connection: Connection, model: str, changes: Sequence[Change]) -> None:
    """Refuse to change what is stored of a model otherwise than its records add up to.

    Args:
        connection: A transaction that writes to the model.
        model: Name of the model.
        changes: What is to be written.

    Raises:
        AuditError: It is, with the names of what differs.
    """
    if all(change.after is None for change in changes):
        return
    ledger = read_ledger(connection, model)
    versions = {"", *ledger.standings, *(change.version for change in changes)}
    recorded = _recorded(connection, [subject_of(model, each) for each in sorted(versions)])
    found = differences(recorded, documents_of(ledger))
    if found:
        named = ", ".join(f"{noun} {which}" for noun, _, which in found)
        raise AuditError(
            f"what is stored of {model} is not what the audit log adds up to ({named}): somebody has"
            " written to it past modelmon, and nothing is written on top of that; see `modelmon"
            " audit replay`, which can also put back what was recorded"
        )


def _recorded(connection: Connection, subjects: Sequence[str]) -> Mapping[Key, Document]:
    query = select(AUDIT_RECORDS.c.body).where(
        AUDIT_RECORDS.c.subject.in_(subjects),
        AUDIT_RECORDS.c.body.contains('"entry":', autoescape=True),
    )
    bodies = connection.scalars(query.order_by(AUDIT_RECORDS.c.log, AUDIT_RECORDS.c.sequence))
    told = told_of(connection)
    return replayed(resolved(record_of(body.encode()), told) for body in bodies)
