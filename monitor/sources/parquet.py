"""Inference logs in parquet files: flat or hive-partitioned folders on any file system."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.domain.errors import SourceError
from monitor.domain.manifest import Listing, LogFile, Manifest, UnreadableFile
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.engine.counting import Task
from monitor.engine.ports import Clock, Scan
from monitor.profile.grid import Grid
from monitor.sources.counting import CountFile
from monitor.sources.drafting import drafted
from monitor.sources.event_time import EARLIEST, LATEST, from_micros, instants, to_micros
from monitor.sources.footer import Footer
from monitor.sources.labels import JoinedLabels, LabelFiles, joined
from monitor.sources.location import READ_ERRORS, Fault, FoundFile, Locator, parquet_folder
from monitor.sources.placing import Bounds, Placed, named_as, placed
from monitor.sources.reader import LogView, batches, opened
from monitor.sources.table import ParquetTable, TableFiles

TableKind = Callable[[str, str], Locator]
"""Makes, of a configured path and the folder it is relative to, what says where the files are."""


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
    """

    def __init__(
        self,
        policy: Policy,
        log: TableKind = parquet_folder,
        labels: TableKind = parquet_folder,
        clock: Clock | None = None,
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
            )
        self._read_spans: dict[FoundFile, Bounds | None] = {}

    def span(self) -> tuple[datetime, datetime] | None:
        """Return earliest and latest event time; files whose footers are silent are read."""
        latest = self._latest()
        bounds: list[int] = []
        for file, footer, silent in self._spanned(self._log_files()):
            groups = [group for group in footer.groups if group.rows]
            told = [bound for group in groups for bound in group.bounds or silent or ()]
            if told and max(told) > latest:  # rows that cannot be do not move the end of the log
                told = list(self._read_span(file, latest) or ())
            bounds += told
        return (from_micros(min(bounds)), from_micros(max(bounds))) if bounds else None

    def scan(self, window: Window) -> Scan:
        """Return one task for each file whose row groups may hold rows of a window."""
        log, labels = self._log_files(), self._label_files()
        (found,) = placed(self._spanned(log), [window])
        (named,) = self._labels_of(labels, [window])
        manifest = Manifest(
            tuple(part.named for part in found),
            named,
            (*log.unreadable, *labels.unreadable),
            self._snapshot(bool(named)),
        )
        tasks = tuple(_task(part) for part in found)
        return Scan(window, tasks, manifest, _listing(found, named))

    def listings(self, windows: Sequence[Window]) -> Mapping[Window, Listing]:
        """Return what a scan of each window would list; log and labels are listed once."""
        found = placed(self._spanned(self._log_files()), windows)
        labels = self._labels_of(self._label_files(), windows)
        return {
            window: _listing(parts, named)
            for window, parts, named in zip(windows, found, labels, strict=True)
        }

    def versions(self, scan: Scan) -> Sequence[str]:
        """Return the versions with rows in the window; a file that breaks has none."""
        found: set[str] = set()
        view = self._view(scan)
        for task, file in _files_of(scan):
            try:
                with opened(view.location, file, {view.spec.version}, view.bookkeeping) as log:
                    for batch in batches(view, log, task.row_groups):
                        found.update(batch.versions)
            except READ_ERRORS:
                continue  # counting reads it again, and reports it
        return sorted(found)

    def draft(self, scan: Scan, version: str) -> Grid:
        """Return a grid frozen from the rows of one version."""
        return drafted(self._policy, self._view(scan), _files_of(scan), version)

    def counter(self, scan: Scan, grids: Mapping[str, Grid]) -> CountFile:
        """Return the function that counts one file; labels are joined here, once."""
        view = self._view(scan)
        files = {file.path: file for _, file in _files_of(scan)}
        return CountFile(view, files, grids, self._joined(view, scan), scan.tasks)

    def _snapshot(self, labelled: bool) -> str:  # noqa: FBT001  # internal
        """Return the state of the tables that is read, in words."""
        said = [self._log.location.snapshot]
        if labelled and self._labels is not None and self._labels.location.snapshot:
            said.append(f"labels {self._labels.location.snapshot}")
        return ", ".join(filter(None, said))

    def _view(self, scan: Scan) -> LogView:
        return LogView.of(self._log.location, self._policy.source, scan.window, self._latest())

    def _latest(self) -> int:
        """Return the last microsecond that an event time may have."""
        if self._clock is None:
            return LATEST
        return to_micros(self._clock.now() + self._policy.source.max_clock_skew)

    def _log_files(self) -> TableFiles:
        """Return the files of the log; those whose rows are all of the future are not usable."""
        log, latest = self._log.files(), self._latest()
        future = [file for file, footer in log.usable if footer.begins_after(latest)]
        if not future:
            return log
        unreadable = [*log.unreadable, *(_of_the_future(file) for file in future)]
        return TableFiles(
            tuple((file, footer) for file, footer in log.usable if file not in future),
            tuple(sorted(unreadable, key=lambda file: file.path)),
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

    def _label_files(self) -> TableFiles:
        """Return the files of the label table; those that cannot be used by their full path."""
        spec = self._policy.source.labels
        if spec is None or self._labels is None:
            return TableFiles((), ())
        try:
            files = self._labels.files()
        except SourceError as error:
            # Labels may be long in coming, and their folder with them: inputs are watched anyway.
            return TableFiles((), (UnreadableFile(spec.path, Fault.NOT_FOUND, str(error)),))
        broken = [replace(file, path=f"{spec.path}/{file.path}") for file in files.unreadable]
        return TableFiles(files.usable, tuple(broken))

    def _labels_of(
        self, labels: TableFiles, windows: Sequence[Window]
    ) -> list[tuple[LogFile, ...]]:
        """Return, for each window, the label files that may hold labels of its rows.

        They are those with predictions made in the window, where the table says when they were
        made; else those with labels known since the window began.
        """
        spec = self._policy.source.labels
        files = [(file, footer, None) for file, footer in labels.usable]
        if spec is None or spec.event_time:
            return [tuple(part.named for part in found) for found in placed(files, windows)]
        newest = [(_newest(footer), named_as(file, footer)) for file, footer in labels.usable]
        return [
            tuple(file for last, file in newest if last >= to_micros(window.start))
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


def _of_the_future(file: FoundFile) -> UnreadableFile:
    told = "all its event times are later than now: the clock that wrote them is wrong, or ours"
    return UnreadableFile(file.path, Fault.FUTURE_EVENT_TIME, told)


def _listing(found: Sequence[Placed], labels: Sequence[LogFile]) -> Listing:
    # A file that nobody can place in time is read for every window, and is news for none.
    return Listing.of((part.named for part in found if part.certain), labels)


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
