"""Whether an audit log is whole: what its records, checkpoints and outside copies say together.

Checks inside the database cannot see everything: who holds the signing key can rewrite the log and
sign it again, and a restored backup is a log in itself. A checkpoint that was kept elsewhere sees
both, as a log that is shorter than it was or has another root.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from monitor.governance.checkpoint import Checkpoint, checkpoint_of, unverified_checkpoint
from monitor.governance.cosignature import WitnessKey
from monitor.governance.events import EventType
from monitor.governance.merkle import Frontier, leaf_hash
from monitor.governance.note import Note, NoteError, VerifyingKey, verifying_key_of
from monitor.governance.record import FIRST, AuditRecord, Json, RecordError, record_of

SKEW = timedelta(minutes=5)
"""How far the clocks of the daemon and of a witness may be apart without a record being in doubt."""


class Fault(StrEnum):
    """What is wrong with a log."""

    NO_RECORD = "no_record"
    """A body is no record: damaged, or not written by a log."""
    OTHER_LOG = "other_log"
    """A record or checkpoint is of another log."""
    SEQUENCE = "sequence"
    """A record does not stand at the place it names: one was taken out, put in or moved."""
    CHAIN_BROKEN = "chain_broken"
    """A record does not name the one before it: one of the two is not what was written."""
    TIME_REVERSED = "time_reversed"
    """A record is older than the one before it."""
    BAD_CHECKPOINT = "bad_checkpoint"
    """A checkpoint is not signed by the log's key, or is none."""
    BAD_KEY = "bad_key"
    """A record hands the log to another key, and the key before it did not sign that."""
    ROOT_MISMATCH = "root_mismatch"
    """The records are not those that a checkpoint was made over."""
    TRUNCATED = "truncated"
    """There are fewer records than a checkpoint was made over."""
    UNCOVERED_TAIL = "uncovered_tail"
    """Records at the end that no checkpoint is made over: nobody can tell whether more were."""
    COLUMNS_DIFFER = "columns_differ"
    """A record's columns in the database are not what its body says: whoever reads the columns alone
    is told another story."""
    STATE_DIFFERS = "state_differs"
    """Results, policies or baselines in the database are not those that were recorded."""
    BACKDATED = "backdated"
    """A record claims to be older than an outside copy of the log that did not have it."""


