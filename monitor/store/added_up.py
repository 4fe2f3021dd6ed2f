"""What is stored of versions held against the audit log, again and again, for what rests on it.

The whole log is read once, and then only what was appended. A process that has the log's key
believes nothing that this key, or one that it has handed the log to, has not signed.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from monitor.domain.errors import AuditError
from monitor.governance.erasable import with_words
from monitor.governance.note import VerifyingKey, note_of, verifying_key_of
from monitor.governance.projection import Document, Key, differences
from monitor.governance.reckoning import Doubts, Reckoned
from monitor.store.audit import Auditing, head_of, require_agreement, require_signed
from monitor.store.connection import connect_lazily, database_url, of_one_instant, reported
from monitor.store.governance import read_documents
from monitor.store.tables import AUDIT_CHECKPOINTS, AUDIT_LOGS, AUDIT_RECORDS
from monitor.store.words import told_of

_AT_ONCE = 2000
"""Records that are read at a time."""


class AddedUp:
    """The logs of a store as one process has added them up.

    Args:
        url: The database.
        auditing: The key that is believed, and the newest checkpoint that was kept outside.
    """

    def __init__(self, url: str, auditing: Auditing) -> None:
        self._url = database_url(url)
        self._engine = connect_lazily(self._url)
        self._auditing = auditing
        self._known = Reckoned()

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def doubts(self) -> Doubts:
        """Return why what is stored of versions cannot be believed.

        What was appended is taken up only when it is signed, so that a log that is mended is
        believed again, and one that has lost records is not.

        Raises:
            StoreError: The database cannot be read.
        """
        doing = "holding what versions may do against the audit log"
        with reported(self._url, doing), of_one_instant(self._engine) as connection:
            try:
                known = self._read(connection)
            except AuditError as error:
                return Doubts(str(error))
            self._known = known
            recorded = _in_words(connection, known)
            found = differences(recorded, read_documents(connection))
        models: dict[str, list[str]] = {}
        for (_, model, _), told in found.items():
            models.setdefault(model, []).extend(told)
        return Doubts(models=models)

    def _read(self, connection: Connection) -> Reckoned:
        """Return what the logs add up to by now.

        Raises:
            AuditError: They are not what they were, or not what was signed.
        """
        known = self._known
        query = select(AUDIT_LOGS).where(AUDIT_LOGS.c.number >= known.log)
        rows = connection.execute(query.order_by(AUDIT_LOGS.c.number)).mappings().all()
        if known.log and (not rows or rows[0]["number"] != known.log):
            raise AuditError("the audit log that was read before is no longer there")
        for row in rows:
            known = _read_on(connection, row, known)
        if rows:
            self._require_believable(connection, rows[-1], known)
        return known

    def _require_believable(self, connection: Connection, row: RowMapping, known: Reckoned) -> None:
        head, number = head_of(row), row["number"]
        require_agreement(connection, number, head, self._auditing.outside)
        believed = [key.verifying for key in self._auditing.keys]
        for each in known.handed:
            if each.before in map(str, believed) and _signed(
                connection, number, each.size, believed
            ):
                believed.append(verifying_key_of(each.after))
        require_signed(connection, number, head, believed)


def _read_on(connection: Connection, row: RowMapping, known: Reckoned) -> Reckoned:
    """Return what is known with what a log has had appended, which must be what its head says."""
    if row["number"] != known.log:
        known = known.opened(row["number"])
    head = head_of(row)
    if head.size < known.frontier.size:
        raise AuditError(
            f"the audit log {head.origin} had {known.frontier.size} records, and has {head.size}"
        )
    further = select(AUDIT_RECORDS.c.body).where(
        AUDIT_RECORDS.c.log == row["number"], AUDIT_RECORDS.c.sequence >= known.frontier.size
    )
    ordered = further.order_by(AUDIT_RECORDS.c.sequence).execution_options(yield_per=_AT_ONCE)
    bodies = connection.scalars(ordered)
    known = known.after(body.encode() for body in bodies)
    if known.frontier != head.frontier:
        raise AuditError(
            f"the records of the audit log {head.origin} are not those that its head is of;"
            " see: modelmon audit verify"
        )
    return known


def _signed(
    connection: Connection, number: int, size: int, believed: Sequence[VerifyingKey]
) -> bool:
    query = select(AUDIT_CHECKPOINTS.c.note).where(
        AUDIT_CHECKPOINTS.c.log == number, AUDIT_CHECKPOINTS.c.size == size
    )
    note = connection.scalar(query)
    return note is not None and any(key.has_signed(note_of(note)) for key in believed)


def _in_words(connection: Connection, known: Reckoned) -> dict[Key, Document]:
    told = told_of(connection)
    found: dict[Key, Document] = {}
    for key, document in known.entries.items():
        said = with_words(dict(document), lambda digest: told.get(digest, f"(no {digest})"))
        assert isinstance(said, dict)  # noqa: S101  # as it was
        found[key] = said
    return found
