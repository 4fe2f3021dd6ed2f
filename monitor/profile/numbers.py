"""Columns of any type as numbers."""

from typing import Any

import numpy as np
import pyarrow as pa

from monitor.profile.buffers import doubles
from monitor.profile.grid import FloatArray
from monitor.profile.values import one_array

Column = Any
"""A pyarrow Array or ChunkedArray; pyarrow ships no types."""

BLOCK_ROWS = 32_768
"""Numbers are counted so many at a time: they and what is made of them stay in a core's cache, and
a naive sum over them keeps the twelve digits that are promised."""


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


def _value_type(column: Column) -> Any:
    return column.type.value_type if pa.types.is_dictionary(column.type) else column.type


def _is_numeric(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )
