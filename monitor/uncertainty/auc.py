"""The uncertainty of an area under the ROC curve."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import FloatArray, Interval
from monitor.uncertainty.proportion import wilson_of_variance

LEAST_ROWS = 2
"""Rows of each class that a variance takes."""


class AreaUnderCurve(NamedTuple):
    """An AUC, its standard error and its interval."""

    value: float
    standard_error: float
    interval: Interval


def auc(negatives: ArrayLike, positives: ArrayLike, level: float = 0.95) -> AreaUnderCurve:
    """Return the area under the ROC curve of a score that was counted in ordered cells.

    The probability that a positive row scores above a negative one, rows of one cell counting
    half: the trapezoid rule. Scores that share a cell are ties, so the value differs from that
    of the raw scores by at most half the probability that a positive and a negative row share a
    cell. 0.5 for a score that says nothing, 1 for perfect order; range [0, 1].

    The standard error is DeLong's for the binned score. The interval is Wilson's for as many
    independent trials as have that variance (`wilson_of_variance`); where the order is perfect, and
    the variance therefore 0, for as many as the smaller class has rows.

    Args:
        negatives: Shape (cells,), rows of the negative class, by ascending score.
        positives: Shape (cells,), rows of the positive class.
        level: Confidence level.

    Raises:
        ValueError: Fewer than `LEAST_ROWS` rows of a class.

    Source:
        E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    cells = np.asarray(negatives, np.float64), np.asarray(positives, np.float64)
    rows = float(cells[0].sum()), float(cells[1].sum())
    if min(rows) < LEAST_ROWS:
        raise ValueError(f"an AUC with an interval takes {LEAST_ROWS} rows of each class")
    # The share of the other class that each row of a cell is on the right side of.
    of_positive = (np.cumsum(cells[0]) - cells[0] / 2) / rows[0]
    of_negative = 1 - (np.cumsum(cells[1]) - cells[1] / 2) / rows[1]
    value = float(np.dot(cells[1], of_positive) / rows[1])
    variance = sum(
        _variance(placements, weights) / weights.sum()
        for placements, weights in ((of_negative, cells[0]), (of_positive, cells[1]))
    )
    interval = wilson_of_variance(value, variance, min(rows), sum(rows), level)
    return AreaUnderCurve(value, float(np.sqrt(variance)), interval)


def _variance(values: FloatArray, weights: FloatArray) -> float:
    total = weights.sum()
    mean = np.dot(weights, values) / total
    return float(np.dot(weights, (values - mean) ** 2) / (total - 1))
