"""How a value of any column type is written, so that 1, 1.0 and "1" are one category."""

from datetime import date, datetime, time
from decimal import Decimal
from math import isnan
from typing import Any

import numpy as np
import pyarrow as pa

from monitor.profile.grid import IntArray

_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


def canonical_text(value: Any) -> str | None:  # noqa: PLR0911  # one return a type
    """Return the one text of a value, or None for null and NaN.

    Booleans are ``true`` and ``false``, whole floats lose their ``.0``, times are ISO 8601, bytes
    are read as UTF-8 with undecodable ones escaped. Text is kept letter for letter: case and
    blanks tell categories apart, and ``"nan"`` is a text, not a null.
    """
    match value:
        case None:
            return None
        case bool() | np.bool_():
            return "true" if value else "false"
        case float() | np.floating():
            number = float(value)
            if isnan(number):
                return None
            whole = number.is_integer() and abs(number) < 2**63
            return str(int(number)) if whole else repr(number)
        case Decimal():
            return canonical_text(float(value)) if value.is_finite() else None
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case _:
            return str(value)


def boolean_text(value: Any) -> str | None:
    """Return ``true`` or ``false`` for what can only mean that, else None.

    Accepts booleans, the numbers 0 and 1, and those words or digits as text.
    """
    text = canonical_text(value)
    if text is None:
        return None
    lowered = text.lower()
    if lowered in _TRUE:
        return "true"
    return "false" if lowered in _FALSE else None


def encoded(column: Any) -> tuple[IntArray, list[Any]]:
    """Return each row's index into the list of distinct values, -1 for null.

    Args:
        column: A pyarrow Array or ChunkedArray of any type, dictionary-encoded or not.

    Returns:
        Indices, shape (rows,), and the distinct Python values they point to.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # combine_chunks keeps an empty one chunked
            column = pa.array([], column.type)
    if pa.types.is_null(column.type):
        return np.full(len(column), -1, np.int64), []
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    indices = column.indices.cast(pa.int64())
    filled = indices.fill_null(-1) if indices.null_count else indices
    return filled.to_numpy(zero_copy_only=False), column.dictionary.to_pylist()
