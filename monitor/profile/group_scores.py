"""Scores and their errors by group: what calibration, ranking and error of each group are taken from."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from monitor.profile.adding import Places, rows_at, sums_at
from monitor.profile.cells import Room
from monitor.profile.counts import POSITIVE, UNKNOWN
from monitor.profile.grid import FloatArray, IntArray, NumericGrid
from monitor.profile.numbers import BLOCK_ROWS

MOST_ENTRIES = 2**16
"""Cells with rows that are kept, some 150 kB as bytes: above, neighbouring cells of the score are put
together in pairs."""

HELD_ROWS = 2**19
"""Rows that wait to be counted together: sorting them batch by batch would cost several times as much."""

_WAITING = 8 * MOST_ENTRIES
"""Cells with rows that wait to be added together, 8 MB."""

_SPARSE = 4
"""Cells for each of those that have rows up to which all are added up in one table: with fewer that
have some, sorting them costs less."""

_MOST_CELLS = 2**21
"""Cells of the largest such table, 16 MB."""

Entries = tuple[int, IntArray, IntArray]
"""A level, sorted codes at that level, and the rows of each."""

COUNTS = ("rows", "error_rows")
SUMS = ("score", "score_squared", "error", "absolute", "squared", "fourth")
"""Names of the moments, in the order in which they are kept."""


def empty_codes() -> IntArray:
    """Return no codes."""
    return np.zeros(0, np.int64)


class GroupScores(Struct):
    """Rows with a finite score by group of each attribute × decision × label × cell of the score.

    The table is sparse. Once more than `MOST_ENTRIES` of its cells have rows, cells of the score are put
    together two by two, so that in the end each holds ``2 ** level`` of the grid's. The level is the
    lowest at which so many suffice for all rows; no part of the rows needs a higher one, so it does not
    depend on the order in which parts are merged.

    Moments are sums of the standardised score, ``(score - center) / scale`` with those of the score's
    grid, and of errors: ``score - y`` with y 0 or 1 where the label has two classes and the score is a
    probability, ``(score - label) / scale`` where the label is a number.

    Attributes:
        attributes: Names of the attributes, one axis each.
        sizes: Sizes of their axes.
        cells: Cells of the score's grid.
        groups: shape (combinations,), sorted codes of groups × label that have moments.
        counts: shape (combinations, 2), rows in `COUNTS`.
        sums: shape (combinations, 6), `SUMS`.
    """

    attributes: tuple[str, ...]
    sizes: tuple[int, ...]
    cells: int
    _level: int = 0
    _codes: IntArray = field(default_factory=empty_codes)
    _rows: IntArray = field(default_factory=empty_codes)
    groups: IntArray = field(default_factory=empty_codes)
    counts: IntArray = field(default_factory=lambda: np.zeros((0, len(COUNTS)), np.int64))
    sums: FloatArray = field(default_factory=lambda: np.zeros((0, len(SUMS))))
    _held: list[NDArray[Any]] = field(default_factory=list)
    _merged: list[Entries] = field(default_factory=list)

    @property
    def level(self) -> int:
        """Return how many times neighbouring cells of the score were put together."""
        self.settle()
        return self._level

    @property
    def codes(self) -> IntArray:
        """Return the sorted mixed-radix codes of the cells with rows, shape (entries,)."""
        self.settle()
        return self._codes

    @property
    def rows(self) -> IntArray:
        """Return the rows of each of `codes`, shape (entries,)."""
        self.settle()
        return self._rows

    @property
    def width(self) -> int:
        """Return the number of the score's cells at the present level."""
        return _width(self.cells, self.level)

    def add(self, groups: IntArray, outcomes: IntArray, cells: IntArray) -> None:
        """Count rows.

        Args:
            groups: shape (rows,), mixed-radix codes over the attributes.
            outcomes: shape (rows,), decision × 3 + label.
            cells: shape (rows,), cells of the score's grid.
        """
        codes = groups * 9
        codes += outcomes
        codes *= self.cells
        codes += cells
        small = prod(self.sizes) * 9 * self.cells <= np.iinfo(np.int32).max
        self._held.append(codes.astype(np.int32) if small else codes)
        if sum(map(len, self._held)) >= HELD_ROWS:
            self.settle()

    def add_scores(self, groups: IntArray, labels: IntArray, standard: FloatArray) -> None:
        """Add the standardised scores of rows, shape (rows,), by group and label."""
        with np.errstate(over="ignore", invalid="ignore"):  # as for the score's own sums
            powers = {"score": standard, "score_squared": np.square(standard)}
        self._add_moments(groups * 3 + labels, "rows", powers)

    def add_chances(self, groups: IntArray, labels: IntArray, scores: FloatArray) -> None:
        """Add the errors of scores, shape (rows,), as chances of the positive label where it is known."""
        known = (labels != UNKNOWN) & (scores >= 0) & (scores <= 1)
        if not known.all():
            groups, labels, scores = groups[known], labels[known], scores[known]
        self._add_errors(groups * 3 + labels, scores - (labels == POSITIVE))

    def add_numbers(self, groups: IntArray, errors: FloatArray) -> None:
        """Add the errors, shape (rows,), of scores of rows whose label is a finite number."""
        self._add_errors(groups * 3 + UNKNOWN, errors)

    def settle(self) -> None:
        """Count the rows that wait, and what was merged."""
        if self._held:
            codes = np.concatenate(self._held)
            self._held = []
            codes = _sorted(codes)
            ends = _ends(codes)
            rows = np.diff(ends, prepend=-1)
            self._merged.append((0, codes[ends].astype(np.int64, copy=False), rows))
        if self._merged:
            merged, self._merged = self._merged, []
            self._add_entries(merged)

    def merge(self, other: "GroupScores") -> None:
        """Add another window's on the same grid."""
        self._merged.append((other.level, other.codes, other.rows))
        self._add_sums(other.groups, other.counts, other.sums)
        if sum(len(codes) for _, codes, _ in self._merged) >= _WAITING:
            self.settle()

    def margin(self, *attributes: str) -> IntArray:
        """Return rows by some attributes, decision, label and cell of the score.

        Args:
            attributes: Names of the attributes to keep, in the order wanted.

        Returns:
            shape (size of each attribute …, 3 decisions, 3 labels, `width`).
        """
        shape = (*self.sizes, 3, 3, self.width)
        axes = [self.attributes.index(name) for name in attributes]
        axes += range(len(self.sizes), len(shape))
        dense: IntArray = _dense(self.codes, self.rows, shape, axes)
        return dense

    def rows_of(self, attributes: Sequence[str], groups: IntArray, size: int) -> IntArray:
        """Return rows by group, decision, label and cell of the score.

        What it takes grows with the groups, not with what the attributes' could be combined to.

        Args:
            attributes: Names of the attributes.
            groups: shape (combinations,), the group of each combination of theirs, in the order of
                their codes.
            size: How many groups there are.

        Returns:
            shape (size, 3 decisions, 3 labels, `width`).
        """
        within = 9 * self.width
        combined, cells = np.divmod(self.codes, within)
        places = np.unravel_index(combined, self.sizes)
        axes = [self.attributes.index(name) for name in attributes]
        kept = tuple(self.sizes[axis] for axis in axes)
        codes = np.ravel_multi_index(tuple(places[axis] for axis in axes), kept)
        rows = np.zeros(size * within, np.int64)
        np.add.at(rows, groups[codes] * within + cells, self.rows)
        return rows.reshape(size, 3, 3, self.width)

    def moments(self, *attributes: str) -> Mapping[str, Any]:
        """Return counts and sums by some attributes and label, by name.

        Args:
            attributes: Names of the attributes to keep, in the order wanted.

        Returns:
            `COUNTS` as integers and `SUMS` as doubles, each of shape (size of each attribute …,
            3 labels). Errors of numeric labels are all under the unknown label.
        """
        shape = (*self.sizes, 3)
        axes = [*(self.attributes.index(name) for name in attributes), len(self.sizes)]
        parts = [*zip(COUNTS, self.counts.T, strict=True), *zip(SUMS, self.sums.T, strict=True)]
        return {name: _dense(self.groups, values, shape, axes) for name, values in parts}

    def _add_errors(self, codes: IntArray, errors: FloatArray) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(errors)
            powers = {
                "error": errors,
                "absolute": np.abs(errors),
                "squared": squares,
                "fourth": np.square(squares),
            }
        self._add_moments(codes, "error_rows", powers)

    def _add_moments(self, codes: IntArray, count: str, powers: Mapping[str, FloatArray]) -> None:
        if not len(codes):
            return
        combinations = prod(self.sizes) * 3  # not to be made where there are more than rows
        if combinations > len(codes):
            distinct, places = np.unique(codes, return_inverse=True)
        else:
            distinct, places = np.arange(combinations), codes
        counts = np.zeros((len(distinct), len(COUNTS)), np.int64)
        sums = np.zeros((len(distinct), len(SUMS)))
        counts[:, COUNTS.index(count)] = rows_at(places, len(distinct))
        with np.errstate(over="ignore", invalid="ignore"):
            for name, values in powers.items():
                sums[:, SUMS.index(name)] = sums_at(places, values, len(distinct))
        there = counts.any(axis=1)
        self._add_sums(distinct[there], counts[there], sums[there])

    def _add_sums(self, groups: IntArray, counts: IntArray, sums: FloatArray) -> None:
        if np.array_equal(self.groups, groups):  # as of most blocks
            with np.errstate(over="ignore", invalid="ignore"):
                self.counts, self.sums = self.counts + counts, self.sums + sums
            return
        every, place = np.unique(np.concatenate([self.groups, groups]), return_inverse=True)
        self.groups = every
        with np.errstate(over="ignore", invalid="ignore"):
            self.counts = _together(place, len(every), np.concatenate([self.counts, counts]))
            self.sums = _together(place, len(every), np.concatenate([self.sums, sums]))

    def _add_entries(self, entries: list[Entries]) -> None:
        """Add rows of codes, which are sorted."""
        if len(self._codes):
            entries = [(self._level, self._codes, self._rows), *entries]
        self._level = max(self._level, *(level for level, _, _ in entries))
        runs = [(self._coarser(of, level, self._level), rows) for level, of, rows in entries]
        cells = prod(self.sizes) * 9 * _width(self.cells, self._level)
        self._codes, self._rows = _added(runs, cells)
        while len(self._codes) > MOST_ENTRIES and _width(self.cells, self._level) > 1:
            codes = self._coarser(self._codes, self._level, self._level + 1)
            self._level += 1
            self._codes, self._rows = _distinct(codes, self._rows)

    def _coarser(self, codes: IntArray, level: int, wanted: int) -> IntArray:
        if level == wanted:
            return codes
        before, cell = np.divmod(codes, _width(self.cells, level))
        coarser: IntArray = before * _width(self.cells, wanted) + (cell >> (wanted - level))
        return coarser


