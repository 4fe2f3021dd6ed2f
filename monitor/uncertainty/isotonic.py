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
    none do: all such runs at once, round by round, for the order of pooling does not matter. What
    scipy.optimize.isotonic_regression returns, whose module takes as long to load as a million
    rows to read.

    Args:
        values: Shape (k,), finite; at least one.
        weights: Shape (k,), positive.

    Source:
        J. de Leeuw, K. Hornik and P. Mair (2009), Isotone optimization in R, Journal of
        Statistical Software 32(5), section 2.
    """
    starts, masses, totals = np.arange(len(values)), weights, weights * values
    levels = values
    while not (rising := np.append(True, levels[1:] > levels[:-1])).all():
        blocks = np.flatnonzero(rising)
        starts = starts[blocks]
        masses, totals = np.add.reduceat(masses, blocks), np.add.reduceat(totals, blocks)
        levels = totals / masses
    return Fitted(np.repeat(levels, np.diff(starts, append=len(values))), starts)
