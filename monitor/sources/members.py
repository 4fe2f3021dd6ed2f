"""Protected attributes that are kept apart from the log, joined to the rows of a scan by id.

They are joined as labels are, column by column: memory is proportional to the ids of the window, the
table is streamed past, and what a worker gets is one small code for each row of its file. Nothing but
counts leaves the worker.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from monitor.domain.field import Attribute
from monitor.domain.manifest import LabelJoin, UnreadableFile
from monitor.domain.policy import LabelTable, ProtectedTable
from monitor.engine.counting import Task
from monitor.sources.labels import JoinedLabels, LabelFiles, LabelReader, WindowIds, joined
from monitor.sources.location import FoundFile, Location
from monitor.sources.reader import Batch, LogView


class Members(Struct, frozen=True):
    """What the protected table says of each row of a window.

    Attributes:
        columns: Column of the table to what was joined of it.
    """

    columns: Mapping[str, JoinedLabels] = field(default_factory=dict)

    @property
    def joins(self) -> dict[str, LabelJoin]:
        """Return what the joining came to, by column."""
        return {column: item.join for column, item in self.columns.items()}

    @property
    def unreadable(self) -> tuple[UnreadableFile, ...]:
        """Return the files that broke while they were read; nothing of them is used."""
        broken = {file.path: file for item in self.columns.values() for file in item.unreadable}
        return tuple(broken.values())

    def covers(self, path: str) -> bool:
        """Return whether the ids of a file's rows could be read."""
        return all(item.covers(path) for item in self.columns.values())

    def reader(self, path: str) -> "MemberReader":
        """Return the members of one file, to be taken batch by batch in order."""
        return MemberReader({column: item.reader(path) for column, item in self.columns.items()})


class MemberReader:
    """Hands out the protected columns of a file's rows in step with its batches."""

    def __init__(self, readers: Mapping[str, LabelReader]) -> None:
        self._readers = readers

    def columns(self, batch: Batch) -> Mapping[str, Any]:
        """Return the columns of the next batch as texts; null where a row's id is not there."""
        return {column: reader.column(batch) for column, reader in self._readers.items()}


def protected_columns(axes: Mapping[str, Attribute]) -> tuple[str, ...]:
    """Return the columns of the protected table that attributes are made of, each once."""
    return tuple(dict.fromkeys(item.column for item in axes.values() if item.protected))


def members(
    log: LogView,
    tasks: Iterable[tuple[Task, FoundFile]],
    table: ProtectedTable,
    columns: Iterable[str],
    found: tuple[Location, tuple[FoundFile, ...]] | None,
) -> Members:
    """Join the columns of a protected table to the rows of a scan.

    Args:
        log: The log.
        tasks: The tasks of the scan, with their files.
        table: How the table is read.
        columns: Its columns that matter.
        found: Where its files are, and those that can be used; None while there are none.
    """
    if found is None:
        return Members({column: JoinedLabels() for column in columns})
    location, files = found
    ids = WindowIds.of(log, tasks, table.key)
    spec = LabelTable(table.path, table.id, table.time, format=table.format)
    return Members(
        {
            column: joined(log, (), LabelFiles(location, files, spec, column, log.spec.zone), ids)
            for column in columns
        }
    )
