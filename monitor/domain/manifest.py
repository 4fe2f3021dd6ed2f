"""Exactly which bytes a result rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256


class Rejection(StrEnum):
    """Why a row of the log was read but not profiled."""

    NO_EVENT_TIME = "no_event_time"
    BAD_EVENT_TIME = "bad_event_time"
    NO_BASELINE = "no_baseline"


@dataclass(frozen=True, slots=True)
class LogFile:
    """One parquet file as it was when it was read.

    Attributes:
        path: Path relative to the source's root, in POSIX form.
        size: Bytes.
        modified: The file system's modification time (or etag) as text; "" when it has none.
        rows: Rows by the file's footer.
    """

    path: str
    size: int
    modified: str
    rows: int


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file that could not be used, and why."""

    path: str
    reason: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files behind one window, sorted by path, and those that had to be left out."""

    files: tuple[LogFile, ...] = ()
    labels: tuple[LogFile, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()

    @property
    def digest(self) -> str:
        """Return sha256 over path, size, modification and rows of every file, used or not."""
        lines = [
            f"{kind}\t{file.path}\t{file.size}\t{file.modified}\t{file.rows}"
            for kind, files in (("log", self.files), ("label", self.labels))
            for file in files
        ]
        lines += [f"unreadable\t{file.path}\t{file.reason}" for file in self.unreadable]
        return sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Accounting:
    """Rows of a window: read = profiled (by version) + rejected (by reason).

    Attributes:
        read: Rows read that fall into the window, or that could not be placed in time.
        profiled: Rows profiled, by version.
        rejected: Rows read and not profiled, by reason.
        unregistered: Rows of versions that have no baseline, by version: counted under
            ``Rejection.NO_BASELINE`` in ``rejected`` as well.
    """

    read: int = 0
    profiled: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    unregistered: Mapping[str, int] = field(default_factory=dict)

    @property
    def placed(self) -> int:
        """Return the rows whose event time lies in the window, with or without a baseline."""
        return sum(self.profiled.values()) + sum(self.unregistered.values())

    @property
    def balances(self) -> bool:
        """Return whether every row read is accounted for."""
        return self.read == sum(self.profiled.values()) + sum(self.rejected.values())
