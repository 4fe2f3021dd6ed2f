"""Inference logs in parquet files: flat or hive-partitioned folders on any file system."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.domain.errors import SourceError
from monitor.domain.manifest import LogFile, Manifest, UnreadableFile
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.engine.counting import Counted, Task
from monitor.engine.ports import Scan
from monitor.profile.grid import Grid
from monitor.sources.counting import CountFile
from monitor.sources.drafting import drafted
from monitor.sources.event_time import LATEST, from_micros, instants, to_micros
from monitor.sources.footer import Footer
from monitor.sources.labels import JoinedLabels, LabelFiles, joined
from monitor.sources.location import READ_ERRORS, Fault, FoundFile
from monitor.sources.reader import LogView, batches, opened
from monitor.sources.table import ParquetTable


class ParquetSource:
    """A log of parquet files, as `monitor.engine.ports.Source`.

    Every column is looked up by its exact name. The folders ``key=value`` above a file are
    columns of text, unless the file has a column of that name itself. A file that cannot be used
    is named in the manifest and stops nothing.

    Rows without a usable event time belong to no window. They are counted as read and rejected
    whenever their row group is read, so that every window's own accounting balances; a window
    whose scan leaves their row group out does not see them.
    """

    def __init__(self, policy: Policy) -> None:
        spec = policy.source
        self._policy = policy
        self._log = ParquetTable(
            spec.path,
            policy.directory,
            {spec.event_time: Fault.NO_EVENT_TIME_COLUMN},
            spec.event_time,
            spec.zone,
        )
        self._labels: ParquetTable | None = None
        if spec.labels is not None and policy.label is not None:
            self._labels = ParquetTable(
                spec.labels.path,
                policy.directory,
                {
                    spec.labels.id: Fault.NO_ID_COLUMN,
                    policy.label.column: Fault.NO_LABEL_COLUMN,
                },
                spec.labels.time,
                spec.zone,
            )
        self._read_spans: dict[FoundFile, tuple[int, ...]] = {}

    def span(self) -> tuple[datetime, datetime] | None:
        """Return earliest and latest event time; files whose footers are silent are read."""
        bounds: list[int] = []
        read: dict[FoundFile, tuple[int, ...]] = {}
        for file, footer in self._log.files().usable:
            groups = [group for group in footer.groups if group.rows]
            bounds += [bound for group in groups for bound in group.bounds or ()]
            if any(group.bounds is None for group in groups):
                known = self._read_spans.get(file)
                read[file] = self._read_span(file) if known is None else known
                bounds += read[file]
        self._read_spans = read
        return (from_micros(min(bounds)), from_micros(max(bounds))) if bounds else None

    def scan(self, window: Window) -> Scan:
        """Return one task for each file whose row groups may hold rows of a window."""
        start, end = to_micros(window.start), to_micros(window.end)
        log = self._log.files()
        tasks, files = [], []
        for file, footer in log.usable:
            groups = [
                number for number, group in enumerate(footer.groups) if group.may_hold(start, end)
            ]
            if groups:
                rows = sum(footer.groups[number].rows for number in groups)
                tasks.append(Task(file.path, tuple(groups), rows))
                files.append(_named(file, footer))
        labels, broken = self._label_files(start)
        return Scan(
            window, tuple(tasks), Manifest(tuple(files), labels, (*log.unreadable, *broken))
        )

    def versions(self, scan: Scan) -> Sequence[str]:
        """Return the versions with rows in the window; a file that breaks has none."""
        found: set[str] = set()
        view = self._view(scan)
        for task, file in _files_of(scan):
            try:
                with opened(view.location, file) as log:
                    for batch in batches(view, log, task.row_groups):
                        found.update(batch.versions)
            except READ_ERRORS:
                continue  # counting reads it again, and reports it
        return sorted(found)

    def draft(self, scan: Scan, version: str) -> Grid:
        """Return a grid frozen from the rows of one version."""
        return drafted(self._policy, self._view(scan), _files_of(scan), version)

    def counter(self, scan: Scan, grids: Mapping[str, Grid]) -> Callable[[Task], Counted]:
        """Return the function that counts one file; labels are joined here, once."""
        view = self._view(scan)
        files = {file.path: file for _, file in _files_of(scan)}
        return CountFile(view, files, grids, self._joined(view, scan))

    def _view(self, scan: Scan) -> LogView:
        return LogView.of(self._log.location, self._policy.source, scan.window)

    def _read_span(self, file: FoundFile) -> tuple[int, ...]:
        spec = self._policy.source
        bounds: list[int] = []
        try:
            with opened(self._log.location, file) as log:
                for chunk in log.chunks():
                    times = instants(log.column(chunk, spec.event_time), spec.zone)
                    if times.usable.any():
                        usable = times.micros[times.usable]
                        bounds += [int(usable.min()), int(usable.max())]
        except READ_ERRORS:
            return ()  # counting reads it again, and reports it
        return tuple(bounds)

    def _label_files(self, start: int) -> tuple[tuple[LogFile, ...], tuple[UnreadableFile, ...]]:
        """Return the label files that may hold labels known since an instant, and the others."""
        spec = self._policy.source.labels
        if spec is None or self._labels is None:
            return (), ()
        try:
            files = self._labels.files()
        except SourceError as error:
            # Labels may be long in coming, and their folder with them: inputs are watched anyway.
            return (), (UnreadableFile(spec.path, Fault.NOT_FOUND, str(error)),)
        labels = [
            _named(file, footer)
            for file, footer in files.usable
            if any(group.may_hold(start, LATEST + 1) for group in footer.groups)
        ]
        broken = [replace(file, path=f"{spec.path}/{file.path}") for file in files.unreadable]
        return tuple(labels), tuple(broken)

    def _joined(self, view: LogView, scan: Scan) -> JoinedLabels | None:
        spec, label = self._policy.source.labels, self._policy.label
        if self._labels is None or spec is None or label is None:
            return None
        files = tuple(_found(file) for file in scan.manifest.labels)
        if not files:
            return JoinedLabels()
        table = LabelFiles(self._labels.location, files, spec, label.column, view.spec.zone)
        return joined(view, _files_of(scan), table)


def _named(file: FoundFile, footer: Footer) -> LogFile:
    return LogFile(file.path, file.size, file.modified, footer.rows)


def _found(file: LogFile) -> FoundFile:
    return FoundFile(file.path, file.size, file.modified)


def _files_of(scan: Scan) -> list[tuple[Task, FoundFile]]:
    files = {file.path: _found(file) for file in scan.manifest.files}
    return [(task, files[task.path]) for task in scan.tasks]
