"""Exactly which bytes a result rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

import msgspec

from monitor.domain.timetable import Tally
from monitor.domain.window import Window

_LISTED = 3

LISTED_FILES = 200
"""Files whose own accounts a run keeps."""


class Rejection(StrEnum):
    """Why a row of the log was read but not profiled."""

    NO_EVENT_TIME = "no_event_time"
    BAD_EVENT_TIME = "bad_event_time"
    FUTURE_EVENT_TIME = "future_event_time"
    DUPLICATE_ID = "duplicate_id"
    NO_BASELINE = "no_baseline"


UNTIMED = (Rejection.NO_EVENT_TIME, Rejection.BAD_EVENT_TIME, Rejection.FUTURE_EVENT_TIME)
"""Of rows that belong to no window."""

TOLERATED_UNTIMED = 0.01
"""Share of the rows read for a window: with more, what is told of the others is not told of them all.
As of missing values and decisions."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """One parquet file as it was when it was read.

    Attributes:
        path: Path relative to the source's root, in POSIX form.
        size: Bytes.
        modified: The file system's modification time (or etag) as text; "" when it has none.
        rows: Rows by the file's footer.
        digest: 128 bits of the sha256 of the footer, in hex; "" where it was not taken. The footer says
            where everything lies and how long it is, and mostly the least and the greatest value of
            each column. A file that looks the same and has another one was written again; it is not
            part of any identity, which is by size and time as of results without it.
    """

    path: str
    size: int
    modified: str
    rows: int
    digest: str = field(default="", compare=False)

    def became(self, other: "LogFile") -> bool:
        """Return whether another state of the file shows that it was written again."""
        return self != other or bool(self.digest and other.digest and self.digest != other.digest)


class UnreadableFile(msgspec.Struct, frozen=True):
    """A file that could not be used, and why.

    Attributes:
        path: Path relative to the source's root, in POSIX form.
        reason: Why, as one word.
        explanation: Why, as a sentence.
        size: Bytes; 0 when it could not even be listed.
        modified: As in `LogFile`.
        placed: Whether its footer could be read, so that it is named only in the windows that it
            may have rows of. Nobody knows the windows of any other, so each of them names it.
    """

    path: str
    reason: str
    explanation: str
    size: int = 0
    modified: str = ""
    placed: bool = False


class TableSnapshot(msgspec.Struct, frozen=True):
    """A state of a table that keeps a log of its states.

    Attributes:
        format: What keeps it: ``delta`` or ``iceberg``.
        id: The version, or the snapshot's id; "" for a table that nothing was ever committed to.
        committed: When it was committed, as ISO text in UTC; "" where the table does not say.
        table: What it is to the model: ``log``, ``labels`` or ``protected``.
    """

    format: str
    id: str
    committed: str = ""
    table: str = "log"

    def __str__(self) -> str:
        """Return which it is in words (``delta version 7``)."""
        kind = "snapshot" if self.format == "iceberg" else "version"
        said = (
            f"{self.format} {kind} {self.id}"
            if self.id
            else f"{self.format} table without a {kind}"
        )
        return said if self.table == "log" else f"{self.table} {said}"


class Manifest(msgspec.Struct, frozen=True):
    """The files behind one window, sorted by path, and those that had to be left out.

    Attributes:
        files: Files of the log that may hold rows of the window.
        labels: Files of the label table.
        unreadable: Files that could not be used.
        snapshots: The states of tables that were read; none when all are just files. Not part of
            the digest: a table goes on to new snapshots while the files of an old window stay as
            they are, and files of a snapshot never change.
        protected: Files of the table of protected attributes.
    """

    files: tuple[LogFile, ...] = ()
    labels: tuple[LogFile, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()
    snapshots: tuple[TableSnapshot, ...] = ()
    protected: tuple[LogFile, ...] = ()

    @property
    def snapshot(self) -> str:
        """Return the states of tables that were read, in words; "" when all are just files."""
        return ", ".join(map(str, self.snapshots))

    @property
    def digest(self) -> str:
        """Return sha256 over what is known of every file used, and what was left out and why.

        Of a file that was left out its size does not matter: while it is being written it may
        have another one at every look, and the result would be the same.
        """
        return _sha256(self._lines(_file_lines("label", self.labels)))

    def content(self, joined: "LabelJoin | None") -> str:
        """Return the digest of the data that a result rests on.

        Labels from a table count by what they say of the window's rows, not by the files they came
        in: files that bring labels of other windows, or the same labels again, are no other data.

        Args:
            joined: What the label table says of the rows; None when there is none.
        """
        return self.digest if joined is None else _sha256(self._lines([f"said\t{joined.digest}"]))

    def _lines(self, labels: list[str]) -> list[str]:
        unreadable = [f"unreadable\t{file.path}\t{file.reason}" for file in self.unreadable]
        protected = _file_lines("protected", self.protected)
        return [*_file_lines("log", self.files), *labels, *protected, *unreadable]


class Listing(msgspec.Struct, frozen=True):
    """Digests of the usable files that concern a window, as a listing found them.

    Two equal listings mean that nothing has come for the window in between. A file that cannot be
    used is in none of them: it is new on the day it becomes whole.

    Attributes:
        log: Digest of the log files with rows of the window.
        labels: Digest of the label files that may hold labels of these rows.
    """

    log: str = ""
    labels: str = ""

    @property
    def is_empty(self) -> bool:
        """Return whether there is no log file with rows of the window."""
        return self.log == _sha256(())

    @classmethod
    def of(cls, files: Iterable[LogFile], labels: Iterable[LogFile]) -> "Listing":
        """Return the listing of log and label files, each in the order of their paths."""
        return cls(_sha256(_file_lines("log", files)), _sha256(_file_lines("label", labels)))


UNLISTED = Listing()
"""The listing of nothing that was ever listed: every other one differs from it."""


class LabelJoin(msgspec.Struct, frozen=True):
    """What joining a label table to the rows of a window came to.

    Attributes:
        digest: Of which id has which label; "" while none has one.
        labelled: Ids of the window that have a label.
        orphan: Labels whose id no row of the window has; where the table has the prediction's event
            time, only those that say they are of the window.
        repeated: Labels that came for an id that had one already, and said the same.
        conflicting: Ids for which different labels came; the latest one counts.
        null: Labels of the window's ids that are null, and so none.
        before_prediction: Ids whose label was known before the prediction was made: a leak or a
            clock that is wrong. The label counts.
        without_id: Rows of the window without an id, which no label can reach.
        shared_id: Rows of the window whose id an earlier row has; both get its label.
        without_time: Labels of the window's ids without a time that can be read, although a column
            of times is named; each counts unless there is one with a time.
    """

    digest: str = ""
    labelled: int = 0
    orphan: int = 0
    repeated: int = 0
    conflicting: int = 0
    null: int = 0
    before_prediction: int = 0
    without_id: int = 0
    shared_id: int = 0
    without_time: int = 0


NOT_JOINED = LabelJoin()
"""What becomes of a label table that has no file yet."""


class LateChange(msgspec.Struct, frozen=True):
    """Files that came, went or were rewritten after the window they belong to was closed.

    Attributes:
        window: The window, whose result stays as it is.
        added: Paths of files that its result does not rest on.
        rewritten: Paths of files that are no longer what they were.
        removed: Paths of files that are gone.
    """

    window: Window
    added: tuple[str, ...]
    rewritten: tuple[str, ...]
    removed: tuple[str, ...]

    @classmethod
    def between(cls, window: Window, then: Manifest, now: Manifest) -> "LateChange":
        """Return how the files of a window differ from those its result rests on."""
        before, after = _by_name(then), _by_name(now)
        return cls(
            window,
            tuple(sorted(after.keys() - before.keys())),
            tuple(
                sorted(path for path in after.keys() & before if before[path].became(after[path]))
            ),
            tuple(sorted(before.keys() - after.keys())),
        )

    @property
    def files(self) -> int:
        """Return how many files changed."""
        return len(self.added) + len(self.rewritten) + len(self.removed)

    def __str__(self) -> str:
        """Return what happened in words, with the first names of each kind."""
        kinds = {"added": self.added, "rewritten": self.rewritten, "removed": self.removed}
        return "; ".join(f"{kind}: {_listed(paths)}" for kind, paths in kinds.items() if paths)


class FileAccount(msgspec.Struct, frozen=True):
    """Rows of one file in a window, and the values in them that could not be used.

    Attributes:
        path: The file.
        read: Rows read: profiled + rejected.
        profiled: Rows profiled.
        rejected: Rows read and not profiled, by reason.
        invalid: Values that are not of their column's kind, by column, of the rows profiled.
        without_id: Rows without an id, where the policy names an id column.
    """

    path: str
    read: int
    profiled: int
    rejected: Mapping[str, int] = msgspec.field(default_factory=dict)
    invalid: Mapping[str, int] = msgspec.field(default_factory=dict)
    without_id: int = 0

    @property
    def troubled(self) -> int:
        """Return rows rejected, values that could not be used, and rows without an id."""
        return sum(self.rejected.values()) + sum(self.invalid.values()) + self.without_id

    def plus(self, other: "FileAccount") -> "FileAccount":
        """Return the account of this part of the file and another one."""
        return FileAccount(
            self.path,
            self.read + other.read,
            self.profiled + other.profiled,
            _sum(self.rejected, other.rejected),
            _sum(self.invalid, other.invalid),
            self.without_id + other.without_id,
        )


class Accounting(msgspec.Struct, frozen=True):
    """Rows of a window: read = profiled (by version) + rejected (by reason).

    Attributes:
        read: Rows read that fall into the window, or that could not be placed in time.
        profiled: Rows profiled, by version.
        rejected: Rows read and not profiled, by reason.
        unregistered: Rows of versions that have no baseline, by version: counted under
            ``Rejection.NO_BASELINE`` in ``rejected`` as well.
        labels: How a label table was joined; None when labels are in the log, or there are none.
        unmapped_labels: Rows by label that the policy neither counts as positive nor as negative.
        invalid: Values that are not of their column's kind, by column, of the rows profiled.
        without_id: Rows without an id, where the policy names an id column.
        files: The same file by file, at most `LISTED_FILES`: the most troubled first.
        memberships: How the protected table was joined, by its columns.
        authority: The rows by version and by what it was allowed when, in order; None where they
            were not held against that.
    """

    read: int = 0
    profiled: Mapping[str, int] = msgspec.field(default_factory=dict)
    rejected: Mapping[str, int] = msgspec.field(default_factory=dict)
    unregistered: Mapping[str, int] = msgspec.field(default_factory=dict)
    labels: LabelJoin | None = None
    unmapped_labels: Mapping[str, int] = msgspec.field(default_factory=dict)
    invalid: Mapping[str, int] = msgspec.field(default_factory=dict)
    without_id: int = 0
    files: tuple[FileAccount, ...] = ()
    memberships: Mapping[str, LabelJoin] = msgspec.field(default_factory=dict)
    authority: tuple[Tally, ...] | None = None

    @property
    def placed(self) -> int:
        """Return the rows whose event time lies in the window, with or without a baseline."""
        return sum(self.profiled.values()) + sum(self.unregistered.values())

    @property
    def untimed(self) -> int:
        """Return the rows without a usable event time."""
        return sum(self.rejected.get(reason, 0) for reason in UNTIMED)

    @property
    def balances(self) -> bool:
        """Return whether every row read is accounted for."""
        return self.read == sum(self.profiled.values()) + sum(self.rejected.values())


def _by_name(manifest: Manifest) -> dict[str, LogFile]:
    """Return the files of a manifest, those of labels under names of their own."""
    labels = {f"{file.path} (labels)": file for file in manifest.labels}
    return {file.path: file for file in manifest.files} | labels


def _listed(paths: tuple[str, ...]) -> str:
    rest = len(paths) - _LISTED
    named = ", ".join(paths[:_LISTED])
    return f"{named} and {rest:,} more" if rest > 0 else named


def _sum(first: Mapping[str, int], second: Mapping[str, int]) -> Mapping[str, int]:
    names = sorted({*first, *second})
    return {name: first.get(name, 0) + second.get(name, 0) for name in names}


def _file_lines(kind: str, files: Iterable[LogFile]) -> list[str]:
    return [f"{kind}\t{file.path}\t{file.size}\t{file.modified}\t{file.rows}" for file in files]


def _sha256(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
