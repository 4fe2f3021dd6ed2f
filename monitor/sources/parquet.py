"""Inference logs in parquet files: flat or hive-partitioned folders on any file system."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from msgspec.structs import replace

from monitor.domain.errors import SourceError
from monitor.domain.manifest import Listing, LogFile, Manifest, TableSnapshot, UnreadableFile
from monitor.domain.policy import LabelTable, Policy, ProtectedTable
from monitor.domain.quarantine import Quarantine, QuarantineState
from monitor.domain.window import Window
from monitor.engine.counting import Task
from monitor.engine.ports import Clock, Scan
from monitor.engine.survey import Span, Survey
from monitor.profile.grid import Grid
from monitor.profile.instants import EARLIEST, LATEST, from_micros, instants, to_micros
from monitor.sources.arrivals import Arrivals, added_since
from monitor.sources.counting import CHECKED_WHOLE, CountFile
from monitor.sources.drafting import drafted
from monitor.sources.footer import Footer
from monitor.sources.labels import JoinedLabels, LabelFiles, joined
from monitor.sources.location import READ_ERRORS, Fault, FoundFile, Locator, parquet_folder
from monitor.sources.members import Members, members, protected_columns
from monitor.sources.placing import Bounds, Placed, named_as, placed
from monitor.sources.reader import LogView, batches, opened
from monitor.sources.shelf import Shelf
from monitor.sources.table import Hold, ParquetTable, TableFiles, hold_nothing

TableKind = Callable[[str, str], Locator]
"""Makes, of a configured path and the folder it is relative to, what says where the files are."""

_DATED = timedelta(days=1)  # how much earlier than it was known a label may say that it was


class ParquetSource:
    """A log of parquet files, as `monitor.engine.ports.Source`.

    Every column is looked up by its exact name. The folders ``key=value`` above a file are
    columns of text, unless the file has a column of that name itself. A file that cannot be used
    is named in the manifest and stops nothing.

    Rows without a usable event time belong to no window. They are counted as read and rejected
    whenever their row group is read, so that every window's own accounting balances; a window
    whose scan leaves their row group out does not see them.

    A scan of a table with snapshots is of the snapshot that was current when it was made; it is
    counted before the next scan.

    Args:
        policy: The model's policy.
        log: How the files of the log are found.
        labels: How the files of the label table are found.
        clock: Tells which event times lie in the future; None for logs without a present.
        protected: How the files of the protected table are found.
    """

    def __init__(
        self,
        policy: Policy,
        log: TableKind = parquet_folder,
        labels: TableKind = parquet_folder,
        clock: Clock | None = None,
        protected: TableKind = parquet_folder,
    ) -> None:
        spec = policy.source
        self._policy = policy
        self._clock = clock
        self._log = ParquetTable(
            log(spec.path, policy.directory),
            {spec.event_time: Fault.NO_EVENT_TIME_COLUMN},
            spec.event_time,
            spec.zone,
        )
        self._labels: ParquetTable | None = None
        if spec.labels is not None and policy.label is not None:
            self._labels = ParquetTable(
                labels(spec.labels.path, policy.directory),
                {
                    spec.labels.id: Fault.NO_ID_COLUMN,
                    policy.label.column: Fault.NO_LABEL_COLUMN,
                },
                spec.labels.event_time or spec.labels.time,
                spec.zone,
                folder=spec.labels.path,
                timeless=True,
            )
        self._columns = protected_columns(policy.axes)
        self._protected: ParquetTable | None = None
        if spec.protected is not None and self._columns:
            needed = dict.fromkeys(self._columns, Fault.NO_PROTECTED_COLUMN)
            self._protected = ParquetTable(
                protected(spec.protected.path, policy.directory),
                {spec.protected.id: Fault.NO_ID_COLUMN, **needed},
                "",
                spec.zone,
                folder=spec.protected.path,
            )
        self._read_spans: dict[FoundFile, Bounds | None] = {}
        self._shelf = Shelf()  # what is decoded before a count, for the next one

    def survey(self, quarantine: Quarantine | None = None) -> Survey:
        """Return what the log is as a whole; files whose footers are silent are read."""
        log, labels = self._listed(quarantine)
        spanned = self._spanned(log)
        people = self._people(quarantine)
        held = [why for _, _, why in (*log.held, *labels.held, *people.held)]
        unreadable = _by_path((*log.unreadable, *labels.unreadable, *people.unreadable, *held))
        bounds, latest = [], self._latest()
        for file, footer, silent in spanned:
            told = _bounds(footer, silent or ())
            if told and max(told) > latest:  # rows that cannot be do not move the end of the log
                told = list(self._read_span(file, latest) or ())
            bounds += told
        reaches = {file.path: _reach(_bounds(footer, silent)) for file, footer, silent in spanned}
        for file, footer in labels.usable:
            reaches[f"{self._label_folder}/{file.path}"] = self._label_reach(footer)
        for file, _ in people.usable:  # people are of any window
            reaches[f"{_folder(self._policy.source.protected)}/{file.path}"] = (
                from_micros(EARLIEST),
                from_micros(LATEST),
            )
        whole = _whole(quarantine, reaches, unreadable)
        return Survey(_reach(bounds), unreadable, whole, self._log.location.committed())

    def scan(self, window: Window, quarantine: Quarantine | None = None) -> Scan:
        """Return one task for each file whose row groups may hold rows of a window."""
        log, labels = self._listed(quarantine)
        people = self._people(quarantine)
        (found,) = placed(self._spanned(log), [window])
        (named,) = self._labels_of(labels.usable, [window])
        (held,) = placed([(file, footer, None) for file, footer, _ in log.held], [window])
        (held_labels,) = self._labels_of([part[:2] for part in labels.held], [window])
        left_out = (
            *log.unreadable,
            *labels.unreadable,
            *_left_out(log, [part.named for part in held]),
            *_left_out(labels, held_labels),
            *people.unreadable,
            *(why for _, _, why in people.held),
        )
        manifest = Manifest(
            tuple(part.named for part in found),
            named,
            _by_path(left_out),
            self._snapshots(labelled=bool(named), peopled=bool(people.usable)),
            tuple(named_as(file, footer) for file, footer in people.usable),
        )
        tasks = tuple(_task(part) for part in found)
        unplaced = frozenset(part.file.path for part in found if not part.certain)
        return Scan(window, tasks, manifest, unplaced)

    def listings(
        self, windows: Sequence[Window], quarantine: Quarantine | None = None
    ) -> Mapping[Window, Listing]:
        """Return what a scan of each window would list; log and labels are listed once."""
        log, labels = self._listed(quarantine)
        found = placed(self._spanned(log), windows)
        named = self._labels_of(labels.usable, windows)
        return {
            window: Listing.of((part.named for part in parts if part.certain), files)
            for window, parts, files in zip(windows, found, named, strict=True)
        }

    def versions(self, scan: Scan) -> Sequence[str]:
        """Return the versions with rows in the window; a file that breaks has none."""
        found: set[str] = set()
        view = self._view(scan)
        for task, file in _files_of(scan):
            reading = self._shelf.keep if file.size > CHECKED_WHOLE else None
            columns = view.bookkeeping
            try:
                with opened(view.location, file, {view.spec.version}, columns, reading) as log:
                    for batch in batches(view, log, task.row_groups):
                        found.update(batch.versions)
            except READ_ERRORS:
                continue  # counting reads it again, and reports it
        return sorted(found)

    def draft(self, scan: Scan, version: str, *, thorough: bool = False) -> Grid:
        """Return a grid frozen from the rows of one version."""
        view = replace(self._view(scan), shelf=self._shelf)
        people = self._members(view, scan)
        return drafted(self._policy, view, _files_of(scan), version, people, thorough=thorough)

    def counter(self, scan: Scan, grids: Mapping[str, Grid]) -> CountFile:
        """Return the function that counts one file; labels are joined here, once."""
        view, self._shelf = replace(self._view(scan), shelf=self._shelf), Shelf()
        files = {file.path: file for _, file in _files_of(scan)}
        labels, people = self._joined(view, scan), self._members(view, scan)
        return CountFile(
            view, files, grids, labels, scan.tasks, members=people, timetable=scan.timetable
        )

    def moved(
        self, manifests: Mapping[Window, Manifest], quarantine: Quarantine | None = None
    ) -> frozenset[Window]:
        """Return the windows whose rows are the same in other files, as the table's log tells."""
        states = [state for item in manifests.values() for state in item.snapshots]
        if not states:
            return frozenset()
        log, labels = self._listed(quarantine)
        windows = sorted(manifests)
        found = placed(self._spanned(log), windows)
        named = self._labels_of(labels.usable, windows)
        return frozenset(
            window
            for window, parts, files in zip(windows, found, named, strict=True)
            if _moved(self._log, "log", manifests[window], [part.named for part in parts])
            and _moved(self._labels, "labels", manifests[window], files)
        )

    def unlabelled(
        self,
        labels: Mapping[Window, Sequence[LogFile]],
        quarantine: Quarantine | None = None,
    ) -> Mapping[Window, Sequence[LogFile]]:
        """Return the windows for which label files that came hold nothing, with all their files."""
        spec = self._policy.source.labels
        if self._labels is None or spec is None or not labels:
            return {}
        log, table = self._listed(quarantine)
        windows = sorted(labels)
        arrivals = Arrivals(self._labels.location, spec.id)
        found = placed(self._spanned(log), windows)
        now = self._labels_of(table.usable, windows)
        left: dict[Window, Sequence[LogFile]] = {}
        for window, parts, files in zip(windows, found, now, strict=True):
            added = added_since(labels[window], files)
            view = LogView.of(self._log.location, self._policy.source, window, self._latest())
            tasks = ((_task(part), part.file) for part in parts)
            if added is not None and not arrivals.concern(view, tasks, added):
                left[window] = files
        return left

    def _snapshots(self, *, labelled: bool, peopled: bool) -> tuple[TableSnapshot, ...]:
        """Return the states of the tables that are read."""
        tables = (
            ("log", self._log),
            ("labels", self._labels if labelled else None),
            ("protected", self._protected if peopled else None),
        )
        return tuple(
            replace(state, table=name)
            for name, table in tables
            if table is not None and (state := table.location.snapshot) is not None
        )

    def _view(self, scan: Scan) -> LogView:
        return LogView.of(self._log.location, self._policy.source, scan.window, self._latest())

    def _latest(self) -> int:
        """Return the last microsecond that an event time may have."""
        if self._clock is None:
            return LATEST
        return to_micros(self._clock.now() + self._policy.source.max_clock_skew)

    def _log_files(self, hold: Hold) -> TableFiles:
        """Return the files of the log; those whose rows are all of the future are not usable."""
        log, latest = self._log.files(hold), self._latest()
        future = {file for file, footer in log.usable if footer.begins_after(latest)}
        if not future:
            return log
        return replace(
            log,
            usable=tuple((file, footer) for file, footer in log.usable if file not in future),
            unreadable=_by_path((*log.unreadable, *map(_of_the_future, future))),
        )

    def _spanned(self, log: TableFiles) -> list[tuple[FoundFile, Footer, Bounds | None]]:
        """Return the files with their footers, and the span of those whose footers are silent."""
        read: dict[FoundFile, Bounds | None] = {}
        for file, footer in log.usable:
            if any(group.bounds is None and group.rows for group in footer.groups):
                known = file in self._read_spans
                read[file] = self._read_spans[file] if known else self._read_span(file)
        self._read_spans = read
        return [(file, footer, read.get(file)) for file, footer in log.usable]

    def _read_span(self, file: FoundFile, latest: int = LATEST) -> Bounds | None:
        spec = self._policy.source
        bounds: list[int] = []
        try:
            together = (spec.event_time,)
            with opened(self._log.location, file, together=together) as log:
                for chunk in log.chunks():
                    times = instants(log.column(chunk, spec.event_time), spec.zone)
                    usable = times.micros[times.usable & (times.micros <= latest)]
                    if len(usable):
                        bounds += [int(usable.min()), int(usable.max())]
        except READ_ERRORS:
            return None  # counting reads it again, and reports it
        return (min(bounds), max(bounds)) if bounds else None

    @property
    def _label_folder(self) -> str:
        return _folder(self._policy.source.labels)

    def _listed(self, quarantine: Quarantine | None) -> tuple[TableFiles, TableFiles]:
        """Return the files of the log and of the label table as they are now."""
        log = self._log_files(_hold(quarantine))
        # Labels may be long in coming, and their folder with them: inputs are watched anyway.
        return log, _later_files(self._labels, self._label_folder, quarantine)

    def _people(self, quarantine: Quarantine | None) -> TableFiles:
        """Return the files of the protected table as they are now."""
        return _later_files(self._protected, _folder(self._policy.source.protected), quarantine)

    def _label_reach(self, footer: Footer) -> Span | None:
        """Return the earliest and latest event that a file's labels may be of.

        They are of any event before the last of them was known, unless the table says of which.
        """
        spec = self._policy.source.labels
        reach = _reach(_bounds(footer, None))
        if reach is None or (spec is not None and spec.event_time):
            return reach
        return from_micros(EARLIEST), reach[1]

    def _labels_of(
        self, labels: Sequence[tuple[FoundFile, Footer]], windows: Sequence[Window]
    ) -> list[tuple[LogFile, ...]]:
        """Return, for each window, the label files that may hold labels of its rows.

        They are those with predictions made in the window, where the table says when they were
        made; else those with labels known since the window began, or on the day before: a label
        may be dated by its day alone.
        """
        spec = self._policy.source.labels
        files = [(file, footer, None) for file, footer in labels]
        if spec is None or spec.event_time:
            return [tuple(part.named for part in found) for found in placed(files, windows)]
        newest = [(_newest(footer), named_as(file, footer)) for file, footer in labels]
        return [
            tuple(file for last, file in newest if last >= to_micros(window.start - _DATED))
            for window in windows
        ]

    def _joined(self, view: LogView, scan: Scan) -> JoinedLabels | None:
        spec, label = self._policy.source.labels, self._policy.label
        if self._labels is None or spec is None or label is None:
            return None
        files = tuple(_found(file) for file in scan.manifest.labels)
        if not files:
            return JoinedLabels()
        table = LabelFiles(self._labels.location, files, spec, label.column, view.spec.zone)
        return joined(view, _files_of(scan), table)

    def _members(self, view: LogView, scan: Scan) -> Members:
        spec = self._policy.source.protected
        if self._protected is None or spec is None:
            return Members()
        files = tuple(_found(file) for file in scan.manifest.protected)
        found = (self._protected.location, files) if files else None
        return members(view, _files_of(scan), spec, self._columns, found)