def _sorted(codes: NDArray[Any]) -> NDArray[Any]:
    """Return codes in their order; those of 32 bits half by half, which takes a third of the time."""
    if codes.dtype != np.int32:
        return np.sort(codes)
    by_low = codes[np.argsort(codes.astype(np.uint16), kind="stable")]
    return by_low[np.argsort((by_low >> 16).astype(np.uint16), kind="stable")]


def _added(runs: list[tuple[IntArray, IntArray]], cells: int) -> tuple[IntArray, IntArray]:
    """Return the sorted codes of all runs, of so many cells, each once, with the sum of its rows."""
    if cells <= min(_SPARSE * sum(len(codes) for codes, _ in runs), _MOST_CELLS):
        table = np.zeros(cells, np.int64)
        for codes, rows in runs:
            Places.checked(codes, cells).add_rows(rows, table)
        there = np.flatnonzero(table != 0)
        return there, table[there]
    codes, rows = (np.concatenate(parts) for parts in zip(*runs, strict=True))
    if len(runs) > 1:
        order = np.argsort(codes, kind="stable")  # which finds that these are sorted runs
        codes, rows = codes.take(order), rows.take(order)  # sooner than codes[order]
    return _distinct(codes, rows)


def _distinct(codes: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return sorted codes each once, with the sum of its rows."""
    ends = _ends(codes)
    until = np.cumsum(rows)[ends]  # sooner than np.add.reduceat
    return codes[ends], np.diff(until, prepend=0)


def _ends(codes: NDArray[Any]) -> IntArray:
    """Return the places after which a sorted array has another code, or ends."""
    return np.flatnonzero(np.concatenate([codes[1:] != codes[:-1], [True]])[: len(codes)])


def _width(cells: int, level: int) -> int:
    return ((cells - 1) >> level) + 1


def _together(place: IntArray, size: int, values: Any) -> Any:
    totals = np.zeros((size, *values.shape[1:]), values.dtype)
    np.add.at(totals, place, values)
    return totals


def _dense(codes: IntArray, values: Any, shape: tuple[int, ...], axes: list[int]) -> Any:
    places = np.unravel_index(codes, shape)
    kept = tuple(shape[axis] for axis in axes)
    flat = np.ravel_multi_index(tuple(places[axis] for axis in axes), kept)
    dense = np.zeros(prod(kept), values.dtype)
    np.add.at(dense, flat, values)
    return dense.reshape(kept)


_ROOM = Room()


class Scored(NamedTuple):
    """Rows of a batch that have a finite score; cells and standard are until the thread's next ones.

    Attributes:
        scale: Of the score's grid.
        scores: shape (rows,).
        cells: shape (rows,), the scores' cells.
        standard: shape (rows,), the scores on the scale of their grid.
        groups: shape (rows,), mixed-radix codes over the attributes.
        decisions: shape (rows,), codes of decisions.
        labels: shape (rows,), codes of labels of two classes.
        numbers: shape (rows,), numeric labels; None where the label is none.
    """

    scale: float
    scores: FloatArray
    cells: IntArray
    standard: FloatArray
    groups: IntArray
    decisions: IntArray
    labels: IntArray
    numbers: FloatArray | None

    @classmethod
    def of(  # noqa: PLR0917  # one argument an axis
        cls,
        grid: NumericGrid,
        scores: FloatArray,
        groups: IntArray,
        decisions: IntArray,
        labels: IntArray,
        numbers: FloatArray | None,
    ) -> "Scored":
        """Return those of some rows that have a finite score."""
        finite = np.isfinite(scores)
        if not finite.all():
            scores, groups = scores[finite], groups[finite]
            decisions, labels = decisions[finite], labels[finite]
            numbers = None if numbers is None else numbers[finite]
        cells, standard = grid.table.cells(scores, _ROOM)
        return cls(grid.scale, scores, cells, standard, groups, decisions, labels, numbers)


def add_group_scores(counted: GroupScores, batch: Scored) -> None:
    """Count the rows of a batch by group."""
    for begin in range(0, len(batch.scores), BLOCK_ROWS):
        rows = slice(begin, begin + BLOCK_ROWS)
        groups, labels, scores = batch.groups[rows], batch.labels[rows], batch.scores[rows]
        counted.add(groups, batch.decisions[rows] * 3 + labels, batch.cells[rows])
        counted.add_scores(groups, labels, batch.standard[rows])
        if batch.numbers is None:
            counted.add_chances(groups, labels, scores)
        else:
            numbers = batch.numbers[rows]
            known = np.isfinite(numbers)
            with np.errstate(over="ignore", invalid="ignore"):  # as for the errors of all rows
                errors = (scores[known] - numbers[known]) / batch.scale
            counted.add_numbers(groups[known], errors)
