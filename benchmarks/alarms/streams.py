"""A baseline of days and the windows after it, as rows or as counts on the frozen grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.alarms.laws import FIELDS, NOTHING, Both, Change, Law, Shift
from monitor.domain.field import Field, FieldKind
from monitor.domain.window import Window
from monitor.measures.grouping import LISTED_SHARE, decile_ends
from monitor.profile.counts import CategoricalCounts, FieldCounts, NumericCounts
from monitor.profile.draft import GridDraft
from monitor.profile.grid import CategoricalGrid, FieldGrid, Grid, NumericGrid
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.profile import Profile, merged

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
GRID_ROWS = 10_000
"""Rows that a grid is drafted from where a baseline is not drawn row by row."""

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Plan:
    """What is drawn.

    Attributes:
        rows: Rows of each judged window.
        days: Windows of the baseline.
        day_rows: Rows of each of them; None for as many as a judged window has.
        windows: Judged windows.
        noise: Standard deviation of each day's own shift, of each field by itself, in the baseline
            and in the judged windows.
        laws: The fields.
        changes: Field to what has changed in it.
        since: The judged window that it changed with.
    """

    rows: int
    days: int
    day_rows: int | None = None
    windows: int = 3
    noise: float = 0.0
    laws: tuple[Law, ...] = FIELDS
    changes: Mapping[str, Change] = field(default_factory=dict)
    since: int = 0

    @property
    def baseline_rows(self) -> int:
        """Return the rows of the whole baseline."""
        return self.days * (self.day_rows or self.rows)

    @property
    def told(self) -> str:
        """Return what it is in a few words."""
        noise = f", days differ {self.noise:g} σ" if self.noise else ""
        each = f"{self.day_rows} rows" if self.day_rows else "that"
        return f"{self.rows:,} rows, baseline {self.days} × {each}{noise}"

    @property
    def parts(self) -> range:
        """Return the numbers of the days and of the judged windows after them."""
        return range(self.days + self.windows)

    def size(self, number: int) -> int:
        """Return the rows of a day or window."""
        return self.rows if number >= self.days else self.day_rows or self.rows

    def shifts(self, rng: np.random.Generator, parts: int) -> NDArray[np.float64]:
        """Return each part's own shift of each field, shape (parts, fields)."""
        shape = (parts, len(self.laws))
        return rng.normal(0.0, self.noise, shape) if self.noise else np.zeros(shape)

    def change(self, law: Law, number: int, shift: float) -> Change:
        """Return how a field is distributed in a day or window."""
        changed = self.changes.get(law.name) if number >= self.days + self.since else None
        day = Shift(shift) if shift else NOTHING
        if changed is None:
            return day
        return Both(changed, day) if shift else changed


@dataclass(frozen=True)
class Stream:
    """A baseline's days and the windows that are held against it, profiled on one grid."""

    plan: Plan
    grid: Grid
    days: tuple[Profile, ...]
    windows: tuple[Profile, ...]


def day(number: int) -> Window:
    """Return the span of a day, the baseline's first one being number 0."""
    return Window(START + number * DAY, START + (number + 1) * DAY)


def declared(laws: Sequence[Law]) -> tuple[Field, ...]:
    """Return the fields as a policy declares them."""
    return tuple(Field(law.name, law.name, law.kind) for law in laws)


def rows_of(plan: Plan, rng: np.random.Generator) -> list[Columns]:
    """Return the rows of each day, then of each judged window."""
    return [
        {
            law.name: law.draw(rng, plan.size(number), plan.change(law, number, shift))
            for law, shift in zip(plan.laws, shifts, strict=True)
        }
        for number, shifts in zip(plan.parts, plan.shifts(rng, len(plan.parts)), strict=True)
    ]


def profiled(plan: Plan, rows: Sequence[Columns]) -> Stream:
    """Return a stream's profiles, counted by the kernel from its rows."""
    arrows = [{name: pa.array(column) for name, column in part.items()} for part in rows]
    grid = _drafted(plan.laws, arrows[: plan.days])
    profiles = []
    for number, columns in enumerate(arrows):
        builder = ProfileBuilder(grid)
        size, span = len(rows[number][plan.laws[0].name]), day(number)
        builder.add_rows(size, span.start, span.end - timedelta(seconds=1))
        for name, column in columns.items():
            builder.add_field(name, column, size)
        builder.add_outcomes(size, {}, None, None)
        profiles.append(builder.profile)
    return Stream(plan, grid, tuple(profiles[: plan.days]), tuple(profiles[plan.days :]))


