"""The parts of a profile by the values of declared columns, counted in the same pass."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

import numpy as np
import pyarrow as pa

from monitor.domain.naming import CROSS
from monitor.domain.segment import MISSING, OTHER
from monitor.profile.adding import rows_at, sums_at
from monitor.profile.buffers import valid
from monitor.profile.counts import NumericCounts, value_name
from monitor.profile.grid import BoolArray, FloatArray, IntArray, NumericGrid, SegmentGrid
from monitor.profile.numbers import Column
from monitor.profile.values import canonical_texts, encoded, one_array

FEW_CODES = 4096
"""Combinations of values that are found without sorting the rows, however few they are."""

Values = tuple[str, ...]
"""Canonical texts of a combination of values, one for each column of a segment."""


def slice_names(grid: SegmentGrid) -> tuple[str, ...]:
    """Return the names of a segment's slices in the order of their codes, no two alike."""
    names: list[str] = []
    for name in (*(CROSS.join(map(value_name, value)) for value in grid.values), MISSING, OTHER):
        while name in names:
            name = f"({name})"  # noqa: PLW2901  # a value may be called like another one, or (other)
        names.append(name)
    return tuple(names)


def segment_codes(grid: SegmentGrid, columns: Mapping[str, Column | None], rows: int) -> IntArray:
    """Return the code of each row's slice: a registered value, missing, or other.

    Args:
        grid: The registered values.
        columns: Column of the log to its values; None where the file does not have it.
        rows: Rows of the batch.
    """
    found, places = distinct_values([columns[name] for name in grid.columns], rows)
    known = [grid.missing if item is None else grid.codes.get(item, grid.other) for item in found]
    return np.array(known, np.int64).take(places)


def distinct_values(
    columns: Sequence[Column | None], rows: int
) -> tuple[list[Values | None], IntArray]:
    """Return the combinations of values that rows have, and which of them each row has.

    Returns:
        The combinations, None where a value is missing; and for each row the index of its own.
    """
    if any(column is None for column in columns):
        return [None], np.zeros(rows, np.int64)
    joint, texts = np.zeros(rows, np.int64), []
    for column in columns:
        indices, values = encoded(column)
        texts.append([None, *canonical_texts(values)])
        joint *= len(values) + 1
        joint += indices + 1
    sizes = tuple(map(len, texts))
    if prod(sizes) <= FEW_CODES:
        return [_whole(parts) for parts in product(*texts)], joint
    codes, places = np.unique(joint, return_inverse=True)
    at = np.unravel_index(codes, sizes)
    found = [
        _whole([listed[place] for listed, place in zip(texts, of_code, strict=True)])
        for of_code in zip(*(axis.tolist() for axis in at), strict=True)
    ]
    return found, places.astype(np.int64, copy=False)


def _whole(parts: Sequence[str | None]) -> Values | None:
    known = tuple(part for part in parts if part is not None)
    return known if len(known) == len(parts) else None


class Located:
    """Numbers of a block, with the cells that the finite ones are in.

    Args:
        grid: The field's cells.
        numbers: shape (rows,).
    """

    def __init__(self, grid: NumericGrid, numbers: FloatArray) -> None:
        finite = np.isfinite(numbers)
        self.numbers = numbers
        self.finite = None if finite.all() else finite
        self.known = numbers if self.finite is None else numbers[finite]
        self.cells, self.standard = grid.table.cells(self.known)
        with np.errstate(over="ignore"):  # as for the whole
            self.squares = np.square(self.standard)
        self.negatives = np.flatnonzero(self.known < 0)
        self.zeros = np.flatnonzero(self.known == 0)


class SplitNumbers:
    """Counts the numbers of a batch for each slice of a segment, by joint codes of slice and cell.

    What it costs does not grow with the number of slices, but for adding them up once a batch.

    Args:
        grid: The field's cells.
        size: How many codes of slices there are.
    """

    def __init__(self, grid: NumericGrid, size: int) -> None:
        self._size = size
        self._cells = np.zeros((size, grid.cells), np.int64)
        self._sums = np.zeros((size, grid.cells))
        self._squares = np.zeros(size)
        self._rows = {
            name: np.zeros(size, np.int64)
            for name in ("nan", "positive_infinite", "negative_infinite", "zeros", "negatives")
        }
        self._low, self._high = np.full(size, np.inf), np.full(size, -np.inf)

    def add(self, block: Located, codes: IntArray) -> None:
        """Count a block of numbers of the slices with these codes."""
        if block.finite is not None:
            self._note("nan", codes[np.isnan(block.numbers)])
            self._note("positive_infinite", codes[block.numbers == np.inf])
            self._note("negative_infinite", codes[block.numbers == -np.inf])
            codes = codes[block.finite]
        if not len(codes):
            return
        shape = self._cells.shape
        joint = codes * shape[1]
        joint += block.cells
        counted = rows_at(joint, self._cells.size).reshape(shape)
        self._cells += counted
        with np.errstate(over="ignore", invalid="ignore"):  # as for the whole
            self._sums += sums_at(joint, block.standard, self._cells.size).reshape(shape)
            self._squares += sums_at(codes, block.squares, self._size)
        self._note("negatives", codes[block.negatives])
        self._note("zeros", codes[block.zeros])
        # A slice's extremes lie in its outermost cells, and few of its numbers do.
        filled, starts = counted > 0, np.arange(self._size) * shape[1]
        first, last = filled.argmax(axis=1), shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
        for ends, lower in ((starts + first, True), (starts + last, False)):
            outermost = np.zeros(self._cells.size, np.bool_)
            outermost[ends] = True
            rows = np.flatnonzero(outermost.take(joint))
            found = block.known[rows] + 0.0
            if lower:
                np.minimum.at(self._low, codes[rows], found)
            else:
                np.maximum.at(self._high, codes[rows], found)

    def give(self, code: int, counts: NumericCounts) -> None:
        """Add what was counted of a slice to its counts."""
        counts.cells += self._cells[code]
        with np.errstate(invalid="ignore"):
            counts.sums += self._sums[code]
            counts.squares += float(self._squares[code])
        for name, found in self._rows.items():
            setattr(counts, name, getattr(counts, name) + int(found[code]))
        counts.low = min(counts.low, float(self._low[code]))
        counts.high = max(counts.high, float(self._high[code]))

    def _note(self, name: str, codes: IntArray) -> None:
        if len(codes):
            self._rows[name] += rows_at(codes, self._size)


def null_rows(column: Column, *, decoded: bool) -> BoolArray:
    """Return which rows of a column are null.

    Args:
        column: The column.
        decoded: Whether nulls among the values of a dictionary count as well.
    """
    column = one_array(column)
    if decoded and pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return ~valid(column)
