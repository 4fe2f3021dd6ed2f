"""Columns of categories: the rows of each of the baseline's values, and of all others."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitor.profile.buffers import integers, of_numbers
from monitor.profile.counts import MAX_NAME, CategoricalCounts, value_name
from monitor.profile.grid import CategoricalGrid, IntArray
from monitor.profile.numbers import Column
from monitor.profile.values import (
    canonical_text,
    canonical_texts,
    is_nested,
    one_array,
    rows_by_value,
    rows_of_codes,
)

_MANY = 256
_HASHED = 8


def count_values(
    counts: CategoricalCounts, grid: CategoricalGrid, column: Column, *, boolean: bool
) -> None:
    """Map the batch's distinct values to the baseline's and add their rows."""
    if is_nested(column):
        counts.null += column.null_count
        counts.invalid += len(column) - column.null_count
        return
    column = one_array(column)
    if not boolean and _lists_many_texts(column, grid):
        rows = rows_of_codes(column.indices, len(column.dictionary))
        add_values(counts, grid, _read_texts(grid, column.dictionary), rows, column.null_count)
        return
    values, rows, null = rows_by_value(column)
    add_values(counts, grid, read_values(grid, values, boolean=boolean), rows, null)


class Read(NamedTuple):
    """The distinct values of a batch.

    Attributes:
        codes: Their codes in the grid; −1 where it has none.
        strays: The canonical texts of those, by place; None where a value means nothing.
        unread: Which of all are there and are no booleans; empty where none has to be.
    """

    codes: IntArray
    strays: dict[int, str | None]
    unread: list[bool]


def read_values(grid: CategoricalGrid, values: list[Any], *, boolean: bool) -> Read:
    """Return how distinct values are counted on a grid."""
    texts, known = canonical_texts(values, boolean=boolean), grid.codes
    codes = np.array([-1 if text is None else known.get(text, -1) for text in texts], np.int64)
    strays = _strays(grid, codes, lambda places: [texts[place] for place in places])
    unread = [
        text is None and canonical_text(value) is not None
        for text, value in zip(texts if boolean else (), values if boolean else (), strict=True)
    ]
    return Read(codes, strays, unread)


def _lists_many_texts(column: Any, grid: CategoricalGrid) -> bool:
    """Return whether a column is of codes, and texts are best looked up by Arrow."""
    if not pa.types.is_dictionary(column.type):
        return False
    kind, texts = column.type.value_type, len(column.dictionary)
    written = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    # All texts of the grid are hashed again each time.
    return written and texts >= _MANY and _HASHED * texts >= len(grid.codes)


def _read_texts(grid: CategoricalGrid, texts: Any) -> Read:
    """Return how many texts, an array of Arrow's, are counted on a grid."""
    known, codes_of = grid.coded
    places = integers(pc.index_in(texts, value_set=known.cast(texts.type)), -1)
    codes = np.append(codes_of, -1).take(places)  # the last: none
    strays = _strays(grid, codes, lambda places: texts.take(of_numbers(places)).to_pylist())
    return Read(codes, strays, [])


def _strays(
    grid: CategoricalGrid,
    codes: IntArray,
    texts_at: Callable[[IntArray], Sequence[str | None]],
) -> dict[int, str | None]:
    """Return the texts of values without a code by place; long ones are known by their names."""
    places = np.flatnonzero(codes < 0)
    strays: dict[int, str | None] = {}
    for place, text in zip(places.tolist(), texts_at(places), strict=True):
        if text is not None and len(text) > MAX_NAME:
            codes[place] = grid.codes.get(value_name(text), -1)
        if codes[place] < 0:
            strays[place] = text
    return strays


def add_values(
    counts: CategoricalCounts, grid: CategoricalGrid, read: Read, rows: IntArray, null: int
) -> None:
    """Add the rows of distinct values, and those that are null."""
    counts.null += null
    codes, texts, unread = read
    listed = (codes >= 0) & (codes < len(grid.values))
    np.add.at(counts.values, codes[listed], rows[listed])
    if grid.known:
        counts.other += int(rows[codes == len(grid.values)].sum())
    strays: list[tuple[str, int]] = []
    # A dictionary may list values that no row holds.
    for place in np.flatnonzero((codes < 0) & (rows > 0)).tolist():
        text, count = texts[place], int(rows[place])
        if text is not None:
            strays.append((text, count))
        elif unread and unread[place]:
            counts.invalid += count
        else:
            counts.null += count
    if grid.complete:
        counts.unseen.add(strays)
    else:
        counts.other += sum(count for _, count in strays)