def _moved(table: ParquetTable | None, name: str, then: Manifest, now: Sequence[LogFile]) -> bool:
    """Return whether the files of a table are those of then, or hold what those held."""
    before = then.files if name == "log" else then.labels
    if table is None or before == tuple(now):
        return True
    states = [state.id for state in then.snapshots if state.table == name]
    return bool(states) and table.location.same_rows(
        states[0], [file.path for file in before], [file.path for file in now]
    )


def _folder(table: LabelTable | ProtectedTable | None) -> str:
    return "" if table is None else table.path


def _later_files(
    table: ParquetTable | None, folder: str, quarantine: Quarantine | None
) -> TableFiles:
    """Return the files of a table that may not be there yet; its name is then named as missing."""
    if table is None:
        return TableFiles()
    try:
        return table.files(_hold(quarantine, folder))
    except SourceError as error:
        return TableFiles(unreadable=(UnreadableFile(folder, Fault.NOT_FOUND, str(error)),))


def _of_the_future(file: FoundFile) -> UnreadableFile:
    told = "all its event times are later than now: the clock that wrote them is wrong, or ours"
    return file.broken(UnreadableFile(file.path, Fault.FUTURE_EVENT_TIME, told))


def _hold(quarantine: Quarantine | None, folder: str = "") -> Hold:
    """Return which files of a folder are not to be tried, by the paths that manifests have."""
    if quarantine is None:
        return hold_nothing
    prefix = f"{folder}/" if folder else ""
    return lambda file: quarantine.held(f"{prefix}{file.path}", file.size, file.modified)


def _left_out(table: TableFiles, files: Iterable[LogFile]) -> list[UnreadableFile]:
    """Return how a manifest names some of the files of a table that are not tried."""
    held = {file.path: why for file, _, why in table.held}
    return [held[file.path] for file in files]


def _by_path(files: Iterable[UnreadableFile]) -> tuple[UnreadableFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _bounds(footer: Footer, silent: Sequence[int] | None) -> list[int]:
    """Return the times between which the rows of a file lie; none without rows.

    Args:
        footer: Its footer.
        silent: What is known of row groups whose statistics are silent; None for nothing, so that
            their rows may be of any time.
    """
    anywhere = (EARLIEST, LATEST) if silent is None else silent
    groups = [group for group in footer.groups if group.rows]
    return [bound for group in groups for bound in group.bounds or anywhere]


def _reach(bounds: Sequence[int]) -> Span | None:
    return (from_micros(min(bounds)), from_micros(max(bounds))) if bounds else None


def _whole(
    quarantine: Quarantine | None,
    reaches: Mapping[str, Span | None],
    unreadable: Iterable[UnreadableFile],
) -> dict[str, Span | None]:
    """Return the reach of each waiting path that can be used, or under which files can be."""
    files = {} if quarantine is None else quarantine.files
    waiting = {path for path, file in files.items() if file.state is QuarantineState.WAITING}
    waiting -= {file.path for file in unreadable}
    found: dict[str, Span | None] = {}
    for path, reach in reaches.items() if waiting else ():
        for part in _with_folders(path):
            if part in waiting:
                found[part] = _both(found.get(part), reach)
    return found


def _with_folders(path: str) -> Iterator[str]:
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _both(one: Span | None, other: Span | None) -> Span | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])


def _task(part: Placed) -> Task:
    rows = sum(part.footer.groups[number].rows for number in part.groups)
    return Task(part.file.path, part.groups, rows)


def _newest(footer: Footer) -> int:
    """Return the latest time in a file; for ever when its footer is silent, before all if empty."""
    times = [
        LATEST if group.bounds is None else group.bounds[1] for group in footer.groups if group.rows
    ]
    return max(times, default=EARLIEST - 1)


def _found(file: LogFile) -> FoundFile:
    return FoundFile(file.path, file.size, file.modified)


def _files_of(scan: Scan) -> list[tuple[Task, FoundFile]]:
    files = {file.path: _found(file) for file in scan.manifest.files}
    return [(task, files[task.path]) for task in scan.tasks]