def counted(plan: Plan, rng: np.random.Generator) -> Stream:
    """Return a stream's profiles without drawing its rows: multinomial counts of the cells.

    The grid is drafted from rows, at most `GRID_ROWS`, and each cell has the probability that the
    field's law gives it. Sums of values are not drawn (no deciding measure uses them).

    Raises:
        ValueError: So few rows that a value is missing from the grid.
    """
    few = min(plan.baseline_rows, GRID_ROWS)
    sample = {law.name: pa.array(law.draw(rng, few, NOTHING)) for law in plan.laws}
    grid = _drafted(plan.laws, [sample])
    profiles = counted_parts(plan, grid, rng, plan.parts)
    return Stream(plan, grid, tuple(profiles[: plan.days]), tuple(profiles[plan.days :]))


def counted_parts(
    plan: Plan, grid: Grid, rng: np.random.Generator, numbers: Sequence[int]
) -> list[Profile]:
    """Return profiles of some days or windows, counted as `counted` does."""
    profiles = [Profile.empty(grid) for _ in numbers]
    shifts = plan.shifts(rng, len(numbers))
    sizes = [plan.size(number) for number in numbers]
    for number, profile, rows in zip(numbers, profiles, sizes, strict=True):
        span = day(number)
        profile.rows = rows
        profile.first_event, profile.last_event = span.start, span.end - timedelta(seconds=1)
        profile.outcomes.add(np.array([8]), np.array([rows]))  # decision and label unknown
    for place, law in enumerate(plan.laws):
        cells = _Cells(law, grid.fields[law.name])
        chances = cells.chances(
            [
                plan.change(law, number, shift)
                for number, shift in zip(numbers, shifts[:, place], strict=True)
            ]
        )
        for profile, drawn in zip(profiles, rng.multinomial(sizes, chances), strict=True):
            profile.fields[law.name] = cells.counts(drawn)
    return profiles


def grouped_laws(stream: Stream) -> tuple[Law, ...]:
    """Return the fields with the ends of the groups that the baseline of a stream really has.

    They lie near the deciles of the field's law, not on them: the grid is drafted from a sample.
    In a million rows the difference can be seen. For streams of counts.
    """
    whole = merged(stream.days)
    return tuple(
        replace(law, ends=_ends_of_groups(law, stream.grid.fields[law.name], whole))
        for law in stream.plan.laws
    )


def _ends_of_groups(law: Law, grid: FieldGrid, whole: Profile) -> NDArray[np.float64]:
    match grid, whole.fields[law.name]:
        case NumericGrid(), NumericCounts(cells=cells) if not grid.discrete:
            deciles = grid.edges[decile_ends(cells)[:-1] - 1]
            return np.concatenate([[0.0], law.below(deciles), [1.0]])
        case CategoricalGrid(), CategoricalCounts() as counts:
            alone = int(np.sum(counts.values >= LISTED_SHARE * counts.n))  # most frequent first
            inner = law.ends[1 : alone + 1]
            return np.unique(np.concatenate([[0.0], inner, [1.0]]))
        case _:
            return law.ends


class _Cells:
    """The cells of one field's grid, and one for nulls: how likely each is, and counts of them."""

    def __init__(self, law: Law, grid: FieldGrid) -> None:
        self._law = law
        self._grid = grid
        if isinstance(grid, NumericGrid):
            self._ends = np.concatenate([[0.0], law.below(grid.edges), [1.0]])
            return
        self._ends = law.ends
        if set(grid.values) != set(law.texts):
            raise ValueError(f"the sample of {law.name} misses values: draw its rows instead")
        self._places = np.array([law.texts.index(text) for text in grid.values])

    def chances(self, changes: Sequence[Change]) -> NDArray[np.float64]:
        """Return the probability of each cell, shape (changes, cells + 1)."""
        cells = np.diff(np.stack([change.cdf(self._ends) for change in changes]))
        cells = np.maximum(cells, 0.0) * (1 - self._law.nulls)
        whole = np.concatenate([cells, np.full((len(changes), 1), self._law.nulls)], axis=1)
        return np.asarray(whole / whole.sum(axis=1, keepdims=True), np.float64)

    def counts(self, drawn: NDArray[np.int64]) -> FieldCounts:
        """Return drawn counts as a profile keeps them."""
        values, null = drawn[:-1], int(drawn[-1])
        if isinstance(self._grid, NumericGrid):
            return NumericCounts(values.copy(), np.zeros(len(values)), null=null)
        return CategoricalCounts(values[self._places], null=null)


def _drafted(laws: Sequence[Law], parts: Sequence[Mapping[str, pa.Array]]) -> Grid:
    draft = GridDraft(declared(laws), {}, None, None)
    draft.add_columns([(law.name, _logical_type(law)) for law in laws])
    for part in parts:
        for name, column in part.items():
            draft.add_field(name, column)
    return draft.grid()


def _logical_type(law: Law) -> str:
    return "string" if law.kind is FieldKind.CATEGORICAL else "double"
