"""How the rows of a batch are divided into slices, and what is counted of each."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from monitor.profile.categories import add_values, read_values
from monitor.profile.classes import Chances
from monitor.profile.counts import CategoricalCounts, NumericCounts
from monitor.profile.grid import CategoricalGrid, FloatArray, IntArray, NumericGrid
from monitor.profile.numbers import BLOCK_ROWS, Column, to_numbers
from monitor.profile.outcome_codes import NEITHER, rows_by_code
from monitor.profile.profile import Profile
from monitor.profile.segments import Located, SplitNumbers, null_rows
from monitor.profile.values import encoded, is_nested


class Division(NamedTuple):
    """How the rows of a batch are divided by one segment.

    Attributes:
        codes: shape (rows,), each row's slice.
        held: shape (codes,), rows of each slice.
        parts: The profiles of the slices that have rows, by code.
    """

    codes: IntArray
    held: IntArray
    parts: Mapping[int, Profile]


def split_numbers(
    name: str, grid: NumericGrid, column: Column, divisions: Iterable[Division]
) -> None:
    """Count a field as `count_numbers` does, for each slice of each segment.

    Args:
        name: Name of the field.
        grid: Its cells.
        column: Its values.
        divisions: How its rows are divided.
    """
    numbers, null, invalid = to_numbers(column)
    splits = [(SplitNumbers(grid, len(item.held)), item) for item in divisions]
    for begin in range(0, len(numbers), BLOCK_ROWS):
        here = slice(begin, begin + BLOCK_ROWS)
        block = Located(grid, numbers[here])
        for split, item in splits:
            split.add(block, item.codes[here])
    # Where nothing is a number each row is null or invalid.
    without = null_rows(column, decoded=not invalid) if null else np.zeros(len(numbers), np.bool_)
    for split, (codes, held, parts) in splits:
        nulls = np.bincount(codes[without], minlength=len(held))
        wrong = held - nulls if invalid else np.zeros_like(held)
        for code, part in parts.items():
            counts = part.fields[name]
            if not isinstance(counts, NumericCounts):
                raise TypeError(f"field {name} is counted as another kind than its grid's")
            counts.null += int(nulls[code])
            counts.invalid += int(wrong[code])
            counts.nan -= int(nulls[code] + wrong[code])  # they are NaN among the numbers
            split.give(code, counts)


def split_values(
    name: str,
    grid: CategoricalGrid,
    column: Column,
    divisions: Iterable[Division],
    *,
    boolean: bool,
) -> None:
    """Count a field as `count_values` does, for each slice of each segment.

    Args:
        name: Name of the field.
        grid: Its values.
        column: Its values in the batch.
        divisions: How its rows are divided.
        boolean: Whether values are read as booleans.
    """
    if is_nested(column):
        null = null_rows(column, decoded=False)
        for codes, held, parts in divisions:
            nulls = np.bincount(codes[null], minlength=len(held))
            for code, part in parts.items():
                counts = part.fields[name]
                counts.null += int(nulls[code])
                counts.invalid += int(held[code] - nulls[code])
        return
    indices, values = encoded(column)
    read, width = read_values(grid, values, boolean=boolean), len(values) + 1
    for codes, held, parts in divisions:
        joint, counted = rows_by_code(codes * width + indices + 1, width * len(held))
        starts = np.searchsorted(joint, np.arange(len(held) + 1) * width)
        for code, part in parts.items():
            mine = slice(starts[code], starts[code + 1])
            rows = np.zeros(width, np.int64)
            rows[joint[mine] - code * width] = counted[mine]
            counts = part.fields[name]
            if not isinstance(counts, CategoricalCounts):
                raise TypeError(f"field {name} is counted as another kind than its grid's")
            add_values(counts, grid, read, rows[1:], int(rows[0]))


def split_outcomes(
    outcomes: IntArray, cells: int, divisions: Iterable[Division], *, of_classes: bool = False
) -> None:
    """Count the cells of the outcome table, or of that of classes, for each slice of each segment.

    Args:
        outcomes: shape (rows,), each row's cell.
        cells: How many cells the table has.
        divisions: How the rows are divided.
        of_classes: Whether it is the table of classes.
    """
    for division in divisions:
        size = cells * len(division.held)
        joint, rows = rows_by_code(division.codes * cells + outcomes, size)
        for code, part in division.parts.items():
            mine = joint // cells == code
            table = part.classes.table if of_classes and part.classes else part.outcomes
            table.add(joint[mine] % cells, rows[mine])


def split_score(
    grid: NumericGrid,
    scores: FloatArray,
    decisions: IntArray,
    labels: IntArray,
    divisions: Iterable[Division],
) -> None:
    """Count the scores of rows with a label or a decision for each slice of each segment.

    Args:
        grid: The score's cells.
        scores: shape (rows,).
        decisions: shape (rows,), codes of decisions.
        labels: shape (rows,), codes of labels of two classes.
        divisions: How the rows are divided.
    """
    outcomes = decisions * 3 + labels
    counted = np.isfinite(scores) & (outcomes != NEITHER)
    cells, _ = grid.table.cells(scores[counted])
    outcomes = outcomes[counted]
    width = (NEITHER + 1) * grid.cells
    for division in divisions:
        joint = (division.codes[counted] * (NEITHER + 1) + outcomes) * grid.cells + cells
        split = np.bincount(joint, minlength=width * len(division.held))
        of_slices = split.reshape(-1, 3, 3, grid.cells)
        for code, part in division.parts.items():
            part.add_scores(of_slices[code])


def split_probabilities(
    found: Chances, predicted: IntArray, true: IntArray, divisions: Iterable[Division]
) -> None:
    """Count the probabilities of classes for each slice of each segment.

    Args:
        found: The probabilities of the rows.
        predicted: shape (rows,), codes of predicted classes.
        true: shape (rows,), codes of true classes.
        divisions: How the rows are divided.
    """
    chances, whole, are = found
    given = whole & (predicted < chances.shape[1])
    known = given & are
    chances, predicted, true = chances[known], predicted[known], true[known]
    for division in divisions:
        codes = division.codes[known]
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(division.held) + 1))
        outside = np.bincount(division.codes[given & ~are], minlength=len(division.held))
        for code, part in division.parts.items():
            if part.classes is None or part.classes.scores is None:
                continue
            mine = order[starts[code] : starts[code + 1]]
            part.classes.scores.add(chances[mine], predicted[mine], true[mine])
            part.classes.scores.outside += int(outside[code])
