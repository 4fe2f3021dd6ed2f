"""From the rows of a batch to the profiles that take them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from monitor.domain.field import Classes
from monitor.engine.counting import Counted
from monitor.profile.classes import ClassColumns
from monitor.profile.grid import (
    AttributeGrid,
    CategoricalGrid,
    FieldGrid,
    Grid,
    NumericGrid,
)
from monitor.profile.instants import from_micros
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.labels import unmapped_labels
from monitor.sources.meeting import Meeting
from monitor.sources.reader import Batch, Selection
from monitor.sources.together import Columns

_COSTS: Mapping[type[FieldGrid], float] = {NumericGrid: 1.0, CategoricalGrid: 0.5}
_COST_OF_PART = 2.0
_PAIRS_A_COLUMN = 240
"""Pairs of fields that cost as much as the reading and counting of one numeric field."""


class Chosen(Struct, frozen=True):
    """The rows of a batch that one profile takes.

    Attributes:
        builder: Builds the profile.
        grid: Its grid.
        names: Column to the fields that are read from it.
        selection: The rows.
    """

    builder: ProfileBuilder
    grid: Grid
    names: Mapping[str, Sequence[str]]
    selection: Selection


class Joined(NamedTuple):
    """Columns of a batch that other tables brought.

    Attributes:
        label: The label; None when it is in the log.
        members: The protected table's columns by name.
    """

    label: Any
    members: Mapping[str, Any]

    def axis(self, grid: AttributeGrid, held: Mapping[str, Any]) -> Any:
        """Return the column of an attribute or stratum."""
        return self.members.get(grid.column) if grid.protected else held[grid.column]


class Builders:
    """The profiles of the versions of a file, made as their rows come."""

    def __init__(self, grids: Mapping[str, Grid]) -> None:
        self._grids = grids
        self._names = {version: _names_by_column(grid) for version, grid in grids.items()}
        self.made: dict[str, ProfileBuilder] = {}
        self.columns = tuple(dict.fromkeys(name for by in self._names.values() for name in by))
        self.dividing_columns = {
            name for grid in grids.values() for name in _dividing_columns(grid)
        }
        self.outcome_columns = {name for grid in grids.values() for name in _outcome_columns(grid)}
        self._columns_of: dict[frozenset[str], list[str]] = {}

    @property
    def all_columns(self) -> set[str]:
        """Return the columns that anything is counted of."""
        return {*self.columns, *self.dividing_columns, *self.outcome_columns}

    def shares(self, threads: int) -> list[list[str]]:
        """Divide the columns of fields among threads, so that all have as much to do.

        The first thread has the outcomes and pairs of all fields to count as well.
        """
        paired = sum(len(grid.scores) ** 2 for grid in self._grids.values())
        loads = [len(self.outcome_columns) + paired / _PAIRS_A_COLUMN, *[0.0] * (threads - 1)]
        costs = {column: self._cost(column) for column in self.columns}
        parts: list[set[str]] = [set() for _ in loads]
        for column in sorted(costs, key=lambda column: -costs[column]):
            least = loads.index(min(loads))
            loads[least] += costs[column]
            parts[least].add(column)
        return [[column for column in self.columns if column in part] for part in parts]

    def _cost(self, column: str) -> float:
        """Return about how much a column costs to read and count, in numeric fields."""
        return sum(
            _COSTS[type(grid.fields[name])] if name not in grid.derived else _COST_OF_PART
            for version, grid in self._grids.items()
            for name in self._names[version].get(column, ())
        )

    def columns_of(self, versions: Collection[str]) -> list[str]:
        """Return the columns that anything is counted of for some versions."""
        wanted = frozenset(versions)
        if wanted not in self._columns_of:
            found = {name for version in wanted for name in self._names[version]}
            for grid in (self._grids[version] for version in wanted):
                found |= _dividing_columns(grid) | _outcome_columns(grid)
            self._columns_of[wanted] = sorted(found)
        return self._columns_of[wanted]

    @property
    def any_invalid(self) -> bool:
        """Return whether a value was not of its column's kind."""
        return any(
            builder.unread or any(counts.invalid for counts in builder.profile.fields.values())
            for builder in self.made.values()
        )

    def chosen(self, batch: Batch) -> list[Chosen]:
        """Return who takes which rows of a batch; nobody takes those without a baseline."""
        chosen = []
        for version, selection in batch.versions.items():
            if (grid := self._grids.get(version)) is not None:
                builder = self._builder(version)
                chosen.append(Chosen(builder, grid, self._names[version], selection))
        return chosen

    def add_duplicates(self, logged: Batch, batch: Batch) -> None:
        """Count, version by version, the rows of a batch that another row stands for."""
        for version, selection in logged.versions.items():
            left = batch.versions.get(version)
            lost = selection.rows - (0 if left is None else left.rows)
            if lost and version in self._grids:
                self._builder(version).add_duplicates(lost)

    def _builder(self, version: str) -> ProfileBuilder:
        if version not in self.made:
            self.made[version] = ProfileBuilder(self._grids[version])
        return self.made[version]


