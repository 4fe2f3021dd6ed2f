"""A table of parquet files, and what the footers of its files say."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow.parquet as pq

from monitor.domain.manifest import UnreadableFile
from monitor.sources.footer import Footer, footer
from monitor.sources.location import READ_ERRORS, Fault, FoundFile, Location, fault


@dataclass(frozen=True)
class TableFiles:
    """The usable files of a table with their footers, and the others; both by path."""

    usable: tuple[tuple[FoundFile, Footer], ...]
    unreadable: tuple[UnreadableFile, ...]


class ParquetTable:
    """Parquet files at one location; the footer of an unchanged file is read once.

    Args:
        path: Local path or URI.
        directory: Folder that a relative path starts from.
        required: Column to what is at fault with a file that lacks it.
        time: The column that places row groups in time; "" for none.
        zone: Zone that naive times are local to.
    """

    def __init__(
        self, path: str, directory: str, required: Mapping[str, Fault], time: str, zone: str
    ) -> None:
        self._path = path
        self._directory = directory
        self._required = required
        self._time = time
        self._zone = zone
        self._footers: dict[FoundFile, Footer] = {}

    @cached_property
    def location(self) -> Location:
        """Return where the files are.

        Raises:
            SourceError: There is nothing there, or it cannot be reached.
        """
        return Location.at(self._path, self._directory)

    def files(self) -> TableFiles:
        """Return the files as they are now.

        Raises:
            SourceError: The location cannot be listed.
        """
        listing = self.location.listing()
        footers: dict[FoundFile, Footer] = {}
        unreadable = list(listing.unreadable)
        for file in listing.files:
            known = self._footers.get(file) or self._read(file)
            if isinstance(known, Footer):
                footers[file] = known
            else:
                unreadable.append(known)
        self._footers = footers
        return TableFiles(
            tuple(footers.items()), tuple(sorted(unreadable, key=lambda file: file.path))
        )

    def _read(self, file: FoundFile) -> Footer | UnreadableFile:
        try:
            with self.location.open(file) as handle:
                known = footer(pq.read_metadata(handle), self._time, self._zone)
        except READ_ERRORS as error:
            return fault(file.path, error, Fault.UNREADABLE)
        for column, reason in self._required.items():
            if column not in known.columns:
                return UnreadableFile(file.path, reason, f"it has no column {column!r}")
        return known
