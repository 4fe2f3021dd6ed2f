"""Which group, decision and label each row has."""

import numpy as np

from monitor.domain.field import Decision, Label
from monitor.profile.adding import rows_at
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.profile.grid import AttributeGrid, FloatArray, IntArray
from monitor.profile.labels import numbers_in_text
from monitor.profile.numbers import Column, to_numbers
from monitor.profile.values import (
    canonical_text,
    encoded,
    is_nested,
    number_of,
    outcome_text,
    rows_of,
)

NEITHER = UNKNOWN * 3 + UNKNOWN
"""The code ``decision * 3 + label`` of rows with neither."""

DENSE_CELLS = 4096
"""An outcome table of so many cells is counted without sorting its rows, however few they are."""


def group_codes(
    grid: AttributeGrid, column: Column | None, rows: int
) -> tuple[IntArray, list[tuple[str, int]]]:
    """Return each row's group code, and the unregistered values with their rows."""
    if column is None:
        return np.full(rows, grid.unknown, np.int64), []
    if grid.bins:
        numbers = numbers_in_text(column) if grid.protected else None
        return _binned(grid, to_numbers(column)[0] if numbers is None else numbers), []
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
        return codes.take(indices), []
    counts, _ = rows_of(indices, len(values))
    return codes.take(indices), [
        (text, int(counts[place])) for place, text in strays.items() if counts[place]
    ]


def tells_nothing(grid: AttributeGrid, column: Column) -> bool:
    """Return whether no value of a column can be a group's: another kind than was declared."""
    binned = bool(grid.bins) and not grid.protected
    return is_nested(column) or (binned and to_numbers(column)[2] > 0)


def _binned(grid: AttributeGrid, numbers: FloatArray) -> IntArray:
    codes = np.searchsorted(np.asarray(grid.bins), numbers, side="right").astype(np.int64)
    codes[np.isnan(numbers)] = grid.unknown
    for text, code in (
        *((text, grid.unknown) for text in grid.unknown_values),
        *grid.values.items(),
    ):
        if (number := number_of(text)) is not None:
            codes[numbers == number] = code
    return codes


def decision_codes(decision: Decision | None, column: Column | None, rows: int) -> IntArray:
    """Return `POSITIVE`, `NEGATIVE` or `UNKNOWN` for each row's decision."""
    if decision is None or column is None:
        return np.full(rows, UNKNOWN, np.int64)
    if decision.at_least is not None:
        numbers, _, _ = to_numbers(column)
        known = ~np.isnan(numbers)
        codes = np.where(numbers >= decision.at_least, POSITIVE, NEGATIVE)
        return np.where(known, codes, UNKNOWN).astype(np.int64)
    return _binary_codes(decision.positive, decision.negative, column)


def label_codes(label: Label | None, column: Column | None, rows: int) -> IntArray:
    """Return `POSITIVE`, `NEGATIVE` or `UNKNOWN` for each row's label."""
    if label is None or column is None or not label.positive:
        return np.full(rows, UNKNOWN, np.int64)
    return _binary_codes(label.positive, label.negative, column)


def label_numbers(label: Label | None, column: Column | None) -> FloatArray | None:
    """Return the numbers of a numeric label, NaN where there is none; None for any other label."""
    if label is None or column is None or label.positive:
        return None
    texts = numbers_in_text(column)
    return to_numbers(column)[0] if texts is None else texts


def rows_by_code(codes: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Return the distinct codes below ``size``, sorted, with their rows."""
    if size <= max(len(codes), DENSE_CELLS):
        rows = rows_at(codes, size)
        filled = np.flatnonzero(rows)
        return filled, rows[filled]
    distinct, rows = np.unique(codes, return_counts=True)
    return distinct, rows.astype(np.int64)


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
    return codes.take(indices)
