"""Probabilities of several classes, counted for each class against the rest."""

import numpy as np
from msgspec import Struct

from monitor.profile.adding import rows_at, sums_at
from monitor.profile.grid import FloatArray, IntArray
from monitor.special import expit

EDGES = expit(np.linspace(-12.0, 12.0, 255))
"""Between the cells of a probability: even steps of its logit, fine where probabilities are near 0
or 1. The same for every model, so nothing of them is frozen with a baseline."""

CELLS = len(EDGES) + 1

OTHER_CLASS, THIS_CLASS, NO_LABEL = range(3)
"""Codes of a label, as one class sees it."""


class ClassScores(Struct):
    """Rows by the probability of each class, whether the class was predicted, and the label.

    Only rows with a declared predicted class and a probability of every class count.

    Attributes:
        rows: shape (classes, 2, 3, cells): predicted another class or this one × label of another
            class, of this one, or none that is a class.
        sums: shape (classes, 2, cells), sums of the probabilities.
        outside: Rows with a predicted class that are not counted, because their probabilities are
            none: outside 0 to 1, or not near 1 together.
    """

    rows: IntArray
    sums: FloatArray
    outside: int = 0

    @classmethod
    def empty(cls, classes: int) -> "ClassScores":
        """Return the counts of no rows."""
        return cls(np.zeros((classes, 2, 3, CELLS), np.int64), np.zeros((classes, 2, CELLS)))

    def add(self, chances: FloatArray, predicted: IntArray, true: IntArray) -> None:
        """Count rows.

        Args:
            chances: shape (rows, classes), in [0, 1].
            predicted: shape (rows,), codes of declared classes.
            true: shape (rows,), codes of true classes; the number of classes for none of them.
        """
        unlabelled = true == chances.shape[1]
        for code, column in enumerate(chances.T):
            cells = np.searchsorted(EDGES, column, side="right")
            given = predicted == code
            label = np.where(unlabelled, NO_LABEL, (true == code).astype(np.int64))
            joint = (given * 3 + label) * CELLS + cells
            self.rows[code] += rows_at(joint, 6 * CELLS).reshape(2, 3, CELLS)
            joint = given * CELLS + cells
            self.sums[code] += sums_at(joint, column, 2 * CELLS).reshape(2, CELLS)

    def merge(self, other: "ClassScores") -> None:
        """Add another window's counts of the same classes."""
        self.rows = self.rows + other.rows
        self.sums = self.sums + other.sums
        self.outside += other.outside
