"""Arrow columns to counts: one exact pass, batch by batch, column by column."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from monitor.domain.field import Decision, Label
from monitor.profile.counts import (
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    CategoricalCounts,
    NumericCounts,
)
from monitor.profile.grid import (
    AttributeGrid,
    BoolArray,
    CategoricalGrid,
    FloatArray,
    Grid,
    IntArray,
    NumericGrid,
)
from monitor.profile.profile import Profile
from monitor.profile.values import (
    boolean_text,
    canonical_text,
    encoded,
    is_nested,
    one_array,
    outcome_text,
)

Column = Any
"""A pyarrow Array or ChunkedArray; pyarrow ships no types."""


class ProfileBuilder:
    """Counts batches of rows into one profile.

    A batch is announced by `add_rows`, then given field by field (`add_field`) and once as
    outcomes (`add_outcomes`). The result does not depend on how rows were batched.

    Attributes:
        profile: What has been counted.
        unread: Values of decisions, labels and binned attributes that are not of their column's
            kind, by column. The profile has their rows as unknown.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.profile = Profile.empty(grid)
        self.unread: Counter[str] = Counter()

    def add_rows(self, rows: int, first: datetime | None, last: datetime | None) -> None:
        """Count rows and the span of their event times."""
        self.profile.rows += rows
        self.profile._widen(first, last)  # noqa: SLF001  # builder and profile are one concern

    def add_field(self, name: str, column: Column | None, rows: int) -> None:
        """Count one field of a batch.

        Args:
            name: Name of the field in the grid.
            column: Its values; None when the file does not have the column.
            rows: Rows of the batch.
        """
        counts = self.profile.fields[name]
        if column is None:
            counts.absent += rows
            return
        match counts, self._grid.fields[name]:
            case NumericCounts(), NumericGrid() as grid:
                count_numbers(counts, grid, column)
            case CategoricalCounts(), CategoricalGrid() as grid:
                count_values(counts, grid, column, boolean=name in self._grid.booleans)
            case _:
                raise ValueError(f"field {name} is counted as another kind than its grid's")

    def add_outcomes(
        self,
        rows: int,
        attributes: Mapping[str, Column | None],
        decision: Column | None,
        label: Column | None,
        score: Column | None = None,
    ) -> None:
        """Count group × decision × label, and the score by label, of one batch.

        Args:
            rows: Rows of the batch.
            attributes: Attribute name to its column; None where the file does not have it.
            decision: The decision column; None when there is none.
            label: The label column (joined already); None when there is none.
            score: The score column; None when there is none.
        """
        table = self.profile.outcomes
        code = np.zeros(rows, np.int64)
        for grid in self._grid.attributes:
            column = attributes.get(grid.name)
            groups, strays = group_codes(grid, column, rows)
            table.unmapped[grid.name].add(strays)
            if column is not None and (grid.bins or is_nested(column)):
                self._note_unread(grid.column, groups == grid.unknown, column)
            code = code * grid.size + groups
        decisions = decision_codes(self._grid.decision, decision, rows)
        if self._grid.decision is not None and decision is not None:
            self._note_unread(self._grid.decision.column, decisions == UNKNOWN, decision)
        labels = label_codes(self._grid.label, label, rows)
        if self._grid.label is not None and self._grid.label.positive and label is not None:
            self._note_unread(self._grid.label.column, labels == UNKNOWN, label)
        code = (code * 3 + decisions) * 3 + labels
        cells, counts = np.unique(code, return_counts=True)
        table.add(cells, counts.astype(np.int64))
        grid_of_score = self._grid.fields.get(self._grid.score)
        if score is not None and isinstance(grid_of_score, NumericGrid):
            self._add_score(grid_of_score, score, labels)

    def _note_unread(self, name: str, unknown: BoolArray, column: Column) -> None:
        """Count the values that are there and tell nothing."""
        if unknown.any():
            there = one_array(column).is_valid().to_numpy(zero_copy_only=False)
            numbers, usable, _ = to_numbers(column)
            self.unread[name] += int((unknown & there & ~(usable & np.isnan(numbers))).sum())

    def _add_score(self, grid: NumericGrid, score: Column, labels: IntArray) -> None:
        numbers, usable, _ = to_numbers(score)
        finite = usable & np.isfinite(numbers)
        for row, wanted in enumerate((NEGATIVE, POSITIVE)):
            chosen = np.sort(numbers[finite & (labels == wanted)])
            cut = np.searchsorted(chosen, grid.edges, side="left")
            self.profile.score_by_label[row] += np.diff(cut, prepend=0, append=len(chosen))


