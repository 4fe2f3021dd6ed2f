"""Numbers of a table of predicted by true classes, with their variances."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import FloatArray


class Mean(NamedTuple):
    """A mean over classes.

    Attributes:
        value: In [0, 1].
        variance: Of it, by the delta method, rows being independent.
        trials: As many independent trials as would have the variance if all classes had the mean;
            what is to be supposed where the variance is 0.
        classes: How many classes it is the mean of.
    """

    value: float
    variance: float
    trials: float
    classes: int


def mean_recall(table: ArrayLike) -> Mean | None:
    """Return the mean recall of the classes that labels have: ``(1/m) Σ nₖₖ / cₖ``.

    Args:
        table: shape (classes, classes), rows by predicted and true class.

    Returns:
        The mean with its variance ``Σ nᵢⱼ gᵢⱼ²``, g being its derivatives by the counts; None where
        no row has a label.

    Source:
        K. H. Brodersen, C. S. Ong, K. E. Stephan and J. M. Buhmann (2010), The balanced accuracy
        and its posterior distribution, ICPR, 3121-3124.
    """
    rows = np.asarray(table, np.float64)
    return _of_axis(rows, rows.sum(axis=0))


def mean_precision(table: ArrayLike) -> Mean | None:
    """Return the mean precision of the classes that were predicted: ``(1/m) Σ nₖₖ / rₖ``.

    Args:
        table: shape (classes, classes), rows by predicted and true class.

    Returns:
        As `mean_recall`; None where no class was predicted.

    Source:
        M. Sokolova and G. Lapalme (2009), Information Processing & Management 45, 427-437.
    """
    rows = np.asarray(table, np.float64)
    return _of_axis(rows.T, rows.sum(axis=1))


def mean_f1(table: ArrayLike, *, by_support: bool = False) -> Mean | None:
    """Return the mean F1 of the classes that were predicted or came: ``(1/m) Σ 2 nₖₖ / (rₖ + cₖ)``.

    Args:
        table: shape (classes, classes), rows by predicted and true class.
        by_support: Whether classes are weighted with their labels rather than alike.

    Returns:
        As `mean_recall`; None of an empty table.

    Source:
        K. Takahashi, K. Yamamoto, A. Kuchiba and T. Koyama (2022), Applied Intelligence 52,
        4961-4972; the means as in scikit-learn's ``f1_score``.
    """
    rows = np.asarray(table, np.float64)
    came = rows.sum(axis=0)
    both = came + rows.sum(axis=1)
    there = both > 0
    if not there.any():
        return None
    each = np.divide(2 * np.diag(rows), both, out=np.zeros_like(both), where=there)
    total = float(rows.sum())
    weights = came / total if by_support else there / int(there.sum())
    value = float(np.dot(weights, each))
    share = np.divide(weights, both, out=np.zeros_like(both), where=there)
    gradient = np.diag(2 * share) - (share * each)[:, None] - (share * each)[None, :]
    if by_support:
        gradient += (each - value)[None, :] / total
    trials = total if by_support else _trials(both[there] / 2)
    return Mean(value, float((rows * gradient**2).sum()), trials, int(there.sum()))


def _of_axis(rows: FloatArray, totals: FloatArray) -> Mean | None:
    """Return the mean over columns that have rows of the share that is on the diagonal."""
    there = totals > 0
    if not there.any():
        return None
    classes = int(there.sum())
    each = np.divide(np.diag(rows), totals, out=np.zeros_like(totals), where=there)
    share = np.divide(1 / classes, totals, out=np.zeros_like(totals), where=there)
    gradient = np.diag(share) - (share * each)[None, :]
    variance = float((rows * gradient**2).sum())
    return Mean(float(each[there].mean()), variance, _trials(totals[there]), classes)


def _trials(totals: FloatArray) -> float:
    return float(len(totals) ** 2 / (1 / totals).sum())
