"""Scores of the groups of a population, on one side of a pair."""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.profile.grid import FloatArray, IntArray
from monitor.uncertainty.mean import Moments


class ScoresOfGroups(Struct, frozen=True):
    """What is counted of the finite scores of each group, the groups in the order of the pair's.

    Attributes:
        rows: shape (groups, 3 decisions, 3 labels, cells), rows by ascending cell of the score.
        moments: Counts and sums by name, each of shape (groups, 3 labels), as
            `monitor.profile.group_scores` keeps them.
        unassigned: shape (3, 3, cells), rows of unknown and unmapped membership.
        center: What sums are taken from: they are of ``(score - center) / scale``.
        scale: See above; errors are divided by it where the label is a number.
        of_class: Whether scores are the probability of a class that is held against all others, and
            rows of an unknown decision those whose probabilities are none; these have no moments.
    """

    rows: IntArray
    moments: Mapping[str, FloatArray]
    unassigned: IntArray
    center: float
    scale: float
    of_class: bool = False

    @property
    def every(self) -> IntArray:
        """Return all rows by cell, whoever they are of, shape (cells,)."""
        return np.asarray(self.rows.sum(axis=(0, 1, 2)) + self.unassigned.sum(axis=(0, 1)))

    def labelled(self, groups: IntArray) -> tuple[IntArray, IntArray]:
        """Return the cells of rows with a negative, and with a positive label, of groups together."""
        by_label = self.rows[groups].sum(axis=(0, 1))
        return by_label[NEGATIVE], by_label[POSITIVE]

    def sums(self, groups: IntArray, *names: str) -> tuple[float, ...]:
        """Return counts or sums of some groups together, whatever their labels are."""
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # what is beyond a double is told by name
            return tuple(float(self.moments[name][groups].sum()) for name in names)

    def mean(self, groups: IntArray, *names: str) -> Moments:
        """Return mean and variance of what has been summed.

        Args:
            groups: Indices of groups that have two rows at least, together.
            names: The names of the rows, of the sum, and of the sum of the squares.
        """
        rows, total, squares = self.sums(groups, *names)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.float64(total) / rows
            variance = np.maximum(squares - rows * mean * mean, 0.0) / (rows - 1)
        return Moments(float(mean), float(variance), int(rows))
