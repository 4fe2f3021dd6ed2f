"""A table of parquet files, and what the footers of its files say."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

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
from monitor.sources.placing import named_as

Hold = Callable[[FoundFile], UnreadableFile | None]
"""Returns how a file is named that is not to be tried now, None for any other."""


def hold_nothing(file: FoundFile) -> UnreadableFile | None:  # noqa: ARG001  # a Hold's signature
    """Let every file be tried."""
    return None


class TableFiles(Struct, frozen=True):
    """The files of a table, each kind by path.

    Attributes:
        usable: Those that can be used, with their footers.
        unreadable: Those that cannot be used, or are not tried, in whatever windows.
        held: Those that are not tried though their footers are in order, with how they are named
            in the windows that they may have rows of.
    """

    usable: tuple[tuple[FoundFile, Footer], ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()
    held: tuple[tuple[FoundFile, Footer, UnreadableFile], ...] = ()


class ParquetTable:
    """Parquet files at one location; the footer of an unchanged file is read once.

    Args:
        locate: Says where the files are now.
        required: Column to what is at fault with a file that lacks it.
        time: The column that places row groups in time; "" for none.
        zone: Zone that naive times are local to.
        folder: What comes before the path of a file where it is named as unusable; "" for nothing.
        timeless: Whether rows without a time count.
    """

    def __init__(
        self,
        locate: Locator,
        required: Mapping[str, Fault],
        time: str,
        zone: str,
        *,
        folder: str = "",
        timeless: bool = False,
    ) -> None:
        self._locate = locate
        self._location: Location | None = None
        self._required = required
        self._time = time
        self._zone = zone
        self._timeless = timeless
        self._prefix = f"{folder}/" if folder else ""
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

    def files(self, hold: Hold = hold_nothing) -> TableFiles:
        """Return the files as they are now.

        Args:
            hold: Which of them are not to be tried.

        Raises:
            SourceError: The location cannot be listed.
        """
        self._location = self._locate()
        listing = self._location.listing()
        footers: dict[FoundFile, Footer] = {}
        usable: list[tuple[FoundFile, Footer]] = []
        kept: list[tuple[FoundFile, Footer, UnreadableFile]] = []
        unreadable = [
            hold(FoundFile(file.path, file.size, file.modified))
            or replace(file, path=f"{self._prefix}{file.path}")
            for file in listing.unreadable
        ]
        for file in listing.files:
            known = self._footers.get(file) or self._known(file, hold(file))
            if not isinstance(known, Footer):
                unreadable.append(known)
                continue
            footers[file] = known
            # A file that broke while it was read was named as manifests name it.
            held = hold(replace(file, modified=named_as(file, known).modified))
            if held is None:
                usable.append((file, known))
            elif held.placed:
                kept.append((file, known, held))
            else:
                unreadable.append(held)
        unsure = _may_be_rewritten_unseen(self.location, listing.files)
        self._footers = {file: known for file, known in footers.items() if file not in unsure}
        return TableFiles(
            tuple(usable),
            tuple(sorted(unreadable, key=lambda file: file.path)),
            tuple(kept),
        )

    def _known(self, file: FoundFile, held: UnreadableFile | None) -> Footer | UnreadableFile:
        if held is not None and not held.placed:
            return held
        found = self._read(file)
        if held is not None and isinstance(found, UnreadableFile):
            return replace(held, placed=False)
        return found

    def _read(self, file: FoundFile) -> Footer | UnreadableFile:
        try:
            with self.location.handle(file) as handle, self.location.reaching(file):
                names = self.location.names
                known = footer(handle, self._time, self._zone, names, timeless=self._timeless)
                if not self.location.local:
                    known = replace(known, etag=etag(handle))
        except READ_ERRORS as error:
            return file.broken(fault(f"{self._prefix}{file.path}", error, Fault.UNREADABLE))
        path = f"{self._prefix}{file.path}"
        for column, reason in self._required.items():
            timed = reason is Fault.NO_EVENT_TIME_COLUMN
            keyed = column not in known.columns and column in self.location.keys(file.path)
            if timed and keyed:
                told = (
                    f"{column!r} is a key of its folder or partition, which places no rows in time"
                )
                return file.broken(UnreadableFile(path, reason, told))
            if column not in known.columns and not keyed:
                return file.broken(UnreadableFile(path, reason, f"it has no column {column!r}"))
            if column in known.repeated and not timed:  # of a log, the schema's changes tell that
                told = f"it has several columns {column!r}, and nothing says which is meant"
                return file.broken(UnreadableFile(path, Fault.UNREADABLE, told))
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
