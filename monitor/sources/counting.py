"""The function that is mapped over the files of a scan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.domain.manifest import LabelJoin, Rejection, UnreadableFile
from monitor.engine.counting import Counted, Task
from monitor.profile.grid import CategoricalGrid, Grid
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.labels import unmapped_labels
from monitor.sources.event_time import from_micros
from monitor.sources.labels import JoinedLabels
from monitor.sources.location import READ_ERRORS, Fault, FoundFile, fault
from monitor.sources.reader import Batch, LogView, OpenFile, Selection, batches, opened


@dataclass(frozen=True)
class CountFile:
    """Counts the rows of one file; pure but for reading it, and travels to worker processes.

    A file that breaks half-way, or is no longer the one the manifest names, contributes nothing
    but its name: half of a file would be a biased sample that looks like data.

    Attributes:
        view: The log.
        files: Path to the file as the manifest has it.
        grids: Version to the grid its rows are counted on.
        labels: What the label table says of the window's rows; None when the log has the labels.
    """

    view: LogView
    files: Mapping[str, FoundFile]
    grids: Mapping[str, Grid]
    labels: JoinedLabels | None

    @property
    def joined(self) -> LabelJoin | None:
        """Return how the label table was joined; None when there is none."""
        return None if self.labels is None else self.labels.join

    def __call__(self, task: Task) -> Counted:
        """Return the counts of one file; label files that broke are told with the first."""
        counted = self._attempted(self.files[task.path], task)
        if self.labels is not None and task.path == next(iter(self.files)):
            counted.unreadable.extend(self.labels.unreadable)
        return counted

    def _attempted(self, file: FoundFile, task: Task) -> Counted:
        try:
            if not self.view.location.unchanged(file):
                return _left_out(file, Fault.CHANGED, "it changed after the scan listed it")
            if self.labels is not None and not self.labels.covers(file.path):
                return _left_out(file, Fault.UNREADABLE, "its ids could not be read")
            return self._counted(file, task)
        except READ_ERRORS as error:
            return Counted(unreadable=[fault(file.path, error, Fault.CORRUPT)])

    def _counted(self, file: FoundFile, task: Task) -> Counted:
        counted = Counted()
        builders: dict[str, ProfileBuilder] = {}
        labels = None if self.labels is None else self.labels.reader(task.path)
        together = _columns(self.view, self.grids)
        with opened(self.view.location, file, _texts(self.grids), together) as log:
            for batch in batches(self.view, log, task.row_groups):
                _account(counted, batch)
                chosen = []
                for version, selection in batch.versions.items():
                    grid = self.grids.get(version)
                    if grid is None:
                        counted.rejected[Rejection.NO_BASELINE] += selection.rows
                        counted.unregistered[version] += selection.rows
                        continue
                    builder = builders.setdefault(version, ProfileBuilder(grid))
                    chosen.append(_Chosen(builder, grid, selection))
                joined = None if labels is None else labels.column(batch)
                counted.unmapped_labels.add(_fill(log, batch, chosen, joined))
        counted.profiles = {version: builder.profile for version, builder in builders.items()}
        return counted


@dataclass(frozen=True)
class _Chosen:
    """The rows of a batch that one profile takes."""

    builder: ProfileBuilder
    grid: Grid
    selection: Selection


def _account(counted: Counted, batch: Batch) -> None:
    counted.read += batch.selected + batch.rejected.total()
    counted.rejected.update(batch.rejected)
    if batch.versions:
        last = from_micros(max(selection.last for selection in batch.versions.values()))
        counted.last_event = max(counted.last_event or last, last)


def _fill(log: OpenFile, batch: Batch, chosen: list[_Chosen], joined: Any) -> list[tuple[str, int]]:
    """Give the chosen rows to their profiles: outcomes together, then column by column.

    Returns:
        Labels that are neither positive nor negative, with their rows.
    """
    unmapped: list[tuple[str, int]] = []
    together = {column for part in chosen for column in _outcome_columns(part.grid)}
    held = {column: log.column(batch.chunk, column) for column in sorted(together)}
    for part in chosen:
        selection, grid = part.selection, part.grid
        part.builder.add_rows(
            selection.rows, from_micros(selection.first), from_micros(selection.last)
        )
        label = selection.of(
            held.get("" if grid.label is None else grid.label.column) if joined is None else joined
        )
        unmapped += unmapped_labels(grid.label, label)
        part.builder.add_outcomes(
            selection.rows,
            {item.name: selection.of(held[item.column]) for item in grid.attributes},
            selection.of(held.get("" if grid.decision is None else grid.decision.column)),
            label,
            selection.of(held.get(grid.columns.get(grid.score, ""))),
        )
    for column in dict.fromkeys(name for part in chosen for name in part.grid.columns.values()):
        values = held[column] if column in held else log.column(batch.chunk, column)
        for part in chosen:
            selected = part.selection.of(values)
            for name, source in part.grid.columns.items():
                if source == column:
                    part.builder.add_field(name, selected, part.selection.rows)
    return unmapped


def _outcome_columns(grid: Grid) -> set[str]:
    columns = {attribute.column for attribute in grid.attributes}
    if grid.decision is not None:
        columns.add(grid.decision.column)
    if grid.label is not None:
        columns.add(grid.label.column)
    if grid.score:
        columns.add(grid.columns[grid.score])
    return columns


def _columns(view: LogView, grids: Mapping[str, Grid]) -> set[str]:
    """Return every column that is read of a batch."""
    columns = set(view.bookkeeping)
    for grid in grids.values():
        columns |= _outcome_columns(grid) | set(grid.columns.values())
    return columns


def _texts(grids: Mapping[str, Grid]) -> set[str]:
    """Return the columns that are read as codes into a dictionary where they hold text."""
    texts: set[str] = set()
    for grid in grids.values():
        texts |= _outcome_columns(grid)
        texts |= {
            grid.columns[name]
            for name, cells in grid.fields.items()
            if isinstance(cells, CategoricalGrid)
        }
    return texts


def _left_out(file: FoundFile, reason: Fault, explanation: str) -> Counted:
    return Counted(unreadable=[UnreadableFile(file.path, reason, explanation)])
