"""Rows by the class that was predicted and the class that came."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.field import Classes
from monitor.profile.class_scores import ClassScores
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN, OutcomeTable
from monitor.profile.errors import ErrorSums, SquareSums
from monitor.profile.grid import BoolArray, FloatArray, IntArray
from monitor.profile.group_scores import GroupScores
from monitor.profile.numbers import Column, to_numbers
from monitor.profile.values import encoded, outcome_text

ROUNDED = 0.01
"""How far the probabilities of a row may be from 1 in sum: logs round them."""


class ClassColumns(NamedTuple):
    """What a model of several classes says of the rows of a batch.

    Attributes:
        predicted: The column with the class; None where the file does not have it.
        probabilities: The columns with the probability of each class; empty without them.
    """

    predicted: Column | None
    probabilities: Sequence[Column | None] = ()


class ClassCounts(Struct):
    """Rows by predicted and true class, and how far probabilities were from the labels.

    Attributes:
        table: Rows by group of each attribute × predicted class × true class. Of each class axis
            the last code is for rows without a class, or with any other value.
        errors: Sums over the rows with a label and a probability of each class; None in slices.
        scores: Rows by these probabilities; None where the model has none, and in what was stored
            before they were counted.
        squares: Sums of squares over the rows that ``errors`` sums; None in slices, and as ``scores``
            is.
        groups: These rows by group too (`monitor.profile.class_groups`); None in slices, without
            attributes, and as ``scores`` is.
    """

    table: OutcomeTable
    errors: ErrorSums | None
    scores: ClassScores | None = None
    squares: SquareSums | None = None
    groups: GroupScores | None = None

    @classmethod
    def empty(cls, classes: Classes, sizes: Mapping[str, int]) -> "ClassCounts":
        """Return the counts of no rows over attributes with the given numbers of codes."""
        codes = len(classes.values) + 1
        table = OutcomeTable.empty(sizes, codes, codes)
        table.unmapped = {}  # the outcome table has them
        scores = ClassScores.empty(len(classes.values)) if classes.probabilities else None
        squares = SquareSums() if classes.probabilities else None
        return cls(table, ErrorSums(), scores, squares)

    @property
    def labelled(self) -> int:
        """Return the rows whose label is one of the classes."""
        return int(self.table.margin()[:, :-1].sum())

    def merge(self, other: "ClassCounts") -> None:
        """Add another window's counts on the same grid."""
        self.table.merge(other.table)
        if self.errors is None or other.errors is None:
            self.errors = None
        else:
            self.errors.merge(other.errors)
        if self.scores is None or other.scores is None:
            self.scores = None
        else:
            self.scores.merge(other.scores)
        if self.squares is None or other.squares is None:
            self.squares = None
        else:
            self.squares.merge(other.squares)
        if self.groups is None or other.groups is None:
            self.groups = None
        else:
            self.groups.merge(other.groups)


def class_codes(classes: Classes, column: Column | None, rows: int) -> IntArray:
    """Return the place of each row's class, or the number of classes for any other value or none."""
    return _codes({text: code for code, text in enumerate(classes.values)}, classes, column, rows)


def label_class_codes(classes: Classes, column: Column | None, rows: int) -> IntArray:
    """Return the same of each row's label: the place of the class that it means."""
    codes = {name: code for code, name in enumerate(classes.values)}
    meant = {text: codes[name] for text, name in classes.by_label.items()}
    return _codes(meant, classes, column, rows)


def _codes(
    place: Mapping[str, int], classes: Classes, column: Column | None, rows: int
) -> IntArray:
    other = len(classes.values)
    if column is None:
        return np.full(rows, other, np.int64)
    read = outcome_text(place.keys())
    indices, values = encoded(column)
    codes = [place.get(text, other) if (text := read(value)) else other for value in values]
    return np.array([*codes, other], np.int64).take(indices)  # the last is for null (-1)


