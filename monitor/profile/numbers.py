"""Columns of any type as numbers."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from monitor.profile.adding import rows_at
from monitor.profile.buffers import doubles, stored, valid
from monitor.profile.comoments import NOTHING
from monitor.profile.grid import BoolArray, FloatArray, IntArray, ScoreArray
from monitor.profile.values import one_array

Column = Any
"""A pyarrow Array or ChunkedArray; pyarrow ships no types."""

BLOCK_ROWS = 32_768
"""Numbers are counted so many at a time: they and what is made of them stay in a core's cache, and
a naive sum over them keeps the twelve digits that are promised."""


_FEW = 4096
_ROWS_A_VALUE = 4
_LARGEST = 2**62  # of which the number after it can be held as well


def holds_numbers(column: Column) -> bool:
    """Return whether a column is of integers, floats of any width, or decimals."""
    return _is_numeric(_value_type(one_array(column)))


def to_numbers(column: Column) -> tuple[FloatArray, int, int]:
    """Return a column as doubles.

    Integers, floats of any width, decimals and booleans are numbers; every other type is not.

    Returns:
        Numbers, NaN where there is none; the rows that are null; and the rows that hold a value
        that is no number.
    """
    column = one_array(column)
    kind = _value_type(column)
    if not (_is_numeric(kind) or pa.types.is_boolean(kind)):
        # Not decoded first: a few bytes of codes may stand for gigabytes of text.
        null = column.null_count
        return np.full(len(column), np.nan), null, len(column) - null
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not pa.types.is_float64(kind):
        column = column.cast(pa.float64(), safe=False)
    return doubles(column), column.null_count, 0


class FewIntegers(NamedTuple):
    """A column of integers that lie close together: counted value by value, not row by row.

    Attributes:
        values: shape (values,), every whole number from the least to the largest, as doubles.
        rows: shape (values,), rows of each; those of the first and of the last are not zero.
        null: Rows that are null.
        places: shape (rows that are not null,), places among the values.
        known: shape (rows,), which rows are not null; None for all.
    """

    values: FloatArray
    rows: IntArray
    null: int
    places: IntArray
    known: BoolArray | None

    @classmethod
    def of(cls, column: Column) -> "FewIntegers | None":
        """Return a column's integers; None when they are many, of another type, or nowhere."""
        column = one_array(column)
        if not pa.types.is_integer(column.type) or column.null_count == len(column):
            return None
        known = valid(column) if column.null_count else None
        numbers = stored(column) if known is None else stored(column)[known]
        low, high = int(numbers.min()), int(numbers.max())
        if high - low >= min(_FEW, len(numbers) // _ROWS_A_VALUE) or high > _LARGEST:
            return None
        places = np.subtract(numbers, low, dtype=np.int64, casting="unsafe")
        rows = rows_at(places, high - low + 1)
        values = np.arange(low, high + 1).astype(np.float64)
        return cls(values, rows, column.null_count, places, known)

    def write(self, by_value: ScoreArray, rows: ScoreArray) -> None:
        """Write what each value stands for to the rows that hold it, and `NOTHING` to the others."""
        if self.known is None:
            rows[:] = by_value.take(self.places)
        else:
            rows.fill(NOTHING)
            rows[self.known] = by_value.take(self.places)


def _value_type(column: Column) -> Any:
    return column.type.value_type if pa.types.is_dictionary(column.type) else column.type


def _is_numeric(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )
