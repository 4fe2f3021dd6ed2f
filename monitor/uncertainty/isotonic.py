"""The non-decreasing sequence that lies nearest to a given one."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.uncertainty.interval import FloatArray


class Fitted(NamedTuple):
    """A non-decreasing sequence.

    Attributes:
        values: shape (k,).
        starts: shape (blocks,), where each run of values that were made equal begins.
    """

    values: FloatArray
    starts: NDArray[np.intp]


def isotonic(values: FloatArray, weights: FloatArray) -> Fitted:
    """Return the non-decreasing sequence with the least weighted squared distance from a given one.

    Neighbours that decrease, or are equal, are pooled into a block with their weighted mean, until
    none do. What scipy.optimize.isotonic_regression returns, whose module takes as long to load
    as a million rows to read.

    Args:
        values: Shape (k,), finite; at least one.
        weights: Shape (k,), positive.

    Source:
        F. M. T. A. Busing (2022), Monotone regression: a simple and fast O(n) PAVA
        implementation, Journal of Statistical Software 102, code snippet 1.
    """
    given, weighing = values.tolist(), weights.tolist()
    levels, masses, starts = [given[0]], [weighing[0]], [0]
    place, last = 1, len(given) - 1
    while place <= last:
        start, level, mass = place, given[place], weighing[place]
        if levels[-1] >= level:
            start, before = starts.pop(), masses.pop()
            total = before * levels.pop() + mass * level
            mass += before
            level = total / mass
            while place < last and level >= given[place + 1]:
                place += 1
                total += weighing[place] * given[place]
                mass += weighing[place]
                level = total / mass
            while levels and levels[-1] >= level:
                start, before = starts.pop(), masses.pop()
                total += before * levels.pop()
                mass += before
                level = total / mass
        levels.append(level)
        masses.append(mass)
        starts.append(start)
        place += 1
    begins = np.array(starts, np.intp)
    return Fitted(np.repeat(levels, np.diff(np.append(begins, len(given)))), begins)
