"""Columns of categories: the rows of each of the baseline's values, and of all others."""

from typing import Any, NamedTuple

import numpy as np

from monitor.profile.counts import MAX_NAME, CategoricalCounts, value_name
from monitor.profile.grid import CategoricalGrid, IntArray
from monitor.profile.numbers import Column
from monitor.profile.values import canonical_text, canonical_texts, is_nested, rows_by_value


def count_values(
    counts: CategoricalCounts, grid: CategoricalGrid, column: Column, *, boolean: bool
) -> None:
    """Map the batch's distinct values to the baseline's and add their rows."""
    if is_nested(column):
        counts.null += column.null_count
        counts.invalid += len(column) - column.null_count
        return
    values, rows, null = rows_by_value(column)
    add_values(counts, grid, read_values(grid, values, boolean=boolean), rows, null)


class Read(NamedTuple):
    """The distinct values of a batch.

    Attributes:
        texts: Their canonical texts; None where a value means nothing.
        codes: Their codes in the grid; −1 where it has none.
        unread: Which of them are there and are no booleans; empty where none has to be.
    """

    texts: list[str | None]
    codes: IntArray
    unread: list[bool]


def read_values(grid: CategoricalGrid, values: list[Any], *, boolean: bool) -> Read:
    """Return how distinct values are counted on a grid."""
    texts, known = canonical_texts(values, boolean=boolean), grid.codes
    codes = np.array([-1 if text is None else known.get(text, -1) for text in texts], np.int64)
    for place in np.flatnonzero(codes < 0).tolist():
        text = texts[place]
        if text is not None and len(text) > MAX_NAME:  # long ones are known by their names
            codes[place] = known.get(value_name(text), -1)
    unread = [
        text is None and canonical_text(value) is not None
        for text, value in zip(texts if boolean else (), values if boolean else (), strict=True)
    ]
    return Read(texts, codes, unread)


def add_values(
    counts: CategoricalCounts, grid: CategoricalGrid, read: Read, rows: IntArray, null: int
) -> None:
    """Add the rows of distinct values, and those that are null."""
    counts.null += null
    texts, codes, unread = read
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