def to_numbers(column: Column) -> tuple[FloatArray, np.ndarray[Any, np.dtype[np.bool_]], int]:
    """Return a column as doubles.

    Integers, floats of any width, decimals and booleans are numbers; every other type is not.

    Returns:
        Numbers (NaN where there is none), whether each row holds a number or NaN of its own, and
        the count of rows that hold a value that is no number.
    """
    column = one_array(column)
    rows = len(column)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (numeric or pa.types.is_boolean(kind)):
        # Not decoded first: a few bytes of codes may stand for gigabytes of text.
        return np.full(rows, np.nan), np.zeros(rows, np.bool_), rows - column.null_count
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count:
        usable = column.is_valid().to_numpy(zero_copy_only=False)
        column = column.cast(pa.float64(), safe=False) if not pa.types.is_float64(kind) else column
        return column.to_numpy(zero_copy_only=False), usable, 0
    if not pa.types.is_float64(kind):
        column = column.cast(pa.float64(), safe=False)
    return column.to_numpy(zero_copy_only=False), np.ones(rows, np.bool_), 0


def count_numbers(counts: NumericCounts, grid: NumericGrid, column: Column) -> None:
    """Sort a batch, cut it at the grid's edges, and add what lies between the cuts.

    Sorting the batch and searching the few edges in it is about ten times cheaper than searching
    each value among the edges, because the sort is vectorised.
    """
    numbers, usable, invalid = to_numbers(column)
    counts.invalid += invalid
    counts.null += len(numbers) - int(usable.sum()) - invalid
    ordered = np.sort(numbers if usable.all() else numbers[usable])
    # NaN sorts last, the infinities at the ends of the numbers.
    numbers_end = int(np.searchsorted(ordered, np.nan, side="left"))
    counts.nan += len(ordered) - numbers_end
    begin = int(np.searchsorted(ordered[:numbers_end], -np.inf, side="right"))
    end = int(np.searchsorted(ordered[:numbers_end], np.inf, side="left"))
    counts.negative_infinite += begin
    counts.positive_infinite += numbers_end - end
    finite = ordered[begin:end]
    if not len(finite):
        return
    cut = np.searchsorted(finite, grid.edges, side="left")
    cells = np.diff(cut, prepend=0, append=len(finite))
    counts.cells += cells
    # Values near the largest double may overflow; the sums then say so by being infinite, and the
    # measures that need them answer with a reason instead of a number.
    with np.errstate(over="ignore", invalid="ignore"):
        standard = (finite - grid.center) / grid.scale
        filled = np.flatnonzero(cells)
        starts = np.concatenate([[0], cut])[filled]
        # reduceat would return an element, not zero, for an empty cell: filled cells only.
        counts.sums[filled] += np.add.reduceat(standard, starts)
        # Not np.dot: BLAS would wake a thread for each core for a sum that takes microseconds.
        counts.squares += float(np.square(standard, out=standard).sum())
    zero = np.searchsorted(finite, 0.0, side="left")
    counts.negatives += int(zero)
    counts.zeros += int(np.searchsorted(finite, 0.0, side="right") - zero)
    # Adding zero makes -0.0 into 0.0: which of them sorts first depends on the batch.
    counts.low = min(counts.low, float(finite[0]) + 0.0)
    counts.high = max(counts.high, float(finite[-1]) + 0.0)


