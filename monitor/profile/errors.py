"""How far scores lie from labels, as sums that merge."""

from threading import local

import numpy as np
from msgspec import Struct

from monitor.profile.grid import BoolArray, FloatArray, IntArray

LEAST_CHANCE = float(np.finfo(np.float64).eps)
"""A probability below this counts as this, so that one row which had been called impossible costs
36 nats of log loss and not infinitely many."""


class _Room(local):
    """Memory for the errors of a batch, of each thread its own and used again for the next one."""

    def __init__(self) -> None:
        self._two = np.empty((2, 0))

    def take(self, rows: int) -> FloatArray:
        """Return room for two numbers of each row, shape (2, rows)."""
        if rows > self._two.shape[1]:
            self._two = np.empty((2, rows))
        return self._two[:, :rows]


_ROOM = _Room()


class ErrorSums(Struct):
    """Sums over the rows that have both a score and a label.

    Where the label has two classes the score is read as the probability of the positive one, and
    the error of a row is ``score − y`` with y 0 or 1. Where the label is a number the error is
    ``(score − label) / scale`` with the scale of the score's grid.

    Attributes:
        labelled: Rows whose label is a finite number; 0 where the label has two classes, whose rows
            are counted by the outcome table.
        rows: Rows summed.
        outside: Rows that are not summed because their score is no probability.
        error: Sum of errors.
        absolute: Sum of their sizes.
        squared: Sum of their squares.
        fourth: Sum of their fourth powers, for the variance of a square.
        log: Sum of ``−ln`` of the probability that the row's own class was given.
        log_squared: Sum of the squares of these.
    """

    labelled: int = 0
    rows: int = 0
    outside: int = 0
    error: float = 0.0
    absolute: float = 0.0
    squared: float = 0.0
    fourth: float = 0.0
    log: float = 0.0
    log_squared: float = 0.0

    def add_chances(self, scores: FloatArray, positive: BoolArray) -> None:
        """Add rows whose label has two classes.

        Args:
            scores: shape (rows,), finite.
            positive: shape (rows,), whether the label is.
        """
        if not len(scores):
            return
        if scores.min() < 0 or scores.max() > 1:
            inside = (scores >= 0) & (scores <= 1)
            self.outside += len(scores) - int(np.count_nonzero(inside))
            scores, positive = scores[inside], positive[inside]
        errors, _ = _ROOM.take(len(scores))
        self._add(np.subtract(scores, positive, out=errors))
        own = np.subtract(scores, ~positive, out=errors)
        np.abs(own, out=own)  # the chance that the row's own class was given
        np.log(np.maximum(own, LEAST_CHANCE, out=own), out=own)
        self.log -= float(own.sum())
        self.log_squared += float(np.square(own, out=own).sum())

    def add_own_chances(self, chances: FloatArray) -> None:
        """Add rows whose label is one of several classes: only their log loss is summed.

        Args:
            chances: shape (rows,), in [0, 1], the probability that the row's own class was given.
        """
        logs = np.log(np.maximum(chances, LEAST_CHANCE))
        self.rows += len(logs)
        self.log -= float(logs.sum())
        self.log_squared += float(np.square(logs).sum())

    def add_numbers(self, scores: FloatArray, labels: FloatArray, scale: float) -> None:
        """Add rows whose label is a number.

        Args:
            scores: shape (rows,); rows of which either is not finite are no errors.
            labels: shape (rows,).
            scale: Of the score's grid.
        """
        known = np.isfinite(labels)
        self.labelled += int(np.count_nonzero(known))
        known &= np.isfinite(scores)
        # Numbers near the largest double may overflow; the sums then are infinite or no number, and
        # the measures that need them give that as the reason for having none.
        with np.errstate(over="ignore", invalid="ignore"):
            self._add((scores[known] - labels[known]) / scale)

    def _add(self, errors: FloatArray) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            self.rows += len(errors)
            self.error += float(errors.sum())
            squares = np.square(errors, out=_ROOM.take(len(errors))[1])
            self.absolute += float(np.abs(errors, out=errors).sum())
            self.squared += float(squares.sum())
            self.fourth += float(np.square(squares, out=squares).sum())

    def merge(self, other: "ErrorSums") -> None:
        """Add another window's sums on the same grid."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class SquareSums(Struct):
    """Sums over rows with a label of several classes and a probability of each.

    The square of a row is ``Σₖ (pₖ − yₖ)²`` over the classes, y being 1 for the class that came and 0
    for the others.

    Attributes:
        rows: Rows summed.
        squared: Sum of their squares.
        fourth: Sum of the squares of these.
    """

    rows: int = 0
    squared: float = 0.0
    fourth: float = 0.0

    def add(self, chances: FloatArray, true: IntArray) -> None:
        """Add rows.

        Args:
            chances: shape (rows, classes), in [0, 1].
            true: shape (rows,), codes of the classes that came.
        """
        own = chances[np.arange(len(true)), true]
        rest = np.square(chances).sum(axis=1) - np.square(own)
        squares = np.square(1 - own) + np.maximum(rest, 0.0)
        self.rows += len(true)
        self.squared += float(squares.sum())
        self.fourth += float(np.square(squares).sum())

    def merge(self, other: "SquareSums") -> None:
        """Add another window's sums of the same classes."""
        self.rows += other.rows
        self.squared += other.squared
        self.fourth += other.fourth
