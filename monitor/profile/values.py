"""How a value of any column type is written, so that 1, 1.0 and "1" are one category."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isnan
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitor.domain.naming import number_text
from monitor.profile.adding import rows_at
from monitor.profile.buffers import integers, stored, valid
from monitor.profile.grid import IntArray

_BOOLEANS = frozenset({"true", "false"})
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})

_COMPARED = 10
"""Codes of so many values are counted value by value, each in a pass of its own over bytes."""

_FEW = 256
"""Integers within such a span are told apart by their distance from the least, not by hashing."""


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
            return None if isnan(number) else number_text(number)
        case Decimal():
            return _decimal_text(value) if value.is_finite() else None
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case _:
            return str(value)


def _decimal_text(number: Decimal) -> str:
    """Return the text of a decimal: that of a double while it is the same number, else its own."""
    if number == number.to_integral_value():
        return str(int(number))
    text = number_text(float(number))
    return text if Decimal(text) == number else format(number.normalize(), "f")


def canonical_texts(values: Sequence[Any], *, boolean: bool = False) -> list[str | None]:
    """Return the texts of many values, or what they mean as booleans."""
    if boolean:
        return [boolean_text(value) for value in values]
    # There may be thousands of texts in each batch, and a text is itself.
    return [value if type(value) is str else canonical_text(value) for value in values]


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


def number_only(value: Any) -> str | None:
    """Return the text of a value that is a number, or a boolean as one; else None."""
    text = canonical_text(value)
    if text in _BOOLEANS:
        return "1" if text == "true" else "0"
    if text is None or not _NUMBER.fullmatch(text):
        return None
    return text if "." not in text and "e" not in text.lower() else number_text(float(text))


def number_of(text: str) -> float | None:
    """Return the number that a canonical text spells; None for any other text."""
    return float(text) if _NUMBER.fullmatch(text) else None


def outcome_text(declared: Collection[str]) -> Callable[[Any], str | None]:
    """Return how values of a decision or a label are read, by what was declared of them.

    Where they are declared by booleans or by numbers, a text that is neither is of another type,
    and not one of "all other values".

    Args:
        declared: Canonical texts of the declared values.
    """
    if _BOOLEANS.issuperset(declared):
        return boolean_text
    return number_only if all(map(_NUMBER.fullmatch, declared)) else canonical_text


def one_array(column: Any) -> Any:
    """Return a pyarrow Array or ChunkedArray as one array of its storage type."""
    if isinstance(column, pa.ChunkedArray):
        if pa.types.is_dictionary(column.type):
            column = _unified(column)
        # Arrow copies one chunk as well when it is told to combine them.
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def is_nested(column: Any) -> bool:
    """Return whether a column holds lists, structs or maps, which are no single value."""
    return bool(pa.types.is_nested(column.type))


def encoded(column: Any) -> tuple[IntArray, list[Any]]:
    """Return each row's index into a list of values, -1 for null.

    Lists, structs and maps have no one text that names them: their rows are -1 as well.

    Args:
        column: A pyarrow Array or ChunkedArray of any type, dictionary-encoded or not.

    Returns:
        Indices, shape (rows,), and the Python values they point to, None where null is among them.
    """
    column = one_array(column)
    if pa.types.is_null(column.type) or is_nested(column):
        return np.full(len(column), -1, np.int64), []
    if pa.types.is_integer(column.type) and (few := _few_integers(column)) is not None:
        return few
    if pa.types.is_float16(column.type):  # which older Arrows cannot encode: by their bits
        bits = column.view(pa.uint16()).dictionary_encode()
        halves = bits.dictionary.view(pa.float16())
        column = pa.DictionaryArray.from_arrays(bits.indices, halves)
    elif not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return integers(column.indices, -1), _python_values(column.dictionary)


def rows_by_value(column: Any) -> tuple[list[Any], IntArray, int]:
    """Return the values of a column, the rows of each, and the rows that are null.

    A value may be listed without any row, and None among them.
    """
    column = one_array(column)
    if pa.types.is_boolean(column.type):
        known, true = len(column) - column.null_count, column.true_count
        return [False, True], np.array([known - true, true]), column.null_count
    if pa.types.is_dictionary(column.type):
        values = _python_values(column.dictionary)
        return values, rows_of_codes(column.indices, len(values)), column.null_count
    indices, values = encoded(column)
    return values, *rows_of(indices, len(values))


def rows_of(indices: IntArray, values: int) -> tuple[IntArray, int]:
    """Return the rows of each of so many values, and those whose index is -1."""
    rows = rows_at(indices + 1, values + 1)
    return rows[1:], int(rows[0])


def rows_of_codes(codes: Any, values: int) -> IntArray:
    """Return the rows of each of so many values.

    Args:
        codes: A pyarrow Array of integers below ``values``, or null.
        values: How many there are.
    """
    there = stored(codes)
    if values > _COMPARED:
        there = there[valid(codes)] if codes.null_count else there
        return rows_at(there.astype(np.intp, copy=False), values)
    there = there.astype(np.uint8)
    rows = _compared(there, values)
    return rows - _compared(there[~valid(codes)], values) if codes.null_count else rows


def _compared(codes: NDArray[np.uint8], values: int) -> IntArray:
    return np.array([np.count_nonzero(codes == value) for value in range(values)], np.int64)


def _few_integers(column: Any) -> tuple[IntArray, list[Any]] | None:
    """Return indices and values of integers that lie close together; None when they do not."""
    if column.null_count or not len(column):
        return None
    numbers = stored(column)
    low, high = int(numbers.min()), int(numbers.max())
    if high - low >= _FEW:
        return None
    if numbers.dtype != np.uint64:  # whose largest do not fit; the others' differences may not
        numbers = numbers.astype(np.int64)
    indices = (numbers - numbers.min()).astype(np.int64, copy=False)
    return indices, list(range(low, high + 1))


def _unified(column: Any) -> Any:
    if any(chunk.dictionary.null_count for chunk in column.chunks):
        # Arrow does not unify dictionaries that list null as a value.
        decoded = [chunk.dictionary_decode() for chunk in column.chunks]
        return pa.chunked_array(decoded, column.type.value_type)
    return column.unify_dictionaries()


def _python_values(dictionary: Any) -> list[Any]:
    kind = dictionary.type
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # The shortest text of a single is 0.1, not that of the double nearest to it.
        return [None if value is None else float(str(value)) for value in _singles(dictionary)]
    if pa.types.is_temporal(kind):
        try:
            return list(dictionary.to_pylist())
        except (ValueError, OverflowError):  # the text of the others must not depend on that
            return [_python_time(dictionary, place) for place in range(len(dictionary))]
    return list(dictionary.to_pylist())


def _python_time(times: Any, place: int) -> Any:
    """Return one of some times, or its text where it is beyond what Python's calendar holds."""
    try:
        return times[place].as_py()
    except (ValueError, OverflowError):
        return times.slice(place, 1).cast(pa.string())[0].as_py()


def _singles(dictionary: Any) -> list[Any]:
    numbers, there = stored(dictionary), valid(dictionary)
    return [number if known else None for number, known in zip(numbers, there, strict=True)]
