"""Columns of ids as texts that can be compared, whatever type they were written in."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitor.profile.buffers import of_numbers, valid
from monitor.profile.values import canonical_text, encoded

_DIGITS = {16: 11, 32: 24, 64: 53}
"""Bits of a floating number by its width; whole numbers that need more share one with others."""

_UUID_BYTES, _UUID_LETTERS = 16, 36
_UUID_PLACES = [place for place in range(_UUID_LETTERS) if place not in {8, 13, 18, 23}]
_HEX = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], np.uint8)


def id_texts(column: Any) -> Any:
    """Return a column of ids as a pyarrow large_string array of their canonical texts.

    What cannot tell one row from another is no id, and null: an empty text, and a floating number
    so large that several ids are rounded to it (in a double from 2**53 on).

    A column whose type says that it holds UUIDs has the text that other systems write of them, in
    lower case and with hyphens. Sixteen bytes of no such type may be anything, and stay bytes.

    Args:
        column: A pyarrow Array or ChunkedArray of any type.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if pa.types.is_integer(kind):
        return column.cast(pa.large_string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _without_empty(column.cast(pa.large_string()))
    if isinstance(kind, pa.UuidType):
        return _uuid_texts(column.storage)
    indices, values = encoded(column)
    if pa.types.is_floating(kind):
        values = [value if _is_exact(value, _DIGITS[kind.bit_width]) else None for value in values]
    texts = pa.array([canonical_text(value) for value in values], pa.large_string())
    return _without_empty(texts).take(of_numbers(indices, indices < 0))


def _uuid_texts(storage: Any) -> Any:
    """Return sixteen bytes a row as the texts of UUIDs."""
    rows = len(storage)
    first = storage.offset * _UUID_BYTES
    raw = np.frombuffer(storage.buffers()[1] or b"", np.uint8)
    digits = _HEX[raw[first : first + rows * _UUID_BYTES].reshape(rows, _UUID_BYTES)]
    letters = np.full((rows, _UUID_LETTERS), ord("-"), np.uint8)
    letters[:, _UUID_PLACES] = digits.reshape(rows, 2 * _UUID_BYTES)
    there = (
        None
        if not storage.null_count
        else pa.py_buffer(np.packbits(valid(storage), bitorder="little"))
    )
    ends = np.arange(rows + 1, dtype=np.int64) * _UUID_LETTERS
    buffers = [there, pa.py_buffer(ends), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.large_string(), rows, buffers)


def _without_empty(texts: Any) -> Any:
    lengths = pc.binary_length(texts)
    if pc.min(lengths).as_py() != 0:
        return texts
    return pc.if_else(pc.equal(lengths, 0), pa.scalar(None, pa.large_string()), texts)


def _is_exact(number: Any, digits: int) -> bool:
    return number is not None and bool(np.abs(number) < 2.0**digits)
