"""Audit logs added up while they grow: what they made of every entry, and the tree they must have.

Whoever keeps a reckoning needs to read only what came after it, and notices when what came before
is no longer what it was.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.governance.events import EventType
from monitor.governance.merkle import Frontier, leaf_hash
from monitor.governance.projection import Document, Key, entry_of
from monitor.governance.record import AuditRecord, RecordError, record_of

_TELLS = (b'"entry":', f'"type":"{EventType.KEY_ROTATED}"'.encode())
"""What stands in the body of each record that changes more than the tree."""


class Handover(Struct, frozen=True):
    """A record by which a log is signed by another key from there on.

    Attributes:
        size: Records of the log with this one: its checkpoint is signed by both keys.
        before: The key before.
        after: The key after.
    """

    size: int
    before: str
    after: str


class Reckoned(Struct, frozen=True):
    """What the logs of a store add up to, as far as they were read.

    Attributes:
        log: Number of the log that was read last; 0 before the first.
        frontier: Its tree.
        entries: The last document of every entry, of all logs. Words are digests in it.
        handed: Where the log was handed to another key.
    """

    log: int = 0
    frontier: Frontier = field(default_factory=Frontier)
    entries: Mapping[Key, Document] = field(default_factory=dict)
    handed: Sequence[Handover] = ()

    def opened(self, log: int) -> "Reckoned":
        """Return the same before the first record of a log that follows."""
        return replace(self, log=log, frontier=Frontier(), handed=())

    def after(self, bodies: Iterable[bytes]) -> "Reckoned":
        """Return what is added up with further records of the log.

        What is no record changes the tree alone, which is then not the one that was signed.
        """
        frontier, entries, handed = self.frontier, dict(self.entries), list(self.handed)
        for body in bodies:
            frontier = frontier.appended(leaf_hash(body))
            record = _read(body) if any(mark in body for mark in _TELLS) else None
            if record is None:
                continue
            made = entry_of(record)
            if made is not None:
                entries[made[0]] = made[1]
            elif record.event.type is EventType.KEY_ROTATED:
                data = record.event.data
                handed.append(Handover(frontier.size, str(data["before"]), str(data["after"])))
        return replace(self, frontier=frontier, entries=entries, handed=tuple(handed))


class Doubts(Struct, frozen=True):
    """Why what is stored of versions cannot be believed; empty where it can.

    Attributes:
        log: What is wrong with the log itself, and so with every model; "" for nothing.
        models: Model to each thing of it that is stored otherwise than the log adds up to.
    """

    log: str = ""
    models: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, model: str) -> str:
        """Return why no version of a model may act, as a code, a colon and words; "" for nothing."""
        if self.log:
            return f"log_in_doubt: {self.log}"
        differ = len(self.models.get(model, ()))
        if not differ:
            return ""
        things = "one thing is" if differ == 1 else f"{differ} things are"
        return f"log_differs: {things} stored otherwise than the audit log adds up to"


def _read(body: bytes) -> AuditRecord | None:
    try:
        return record_of(body)
    except RecordError:
        return None
