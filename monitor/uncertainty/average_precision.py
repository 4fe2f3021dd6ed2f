"""The uncertainty of an average precision."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import Interval
from monitor.uncertainty.proportion import wilson_of_variance


class AveragePrecision(NamedTuple):
    """An average precision, its standard error, its interval, and the most that cells can hide.

    ``least`` and ``most`` are what the average precision of the raw scores lies between, whatever
    their order within the cells was.
    """

    value: float
    standard_error: float
    interval: Interval
    least: float
    most: float


def average_precision(
    negatives: ArrayLike, positives: ArrayLike, level: float = 0.95
) -> AveragePrecision:
    """Return the average precision of a score that was counted in ordered cells.

    ``Σ (Rₖ − Rₖ₋₁) Pₖ`` over the cells from the highest score down, with recall R and precision P
    among the rows of this cell and those above it: no interpolation. The share of positive rows
    for a score that says nothing, 1 for perfect order; in (0, 1].

    The standard error is that of the delta method, rows being independent. The interval is
    Wilson's for as many trials as have that variance (`wilson_of_variance`); for perfect order, as
    many as there are positive rows.

    Args:
        negatives: Shape (cells,), rows of the negative class, by ascending score.
        positives: Shape (cells,), rows of the positive class.
        level: Confidence level.

    Raises:
        ValueError: No row of a class.

    Source:
        K. Boyd, K. H. Eng and C. D. Page (2013), Area under the precision-recall curve: point
        estimates and confidence intervals, ECML PKDD, LNCS 8190, 451-466; the definition is that of
        scikit-learn's ``average_precision_score``.
    """
    down = [np.asarray(cells, np.float64)[::-1] for cells in (negatives, positives)]
    filled = (down[0] + down[1]) > 0
    negative, positive = down[0][filled], down[1][filled]
    total = positive.sum()
    if not (total > 0 and negative.sum() > 0):
        raise ValueError("an average precision takes rows of both classes")
    hits, false = np.cumsum(positive), np.cumsum(negative)
    listed = hits + false
    precision = hits / listed
    weights = positive / total
    value = float(np.dot(weights, precision))
    # What one more row of either class in a cell does to the precision of it and those below it.
    gained = np.cumsum((weights * false / listed**2)[::-1])[::-1]
    lost = np.cumsum((weights * hits / listed**2)[::-1])[::-1]
    by_positive = (precision - value) / total + gained
    variance = float(np.dot(positive, by_positive**2) + np.dot(negative, lost**2))
    interval = wilson_of_variance(value, variance, float(total), float(listed[-1]), level)
    low, high = _hidden(negative, positive)
    return AveragePrecision(
        value,
        variance**0.5,
        interval,
        float(np.dot(weights, low)),
        float(np.dot(weights, high)),
    )


def _hidden(negative: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of the precision at each positive row of a cell, shape (cells,) each.

    From all of the cell's negative rows coming first, and its first positive row after them, to all
    of its positive rows coming first, and the last of them.
    """
    above, false_above = np.cumsum(positive) - positive, np.cumsum(negative) - negative
    first = above + np.minimum(positive, 1.0)
    last = above + positive
    with np.errstate(divide="ignore", invalid="ignore"):
        least = first / (first + false_above + negative)
        most = last / (last + false_above)
    return np.where(positive > 0, least, 0.0), np.where(positive > 0, most, 0.0)
