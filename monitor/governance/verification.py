"""Whether an audit log is whole: what its records, checkpoints and outside copies say together.

Checks inside the database cannot see everything: who holds the signing key can rewrite the log and
sign it again, and a restored backup is a log in itself. A checkpoint that was kept elsewhere sees
both, as a log that is shorter than it was or has another root.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.governance.checkpoint import Checkpoint, checkpoint_of
from monitor.governance.merkle import Frontier, leaf_hash
from monitor.governance.note import Note, NoteError, VerifyingKey
from monitor.governance.record import FIRST, AuditRecord, RecordError, record_of

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
    ROOT_MISMATCH = "root_mismatch"
    """The records are not those that a checkpoint was made over."""
    TRUNCATED = "truncated"
    """There are fewer records than a checkpoint was made over."""
    UNCOVERED_TAIL = "uncovered_tail"
    """Records at the end that no checkpoint is made over: nobody can tell whether more were."""
    BACKDATED = "backdated"
    """A record claims to be older than an outside copy of the log that did not have it."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong.

    Attributes:
        fault: What.
        sequence: The first record that shows it; None when it is no single record's.
        explanation: In words.
    """

    fault: Fault
    sequence: int | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint as it was kept outside the store.

    Attributes:
        note: The signed checkpoint.
        at: When the witness saw it, by its own clock; None where that is not known.
    """

    note: Note
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found of a log.

    Attributes:
        size: Records read.
        root: The root over them.
        covered: Records that the newest believable checkpoint inside the store was made over.
        witnessed: The same of the newest outside one that the log agrees with.
        flaws: Everything that is wrong, by the records' order.
    """

    size: int
    root: bytes
    covered: int
    witnessed: int
    flaws: tuple[Flaw, ...]


def examine_log(
    bodies: Sequence[bytes],
    checkpoints: Sequence[Note],
    keys: Sequence[VerifyingKey],
    outside: Sequence[Witnessed] = (),
) -> Examined:
    """Return what is wrong with a log.

    Args:
        bodies: The records as they are stored or were exported, in order.
        checkpoints: Those in the store or the export.
        keys: The log's keys, one after a rotation for each; their name is the log's origin.
        outside: Checkpoints from elsewhere: a receipt, a witness, a file, the log stack.
    """
    flaws = list(_of_records(bodies, keys[0].name))
    roots, frontier = [Frontier().root], Frontier()
    for body in bodies:
        frontier = frontier.appended(leaf_hash(body))
        roots.append(frontier.root)
    inside = [_held_against(note, keys, roots, "a checkpoint of the log") for note in checkpoints]
    copies = [_held_against(each.note, keys, roots, "an outside checkpoint") for each in outside]
    flaws += [flaw for held in (*inside, *copies) for flaw in held.flaws]
    for held, copy in zip(copies, outside, strict=True):
        if held.confirmed and copy.at is not None:
            flaws += _backdated(bodies, held.confirmed, copy.at)
    reach = max((held.reach for held in (*inside, *copies)), default=0)
    if reach < len(bodies):
        tail = f"{len(bodies) - reach} records at the end are covered by no checkpoint"
        flaws.append(Flaw(Fault.UNCOVERED_TAIL, reach, tail))
    ordered = sorted(flaws, key=lambda flaw: -1 if flaw.sequence is None else flaw.sequence)
    return Examined(
        len(bodies),
        frontier.root,
        max((held.confirmed for held in inside), default=0),
        max((held.confirmed for held in copies), default=0),
        tuple(ordered),
    )


@dataclass(frozen=True, slots=True)
class _Held:
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


def _held_against(
    note: Note, keys: Sequence[VerifyingKey], roots: Sequence[bytes], what: str
) -> _Held:
    try:
        checkpoint = _believed(note, keys)
    except NoteError as error:
        return _Held(0, 0, (Flaw(Fault.BAD_CHECKPOINT, None, f"{what}: {error}"),))
    size, here = checkpoint.size, len(roots) - 1
    if size > here:
        gone = f"{what} is of {size} records; {here} are here"
        return _Held(0, here, (Flaw(Fault.TRUNCATED, here, gone),))
    if roots[size] != checkpoint.root:
        other = f"{what} of {size} records was made over others than are here"
        return _Held(0, size, (Flaw(Fault.ROOT_MISMATCH, max(size - 1, 0), other),))
    return _Held(size, size)


def _believed(note: Note, keys: Sequence[VerifyingKey]) -> Checkpoint:
    for key in keys:
        if key.has_signed(note):
            return checkpoint_of(note, key)
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
