"""Probabilities of several classes by group: what is expected of each group before labels come."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from monitor.domain.field import Classes
from monitor.profile.class_scores import CELLS, EDGES
from monitor.profile.classes import Chances
from monitor.profile.counts import POSITIVE, UNKNOWN
from monitor.profile.grid import (
    AttributeGrid,
    BoolArray,
    FloatArray,
    Grid,
    IntArray,
    NumericGrid,
)
from monitor.profile.group_scores import GroupScores

CLASS_AXIS = "\x1fclass"
"""Name of the axis of classes, which no attribute has."""


def by_class_and_group(classes: Classes, attributes: Sequence[AttributeGrid]) -> GroupScores | None:
    """Return the counts of no rows by group, class, and cell of the class's probability.

    For each class its decision is whether it was predicted and its label whether it came; rows with
    a predicted class whose probabilities are none have an unknown decision. All classes share the
    bound on the size of a table. None without probabilities or attributes.
    """
    if not (classes.probabilities and attributes):
        return None
    names = (*(attribute.name for attribute in attributes), CLASS_AXIS)
    sizes = (*(attribute.size for attribute in attributes), len(classes.values))
    return GroupScores(names, sizes, CELLS)


def of_class(counted: GroupScores, code: int) -> GroupScores:
    """Return the rows by group, and by cell of the probability of one class."""
    *_, classes = counted.sizes
    group, rest = np.divmod(counted.codes, classes * 9 * counted.width)
    place, rest = np.divmod(rest, 9 * counted.width)
    mine = place == code
    return GroupScores(
        counted.attributes[:-1],
        counted.sizes[:-1],
        counted.cells,
        counted.level,
        group[mine] * (9 * counted.width) + rest[mine],
        counted.rows[mine],
    )


def favoured(grid: Grid) -> tuple[int, ...]:
    """Return the codes of the classes that the model's decision counts as positive.

    Empty where the model has a score, decides by anything else than its classes, or labels count
    otherwise.
    """
    classes, decision, label = grid.classes, grid.decision, grid.label
    if isinstance(grid.fields.get(grid.score), NumericGrid):
        return ()
    if classes is None or decision is None or label is None or not classes.probabilities:
        return ()
    positive = {value for value in classes.values if value in decision.positive}
    others = set(classes.values) - positive
    same = (
        decision.column == classes.column
        and set(label.positive) == set(decision.positive) == positive
        and all(not said or set(said) == others for said in (decision.negative, label.negative))
    )
    return tuple(classes.values.index(value) for value in sorted(positive)) if same else ()


class ClassRows(NamedTuple):
    """Rows with a predicted class and a number for the probability of each class.

    Attributes:
        groups: shape (rows,), mixed-radix codes over the attributes.
        chances: shape (rows, classes), these numbers.
        are: shape (rows,), whether they are probabilities.
        predicted: shape (rows,), codes of predicted classes.
        true: shape (rows,), codes of true classes; the number of classes for none of them.
    """

    groups: IntArray
    chances: FloatArray
    are: BoolArray
    predicted: IntArray
    true: IntArray

    @classmethod
    def of(
        cls, groups: IntArray, chances: Chances, predicted: IntArray, true: IntArray
    ) -> "ClassRows":
        """Return those of the rows of a batch."""
        numbers, whole, are = chances
        known = whole & (predicted < numbers.shape[1])
        return cls(groups[known], numbers[known], are[known], predicted[known], true[known])


def add_by_group(table: GroupScores, sets: Sequence[Sequence[int]], rows: ClassRows) -> None:
    """Count rows by group, each set of classes held against all others.

    Args:
        table: Its last axis is of the sets, if there is more than one.
        sets: Codes of the classes of each.
        rows: The rows.
    """
    known = rows.true < rows.chances.shape[1]
    for place, codes in enumerate(sets):
        member = np.zeros(rows.chances.shape[1] + 1, np.int64)
        member[list(codes)] = POSITIVE
        decisions = np.where(rows.are, member[rows.predicted], UNKNOWN)
        labels = np.where(known, member[rows.true], UNKNOWN)
        chances = np.where(rows.are, rows.chances[:, list(codes)].sum(axis=1), 0.0)
        cells = np.searchsorted(EDGES, chances, side="right")
        table.add(rows.groups * len(sets) + place, decisions * 3 + labels, cells)
