"""The files that make up one snapshot of a table."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import astuple, replace
from pyarrow import fs

from monitor.domain.errors import SourceError
from monitor.domain.manifest import TableSnapshot, UnreadableFile
from monitor.sources.commits import Commits, no_commits, rows_committed, same_rows
from monitor.sources.location import FoundFile, Listing, Location, redacted


class SnapshotFile(Struct, frozen=True):
    """A data file of a table.

    Attributes:
        found: The file as the table's log has it; ``modified`` is its identity there, with that of
            the rows deleted in it.
        place: Its path on the file system.
        keys: Its partition values, each a pyarrow scalar.
        kept: Which of its rows are not deleted, a pyarrow array; None for all.
    """

    found: FoundFile
    place: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    kept: Any = None


class SnapshotLocation(Location, frozen=True):
    """A table's files as its own log lists them, instead of the folder that they are in.

    What the table's log names is whole and never changes, whatever is being written beside it.

    Attributes:
        state: Which snapshot it is.
        files: Path as it is shown to the file.
        history: The table's commits up to this snapshot.
        columns: Column names by their ids; None when the table knows columns by their names.
        others: Data files that are not parquet.
    """

    state: TableSnapshot
    files: Mapping[str, SnapshotFile]
    history: Commits
    columns: Mapping[int, str] | None = None
    others: tuple[UnreadableFile, ...] = ()

    def __reduce__(self) -> tuple[type["SnapshotLocation"], tuple[Any, ...]]:
        """Return what worker processes are told: they read files, and ask nothing of the log."""
        return SnapshotLocation, astuple(replace(self, history=no_commits))

    @property
    def snapshot(self) -> TableSnapshot:
        """Return which snapshot it is."""
        return self.state

    def committed(self) -> datetime | None:
        """Return when rows were last committed to it."""
        try:
            return rows_committed(self.history())
        except OSError as error:
            problem = f"{self.shown}: its log cannot be read: {redacted(str(error))}"
            raise SourceError(problem, retryable=True) from None

    def same_rows(self, since: str, before: Collection[str], now: Collection[str]) -> bool:
        """Return whether files hold the rows that others held at another snapshot."""
        try:
            return same_rows(self.history(), since, before, now)
        except OSError:
            return False  # what cannot be told is read again

    @property
    def names(self) -> Mapping[int, str] | None:
        """Return the name of each column by its id, if the table knows columns by ids."""
        return self.columns

    def place(self, file: FoundFile) -> str:
        """Return the path of a file on the file system."""
        return self.files[file.path].place

    def keys(self, path: str) -> Mapping[str, Any]:
        """Return the partition values of a file."""
        return self.files[path].keys

    def kept(self, path: str) -> Any:
        """Return which rows of a file are not deleted."""
        return self.files[path].kept

    def unchanged(self, file: FoundFile) -> bool:
        """Return whether a file is still there: files of a snapshot are never rewritten."""
        info = self.filesystem.get_file_info(self.place(file))
        return info.type is fs.FileType.File and info.size == file.size

    def listing(self) -> Listing:
        """Return the files of the snapshot, sorted by path."""
        found = sorted((item.found for item in self.files.values()), key=lambda file: file.path)
        return Listing(tuple(found), self.others)


def kept_rows(rows: int, deleted: Any) -> Any:
    """Return which rows are left, as a pyarrow array, when some are deleted by position.

    Args:
        rows: How many there were.
        deleted: Positions of deleted rows, any array of integers.
    """
    kept = np.ones(rows, np.bool_)
    kept[np.asarray(deleted)] = False
    return pa.array(kept)
