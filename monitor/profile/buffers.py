"""Arrow's arrays as numpy's and back, by the memory that they lie in.

Arrow's own conversions load pandas where it is installed: a quarter of a second and 40 MB of memory,
of which a pass over a log has no use.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_Booleans = NDArray[np.bool_]
_Integers = NDArray[np.int64]
_Array = Any
"""A pyarrow Array; pyarrow ships no types."""

_STORED = {
    pa.from_numpy_dtype(kind): np.dtype(kind)
    for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
}
"""Asking a type for numpy's loads pandas as well, in pyarrow before 26."""


def stored(array: _Array) -> NDArray[Any]:
    """Return what is stored of integers or floats, without a copy: read-only, and in their type.

    Args:
        array: Whatever stands in the place of a null is returned with the rest.

    Raises:
        TypeError: The array is of another type.
    """
    dtype = _STORED.get(array.type)
    if dtype is None:
        raise TypeError(f"{array.type} is not stored as numbers")
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype, len(array), array.offset * dtype.itemsize)


def truths(array: _Array) -> _Booleans:
    """Return booleans that are never null."""
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.zeros(len(array), np.bool_)
    end = array.offset + len(array)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=end, bitorder="little")
    return bits[array.offset :].view(np.bool_)


def valid(array: _Array) -> _Booleans:
    """Return which values of an array of any type are not null."""
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    return truths(array.is_valid())


def integers(array: _Array, null: int) -> _Integers:
    """Return integers of any width, with another one in the place of each null.

    Those beyond 2⁶³ wrap round to negative ones.
    """
    numbers = stored(array).astype(np.int64, copy=False)
    return np.where(valid(array), numbers, null) if array.null_count else numbers


def doubles(array: _Array) -> NDArray[np.float64]:
    """Return doubles, NaN in the place of each null."""
    numbers = stored(array)
    return np.where(valid(array), numbers, np.nan) if array.null_count else numbers


def of_numbers(numbers: NDArray[Any], null: _Booleans | None = None) -> _Array:
    """Return integers or floats as an array of Arrow's, without a copy.

    Args:
        numbers: Shape (k,).
        null: Shape (k,), in whose place there shall be a null; None for nowhere.
    """
    held = np.ascontiguousarray(numbers)
    there = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    kind = pa.from_numpy_dtype(held.dtype)
    return pa.Array.from_buffers(kind, len(held), [there, pa.py_buffer(held)])


def of_truths(truths: _Booleans) -> _Array:
    """Return booleans as an array of Arrow's."""
    bits = np.packbits(truths, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(truths), [None, pa.py_buffer(bits)])


def of_texts(texts: Sequence[str]) -> _Array:
    """Return texts as an array of Arrow's strings.

    Raises:
        UnicodeEncodeError: One of them is not Unicode.
    """
    written = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, written)]).astype(np.int32)
    data = pa.py_buffer(b"".join(written))
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(ends), data])