def count_values(
    counts: CategoricalCounts, grid: CategoricalGrid, column: Column, *, boolean: bool
) -> None:
    """Map the batch's distinct values to the baseline's and add their rows."""
    if is_nested(column):
        counts.null += column.null_count
        counts.invalid += len(column) - column.null_count
        return
    indices, values = encoded(column)
    rows = np.bincount(indices + 1, minlength=len(values) + 1)
    counts.null += int(rows[0])
    write = boolean_text if boolean else canonical_text
    strays: list[tuple[str, int]] = []
    for value, count in zip(values, rows[1:].tolist(), strict=True):
        if not count:  # a dictionary may list values that no row holds
            continue
        text = write(value)
        if text is None:
            if boolean and canonical_text(value) is not None:
                counts.invalid += count
            else:
                counts.null += count
        elif (code := grid.codes.get(text)) is not None:
            counts.values[code] += count
        elif grid.complete:
            strays.append((text, count))
        else:
            counts.other += count
    counts.unseen.add(strays)


def group_codes(
    grid: AttributeGrid, column: Column | None, rows: int
) -> tuple[IntArray, list[tuple[str, int]]]:
    """Return each row's group code, and the unregistered values with their rows."""
    if column is None:
        return np.full(rows, grid.unknown, np.int64), []
    if grid.bins:
        numbers, usable, _ = to_numbers(column)
        known = usable & ~np.isnan(numbers)
        binned = np.searchsorted(np.asarray(grid.bins), numbers, side="right")
        return np.where(known, binned, grid.unknown).astype(np.int64), []
    indices, values = encoded(column)
    codes = np.full(len(values) + 1, grid.unknown, np.int64)  # the last is for null (-1)
    strays: dict[int, str] = {}
    for place, value in enumerate(values):
        text = canonical_text(value)
        if text is None or text in grid.unknown_values:
            continue
        codes[place] = grid.values.get(text, grid.unmapped)
        if codes[place] == grid.unmapped:
            strays[place] = text
    if not strays:
        return codes[indices], []
    counts = np.bincount(indices + 1, minlength=len(values) + 1)[1:]
    return codes[indices], [
        (text, int(counts[place])) for place, text in strays.items() if counts[place]
    ]


def decision_codes(decision: Decision | None, column: Column | None, rows: int) -> IntArray:
    """Return `POSITIVE`, `NEGATIVE` or `UNKNOWN` for each row's decision."""
    if decision is None or column is None:
        return np.full(rows, UNKNOWN, np.int64)
    if decision.at_least is not None:
        numbers, usable, _ = to_numbers(column)
        known = usable & ~np.isnan(numbers)
        codes = np.where(numbers >= decision.at_least, POSITIVE, NEGATIVE)
        return np.where(known, codes, UNKNOWN).astype(np.int64)
    return _binary_codes(decision.positive, decision.negative, column)


def label_codes(label: Label | None, column: Column | None, rows: int) -> IntArray:
    """Return `POSITIVE`, `NEGATIVE` or `UNKNOWN` for each row's label."""
    if label is None or column is None or not label.positive:
        return np.full(rows, UNKNOWN, np.int64)
    return _binary_codes(label.positive, label.negative, column)


def _binary_codes(positive: tuple[str, ...], negative: tuple[str, ...], column: Column) -> IntArray:
    write = outcome_text((*positive, *negative))
    indices, values = encoded(column)
    codes = np.full(len(values) + 1, UNKNOWN, np.int64)  # the last is for null (-1)
    for place, value in enumerate(values):
        text = write(value)
        if text is None:
            continue
        if text in positive:
            codes[place] = POSITIVE
        elif not negative or text in negative:
            codes[place] = NEGATIVE
    return codes[indices]
