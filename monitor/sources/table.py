"""A table of parquet files, and what the footers of its files say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.domain.manifest import UnreadableFile
from monitor.sources.footer import Footer, footer
from monitor.sources.location import (
    READ_ERRORS,
    Fault,
    FoundFile,
    Location,
    Locator,
    etag,
    fault,
)


@dataclass(frozen=True)
class TableFiles:
    """The usable files of a table with their footers, and the others; both by path."""

    usable: tuple[tuple[FoundFile, Footer], ...]
    unreadable: tuple[UnreadableFile, ...]


class ParquetTable:
    """Parquet files at one location; the footer of an unchanged file is read once.

    Args:
        locate: Says where the files are now.
        required: Column to what is at fault with a file that lacks it.
        time: The column that places row groups in time; "" for none.
        zone: Zone that naive times are local to.
    """

    def __init__(
        self, locate: Locator, required: Mapping[str, Fault], time: str, zone: str
    ) -> None:
        self._locate = locate
        self._location: Location | None = None
        self._required = required
        self._time = time
        self._zone = zone
        self._footers: dict[FoundFile, Footer] = {}

    @property
    def location(self) -> Location:
        """Return where the files are that were listed last.

        Raises:
            SourceError: There is nothing there, or it cannot be reached.
        """
        if self._location is None:
            self._location = self._locate()
        return self._location

    def files(self) -> TableFiles:
        """Return the files as they are now.

        Raises:
            SourceError: The location cannot be listed.
        """
        self._location = self._locate()
        listing = self._location.listing()
        footers: dict[FoundFile, Footer] = {}
        unreadable = list(listing.unreadable)
        for file in listing.files:
            known = self._footers.get(file) or self._read(file)
            if isinstance(known, Footer):
                footers[file] = known
            else:
                unreadable.append(known)
        unsure = _may_be_rewritten_unseen(self.location, listing.files)
        self._footers = {file: known for file, known in footers.items() if file not in unsure}
        return TableFiles(
            tuple(footers.items()), tuple(sorted(unreadable, key=lambda file: file.path))
        )

    def _read(self, file: FoundFile) -> Footer | UnreadableFile:
        try:
            with self.location.handle(file) as handle:
                known = footer(handle, self._time, self._zone, self.location.names)
                if not self.location.local:
                    known = replace(known, etag=etag(handle))
        except READ_ERRORS as error:
            return fault(file.path, error, Fault.UNREADABLE)
        for column, reason in self._required.items():
            if column not in known.columns:
                return UnreadableFile(file.path, reason, f"it has no column {column!r}")
        return known


def _may_be_rewritten_unseen(location: Location, files: Sequence[FoundFile]) -> set[FoundFile]:
    """Return files whose next rewriting may not show in a listing.

    Object stores list times in whole seconds: a file of the newest second may be written again in
    that second. Its footer is read again next time, and its etag with it.
    """
    if location.local or location.snapshot:
        return set()
    newest = max((int(file.modified) for file in files if file.modified), default=0)
    return {file for file in files if file.modified and int(file.modified) == newest}