def _names_by_column(grid: Grid) -> Mapping[str, Sequence[str]]:
    names: dict[str, list[str]] = {}
    for name, column in grid.columns.items():
        names.setdefault(column, []).append(name)
    return names


def divide(log: Columns, batch: Batch, chosen: list[Chosen]) -> Mapping[str, Any]:
    """Tell the profiles which slices the chosen rows are in; return the columns that were read."""
    together = {column for part in chosen for column in _dividing_columns(part.grid)}
    held = {column: log.column(batch.chunk, column) for column in sorted(together)}
    for part in chosen:
        selected = {name: part.selection.of(held[name]) for name in _dividing_columns(part.grid)}
        part.builder.divide(selected, part.selection.rows)
    return held


def _dividing_columns(grid: Grid) -> set[str]:
    return {column for segment in grid.segments for column in segment.columns}


def fill_outcomes(
    counted: Counted, log: Columns, batch: Batch, chosen: list[Chosen], brought: Joined
) -> Mapping[str, Any]:
    """Give the chosen rows' outcomes to their profiles; return the columns that were read."""
    together = {column for part in chosen for column in _outcome_columns(part.grid)}
    held = {column: log.column(batch.chunk, column) for column in sorted(together)}
    for part in chosen:
        selection, grid = part.selection, part.grid
        part.builder.add_rows(
            selection.rows, from_micros(selection.first), from_micros(selection.last)
        )
        label = selection.of(
            held.get("" if grid.label is None else grid.label.column)
            if brought.label is None
            else brought.label
        )
        counted.unmapped_labels.add(unmapped_labels(grid.label, label, grid.classes))
        part.builder.add_outcomes(
            selection.rows,
            {item.name: selection.of(brought.axis(item, held)) for item in grid.axes},
            selection.of(held.get("" if grid.decision is None else grid.decision.column)),
            label,
            selection.of(held.get(grid.columns.get(grid.score, ""))),
            classes=None if grid.classes is None else _class_columns(grid.classes, held, selection),
        )
    return held


def fill_fields(
    log: Columns,
    batch: Batch,
    chosen: list[Chosen],
    held: Mapping[str, Any],
    columns: Sequence[str],
) -> None:
    """Give the chosen rows of some columns to their profiles, column by column.

    Args:
        log: The file.
        batch: The rows.
        chosen: Which of them each profile takes.
        held: Columns that have been read already.
        columns: The columns that are meant.
    """
    for column in columns:
        takers = [part for part in chosen if column in part.names]
        if not takers:
            continue
        values = held[column] if column in held else log.column(batch.chunk, column)
        for part in takers:
            selected, rows = part.selection.of(values), part.selection.rows
            names = part.names[column]
            for name in names:
                if name not in part.grid.derived:
                    part.builder.add_field(name, selected, rows)
            if parts := [name for name in names if name in part.grid.derived]:
                part.builder.add_parts(parts, selected, rows, part.selection.times(batch.micros))


def bring_scores(chosen: list[Chosen], meeting: Meeting, batch: int) -> None:
    """Bring to the others what the fields of a batch showed of each of its rows."""
    meeting.bring(batch, [part.builder.take_scores() for part in chosen])


def count_pairs(waiting: dict[int, list[Chosen]], meeting: Meeting, batches: int = 0) -> None:
    """Count the fields of batches in pairs, once all that read some of them have come so far.

    Args:
        waiting: The batches that were not counted in pairs, by number; those that now were are
            taken out.
        meeting: Where their scores are brought.
        batches: Wait for so many of them.
    """
    for batch, found in meeting.take(batches):
        for part, scores in zip(waiting.pop(batch), found, strict=True):
            part.builder.add_pairs(scores, part.selection.rows)


def _class_columns(classes: Classes, held: Mapping[str, Any], selection: Selection) -> ClassColumns:
    return ClassColumns(
        selection.of(held[classes.column]),
        [selection.of(held[column]) for column in classes.probabilities],
    )


def _outcome_columns(grid: Grid) -> set[str]:
    columns = {axis.column for axis in grid.axes if not axis.protected}
    if grid.decision is not None:
        columns.add(grid.decision.column)
    if grid.label is not None:
        columns.add(grid.label.column)
    if grid.score:
        columns.add(grid.columns[grid.score])
    if grid.classes is not None:
        columns.update((grid.classes.column, *grid.classes.probabilities))
    return columns