Chances = tuple[FloatArray, BoolArray, BoolArray]
"""What `chances_of` says of the rows of a batch."""


def add_probabilities(
    counts: ClassCounts, found: Chances, predicted: IntArray, true: IntArray
) -> None:
    """Add the rows that have a number for the probability of every class.

    Args:
        counts: Their errors, of rows with a label, and their scores, of rows with a predicted class.
        found: Their probabilities.
        predicted: shape (rows,), codes of predicted classes.
        true: shape (rows,), codes of true classes.
    """
    chances, whole, are = found
    chances, predicted, true, are = chances[whole], predicted[whole], true[whole], are[whole]
    other = chances.shape[1]
    if counts.errors is not None:
        known = true < other
        counts.errors.outside += int(np.count_nonzero(known & ~are))
        known &= are
        counts.errors.add_own_chances(chances[known, true[known]])
        if counts.squares is not None:
            counts.squares.add(chances[known], true[known])
    if counts.scores is not None:
        known = predicted < other
        counts.scores.outside += int(np.count_nonzero(known & ~are))
        known &= are
        counts.scores.add(chances[known], predicted[known], true[known])


def chances_of(columns: ClassColumns) -> Chances | None:
    """Return the probabilities of each row, shape (rows, classes), and which rows have them all.

    The last says which rows' are probabilities: from 0 to 1, and near 1 together. None where the file
    does not have all of the columns, or the model none.
    """
    told = [column for column in columns.probabilities if column is not None]
    if not told or len(told) < len(columns.probabilities):
        return None
    chances = np.column_stack([to_numbers(column)[0] for column in told])
    whole: BoolArray = np.asarray(np.isfinite(chances).all(axis=1))
    return chances, whole, whole & _are_probabilities(chances)


def one_against_rest(table: IntArray, positive: Collection[int]) -> IntArray:
    """Return decisions by labels of a table of classes, some classes counting as positive.

    Args:
        table: shape (…, classes + 1, classes + 1), rows by predicted and true class, as a margin
            of `ClassCounts.table` has them.
        positive: Codes of the classes that are positive: one to hold it against the rest, or a
            favourable set.

    Returns:
        Rows, shape (…, 3, 3), as a margin of the outcome table: negative, positive, unknown. Rows
        of no class, or of any other, are unknown.
    """
    member = np.eye(3, dtype=np.int64)[_outcomes(table.shape[-1], positive)]
    return np.asarray(np.einsum("...ij,ia,jb->...ab", table, member, member))


def table_against_rest(table: OutcomeTable, positive: Collection[int]) -> OutcomeTable:
    """Return a table of classes as an outcome table, some classes counting as positive.

    Args:
        table: Rows by group of each axis × predicted class × true class.
        positive: As of `one_against_rest`, which gives the same for a margin.
    """
    outcomes = _outcomes(table.shape[-1], positive)
    *axes, predicted, true = np.unravel_index(table.codes, table.shape)
    shape = (*table.shape[:-2], 3, 3)
    found = replace(table, shape=shape, codes=table.codes[:0], counts=table.counts[:0])
    places = (*axes, outcomes[predicted], outcomes[true])
    found.add(np.asarray(np.ravel_multi_index(places, shape), np.int64), table.counts)
    return found


def _outcomes(codes: int, positive: Collection[int]) -> IntArray:
    """Return of each code of a class axis what outcome it is; the last one is of no class."""
    outcomes = np.full(codes, NEGATIVE, np.int64)
    outcomes[sorted(positive)] = POSITIVE
    outcomes[-1] = UNKNOWN
    return outcomes


def _are_probabilities(chances: FloatArray) -> BoolArray:
    with np.errstate(over="ignore", invalid="ignore"):
        whole = np.abs(chances.sum(axis=1) - 1) <= ROUNDED
    return np.asarray(whole & ((chances >= 0) & (chances <= 1)).all(axis=1))
