"""Counting the rows of a stored result once more, from the files that it was made from."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import SourceError
from monitor.domain.manifest import Accounting, LogFile, Manifest
from monitor.domain.policy import Policy
from monitor.domain.run import Run
from monitor.domain.timetable import Timetable
from monitor.engine.counting import bundled
from monitor.engine.ports import Clock, Compute, Scan, Source
from monitor.engine.progress import Silent
from monitor.profile.grid import Grid
from monitor.profile.profile import Profile

SourceThen = Callable[[Policy, Manifest, Clock], Source]
"""Returns the log of a policy with its tables as a manifest names them, at the time of a clock."""


class ImpossibleError(Exception):
    """A result cannot be recomputed; carries the reason."""


class At(Struct, frozen=True):
    """A clock that stands still."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant at which it stands."""
        return self.instant


class Recount(Struct, frozen=True):
    """What counting once more gave.

    Attributes:
        profiles: By version.
        accounting: The rows.
    """

    profiles: Mapping[str, Profile]
    accounting: Accounting


class Recounter(Struct, frozen=True):
    """Counts the rows of stored results once more.

    A table with snapshots is read as it was: files that were compacted or rewritten since are still
    there until the table is cleaned up. Of other files only those can be counted that are what they
    were.

    Args:
        source_then: Opens the log.
        compute: Where tasks are mapped.
        directory: Folder that the log's path is relative to.
    """

    source_then: SourceThen
    compute: Compute
    directory: str

    def count(
        self, run: Run, policy: Policy, grids: Mapping[str, Grid], timetable: Timetable | None
    ) -> Recount:
        """Return what the rows of a run are by the files that its manifest names.

        Args:
            run: The run.
            policy: The policy that it was made under.
            grids: Version to the grid that it was counted on.
            timetable: What versions were allowed when; None where it was not counted by it.

        Raises:
            ImpossibleError: Some of them are no longer what they were.
        """
        placed = replace(policy, directory=self.directory)
        try:
            source = self.source_then(placed, run.manifest, At(run.started))
            scan = _as_then(source.scan(run.window), run.manifest, timetable)
            counter = source.counter(scan, grids)
            counted = self.compute.count(bundled(scan.tasks), counter.complete(), Silent())
        except SourceError as error:
            raise ImpossibleError(f"its log cannot be read as it was: {error}") from error
        if counted.unreadable:
            broken = counted.unreadable[0]
            raise ImpossibleError(f"{broken.path} can no longer be read: {broken.explanation}")
        return Recount(counted.profiles, counted.accounting(counter.joined, timetable))


def _as_then(scan: Scan, then: Manifest, timetable: Timetable | None) -> Scan:
    """Return a scan of the files of a manifest alone.

    Raises:
        ImpossibleError: One of them is no longer what it was.
    """
    now = scan.manifest
    _check(then.files, now.files, "file of the log")
    _check(then.labels, now.labels, "file of labels")
    _check(then.protected, now.protected, "file of the protected table")
    paths = {file.path for file in then.files}
    tasks = tuple(task for task in scan.tasks if task.path in paths)
    return Scan(scan.window, tasks, then, scan.unplaced, timetable)


def _check(then: Iterable[LogFile], now: Iterable[LogFile], what: str) -> None:
    files = list(then)
    gone = sorted(file.path for file in set(files).difference(now))
    if gone:
        raise ImpossibleError(
            f"{len(gone):,} of {len(files):,} is no {what} as it was, the first is {gone[0]}"
        )