class Flaw(Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        fault: What.
        sequence: The first record that shows it; None when it is no single record's.
        explanation: In words.
    """

    fault: Fault
    sequence: int | None
    explanation: str


class StoredLog(Struct, frozen=True):
    """One log as it is stored or was exported.

    Attributes:
        origin: Its name.
        verifying_key: The first key it was signed by; None when it was not signed at first.
        bodies: Its records, in order.
        checkpoints: In order.
    """

    origin: str
    verifying_key: VerifyingKey | None
    bodies: Sequence[bytes]
    checkpoints: Sequence[Note]


class Witnessed(Struct, frozen=True):
    """A checkpoint as it was kept outside the store.

    Attributes:
        note: The signed checkpoint.
        at: When the witness saw it, by its own clock; None where that is not known.
    """

    note: Note
    at: datetime | None = None


class Sighting(Struct, frozen=True):
    """What a log was when somebody looked who keeps no signatures, such as a series in Prometheus.

    It is worth as much as whoever keeps it is apart from the log's administrator.

    Attributes:
        checkpoint: The log's origin, size and root.
        at: When, by the clock of whoever looked; None where that is not known.
        by: Who, as explanations name them.
    """

    checkpoint: Checkpoint
    at: datetime | None
    by: str


class Examined(Struct, frozen=True):
    """What was found of a log.

    Attributes:
        size: Records read.
        root: The root over them.
        covered: Records that the newest believable checkpoint inside the store was made over.
        witnessed: The same of the newest outside one, or sighting, that the log agrees with.
        flaws: Everything that is wrong, by the records' order.
    """

    size: int
    root: bytes
    covered: int
    witnessed: int
    flaws: tuple[Flaw, ...]


def examine_log(
    log: StoredLog, outside: Sequence[Witnessed] = (), seen: Sequence[Sighting] = ()
) -> Examined:
    """Return what is wrong with a log.

    Args:
        log: Its records and checkpoints, as they are stored or were exported, and the key that is
            believed: the first it was signed by, from where it cannot be changed with the log.
        outside: Checkpoints from elsewhere: a receipt, a witness, a file, the log stack.
        seen: What others saw of it, without a signature.
    """
    flaws = list(_of_records(log.bodies, log.origin))
    roots, frontier = [Frontier().root], Frontier()
    for body in log.bodies:
        frontier = frontier.appended(leaf_hash(body))
        roots.append(frontier.root)
    eras, unproved = _eras(log)
    flaws += unproved
    inside = [
        _held_against(note, eras, roots, "a checkpoint of the log") for note in log.checkpoints
    ]
    copies = [_held_against(each.note, eras, roots, "an outside checkpoint") for each in outside]
    copies += [_beside(each.checkpoint, roots, each.by) for each in seen]
    flaws += [flaw for held in (*inside, *copies) for flaw in held.flaws]
    instants = [*(each.at for each in outside), *(each.at for each in seen)]
    for held, at in zip(copies, instants, strict=True):
        if held.confirmed and at is not None:
            flaws += _backdated(log.bodies, held.confirmed, at)
    reach = max((held.reach for held in (*inside, *copies)), default=0)
    if reach < len(log.bodies):
        tail = f"{len(log.bodies) - reach} records at the end are covered by no checkpoint"
        flaws.append(Flaw(Fault.UNCOVERED_TAIL, reach, tail))
    ordered = sorted(flaws, key=lambda flaw: -1 if flaw.sequence is None else flaw.sequence)
    return Examined(
        len(log.bodies),
        frontier.root,
        max((held.confirmed for held in inside), default=0),
        max((held.confirmed for held in copies), default=0),
        tuple(ordered),
    )


class _Era(Struct, frozen=True):
    """From which size on a key signs the log."""

    size: int
    key: VerifyingKey


def _eras(log: StoredLog) -> tuple[list[_Era], list[Flaw]]:
    """Return the keys of a log: each is handed on by the one before it.

    The checkpoint over the record of a change is signed by both keys. A change that the key before
    did not sign is not believed, so that whoever writes the database cannot bring a key of theirs.
    """
    eras = [] if log.verifying_key is None else [_Era(0, log.verifying_key)]
    flaws = []
    for place, body in enumerate(log.bodies):
        data = _key_change(body)
        if data is None:
            continue
        try:
            new = verifying_key_of(str(data["after"]))
        except (NoteError, KeyError) as error:
            flaws.append(Flaw(Fault.BAD_KEY, place, f"it names no key: {error}"))
            continue
        if eras and new == eras[-1].key:
            continue  # the record of the very key that is believed
        signed = [note for note in log.checkpoints if _size(note) == place + 1]
        if eras and not any(eras[-1].key.has_signed(note) for note in signed):
            told = f"it hands the log to the key {new}, and {eras[-1].key} did not sign that"
            flaws.append(Flaw(Fault.BAD_KEY, place, told))
            continue
        eras.append(_Era(place, new))
    return eras, flaws


def _key_change(body: bytes) -> Mapping[str, Json] | None:
    try:
        event = record_of(body).event
    except RecordError:  # told by `_of_records`
        return None
    changes = {EventType.KEY_CREATED, EventType.KEY_ROTATED}
    return event.data if event.type in changes else None


def _size(note: Note) -> int | None:
    try:
        return unverified_checkpoint(note).size
    except NoteError:  # told where checkpoints are held against the records
        return None


def of_log(kept: Sequence[Witnessed], origin: str) -> list[Witnessed]:
    """Return those of some kept checkpoints that say they are of a log."""
    return [one for one in kept if one.note.text.partition("\n")[0] == origin]


def cosigned(log: StoredLog, keys: Sequence[WitnessKey]) -> list[Witnessed]:
    """Return the checkpoints of a log that witnesses have cosigned, with when they did."""
    found = [(note, key.cosigned_at(note)) for note in log.checkpoints for key in keys]
    return [Witnessed(note, at) for note, at in found if at is not None]


def seen_of_log(seen: Sequence[Sighting], origin: str) -> list[Sighting]:
    """Return those of some sightings that are of a log."""
    return [one for one in seen if one.checkpoint.origin == origin]


class _Held(Struct, frozen=True):
    """A checkpoint beside the records: how many it confirms, and how many it says something of."""

    confirmed: int
    reach: int
    flaws: tuple[Flaw, ...] = ()


def _of_records(bodies: Sequence[bytes], origin: str) -> Iterator[Flaw]:
    previous, before = FIRST, None
    for place, body in enumerate(bodies):
        try:
            record = record_of(body)
        except RecordError as error:
            yield Flaw(Fault.NO_RECORD, place, str(error))
        else:
            yield from _of_record(record, place, previous, origin, before)
            before = record.at
        previous = leaf_hash(body)


def _of_record(
    record: AuditRecord, place: int, previous: bytes, origin: str, before: datetime | None
) -> Iterator[Flaw]:
    if record.log != origin:
        yield Flaw(Fault.OTHER_LOG, place, f"it is a record of the log {record.log!r}")
    if record.sequence != place:
        yield Flaw(Fault.SEQUENCE, place, f"it says that it is record {record.sequence}")
    if record.previous != previous:
        yield Flaw(Fault.CHAIN_BROKEN, place, "it was written after another record")
    if before is not None and record.at < before:
        yield Flaw(Fault.TIME_REVERSED, place, f"it is of {record.at}, the one before of {before}")


def _held_against(note: Note, eras: Sequence[_Era], roots: Sequence[bytes], what: str) -> _Held:
    try:
        checkpoint = _believed(note, eras)
    except NoteError as error:
        return _Held(0, 0, (Flaw(Fault.BAD_CHECKPOINT, None, f"{what}: {error}"),))
    return _beside(checkpoint, roots, what)


def _beside(checkpoint: Checkpoint, roots: Sequence[bytes], what: str) -> _Held:
    size, here = checkpoint.size, len(roots) - 1
    if size > here:
        gone = f"{what} is of {size} records; {here} are here"
        return _Held(0, here, (Flaw(Fault.TRUNCATED, here, gone),))
    if roots[size] != checkpoint.root:
        other = f"{what} of {size} records was made over others than are here"
        return _Held(0, size, (Flaw(Fault.ROOT_MISMATCH, max(size - 1, 0), other),))
    return _Held(size, size)


def _believed(note: Note, eras: Sequence[_Era]) -> Checkpoint:
    size = unverified_checkpoint(note).size
    keys = [era.key for era in eras if era.size < max(size, 1)]
    if not keys:
        raise NoteError("no key is known by which it could be believed")
    return checkpoint_of(note, keys[-1])


def _backdated(bodies: Sequence[bytes], size: int, seen: datetime) -> Iterator[Flaw]:
    """Yield the first record after an outside copy's that claims to be older than the copy."""
    for place, body in enumerate(bodies[size:], size):
        try:
            record = record_of(body)
        except RecordError:  # told by `_of_records`
            continue
        if record.at < seen - SKEW:
            late = f"it is of {record.at}, and a copy of {seen} did not have it"
            yield Flaw(Fault.BACKDATED, place, late)
            return
