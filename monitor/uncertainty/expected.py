"""How well decisions and scores do while labels are not known, from what labels were before.

Confidence-based performance estimation: the labels of a baseline say how likely a positive label is
at each score (`calibrate`); with that, the rows of a window are what they would be on average. All
of it assumes that a score still means what it meant: that there is no concept drift.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from monitor.uncertainty.interval import FloatArray
from monitor.uncertainty.isotonic import isotonic

LEAST_EXPECTED = 2.0
"""Expected rows of each class that an AUC is taken from."""


class Calibration(NamedTuple):
    """How likely a positive label was at each score.

    Attributes:
        scores: shape (k,), increasing.
        chances: shape (k,), non-decreasing, in [0, 1].
        blocks: shape (k,), the run of equal chances that each score belongs to.
        variances: shape (blocks,), of the chance of each.
    """

    scores: FloatArray
    chances: FloatArray
    blocks: NDArray[np.intp]
    variances: FloatArray

    def of(self, scores: FloatArray) -> FloatArray:
        """Return the chance of a positive label at any score.

        Between two scores of the baseline on the straight line between their chances; beyond the
        first and the last, theirs.
        """
        return np.asarray(np.interp(scores, self.scores, self.chances))

    def by_block(self, scores: FloatArray, weights: FloatArray) -> FloatArray:
        """Return sums of weights over the scores that rest on the same block, shape (blocks,)."""
        places = np.searchsorted(self.scores, scores, side="right") - 1
        blocks = self.blocks[np.maximum(places, 0)]
        return np.bincount(blocks, weights, len(self.variances)).astype(np.float64)


def calibrate(scores: ArrayLike, negatives: ArrayLike, positives: ArrayLike) -> Calibration:
    """Return the non-decreasing chance of a positive label that fits counted labels best.

    Isotonic least-squares regression of the share of positive labels, weighted with the rows. The
    variance of a block's chance is that of its Beta posterior under an even prior, so that a block
    of few rows that are all alike is not taken for certain.

    Args:
        scores: Shape (k,), increasing; at least one.
        negatives: Shape (k,), rows labelled negative at each score.
        positives: Shape (k,), rows labelled positive.

    Raises:
        ValueError: A score has no row.

    Source:
        B. Zadrozny and C. Elkan (2002), Transforming classifier scores into accurate multiclass
        probability estimates, KDD, 694-699.
    """
    hits = np.asarray(positives, np.float64)
    rows = hits + np.asarray(negatives, np.float64)
    if not (rows > 0).all():
        raise ValueError("a score without rows says nothing of its chance")
    chances, starts = isotonic(hits / rows, rows)
    block_hits, block_rows = np.add.reduceat(hits, starts), np.add.reduceat(rows, starts)
    middle = (block_hits + 1) / (block_rows + 2)
    return Calibration(
        np.asarray(scores, np.float64),
        np.clip(chances, 0.0, 1.0),
        np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(rows)))),
        middle * (1 - middle) / (block_rows + 3),
    )


class ExpectedTable(NamedTuple):
    """The decisions of a window as they would turn out on average.

    Attributes:
        hits: Positive decisions that are expected to be right.
        misses: Negative decisions that are expected to be wrong.
        positive: Positive decisions.
        negative: Negative decisions.
        covariance: shape (2, 2), of the hits and misses that labels will show: of labels that are
            drawn with their chances, and of these chances.
    """

    hits: float
    misses: float
    positive: float
    negative: float
    covariance: FloatArray

    def variance(self, by_hit: float, by_miss: float) -> float:
        """Return the variance of a number with the given derivatives by hits and misses."""
        gradient = np.array([by_hit, by_miss])
        return max(float(gradient @ self.covariance @ gradient), 0.0)  # below it by rounding


def expected_table(
    calibration: Calibration, scores: FloatArray, negative: ArrayLike, positive: ArrayLike
) -> ExpectedTable:
    """Return the expected confusion table of decisions.

    Args:
        calibration: Of the baseline.
        scores: Shape (k,), in any order.
        negative: Shape (k,), rows of each score that were decided negatively.
        positive: Shape (k,), rows that were decided positively.

    Source:
        NannyML, How it works: confidence-based performance estimation (CBPE).
    """
    chances = calibration.of(scores)
    decided = [np.asarray(rows, np.float64) for rows in (positive, negative)]
    hits, misses = (float(np.dot(rows, chances)) for rows in decided)
    drawn = [float(np.dot(rows, chances * (1 - chances))) for rows in decided]
    blocks = np.stack([calibration.by_block(scores, rows) for rows in decided])
    covariance = np.diag(drawn) + (blocks * calibration.variances) @ blocks.T
    return ExpectedTable(hits, misses, float(decided[0].sum()), float(decided[1].sum()), covariance)


class Realised(NamedTuple):
    """Decisions whose label has come, by both."""

    hits: int
    false_alarms: int
    misses: int
    rejections: int


def adjusted_table(
    calibration: Calibration,
    scores: FloatArray,
    waiting: ArrayLike,
    known: ArrayLike,
    realised: Realised,
) -> ExpectedTable:
    """Return the confusion table of decisions: counted where labels are, expected where not.

    The covariance is that of all labels drawn with their chances, of which those that have come are
    one draw, and of the chances that the others are expected with. Without labels it is
    `expected_table`; with all of them hits and misses are the counted ones.

    Args:
        calibration: Of the baseline.
        scores: Shape (k,), in any order.
        waiting: Shape (2, k), rows without a label, decided negatively and positively.
        known: The same of rows with one.
        realised: The latter by label.
    """
    negative, positive = np.asarray(waiting, np.float64)
    rest = expected_table(calibration, scores, negative, positive)
    chances = calibration.of(scores)
    drawn = [
        float(np.dot(np.asarray(rows, np.float64), chances * (1 - chances)))
        for rows in np.asarray(known)[::-1]
    ]
    return ExpectedTable(
        rest.hits + realised.hits,
        rest.misses + realised.misses,
        rest.positive + realised.hits + realised.false_alarms,
        rest.negative + realised.misses + realised.rejections,
        rest.covariance + np.diag(drawn),
    )


class ExpectedAuc(NamedTuple):
    """The AUC that labels are expected to show.

    Attributes:
        value: The AUC.
        drawn: Variance of the AUC of labels that are drawn with their chances.
        fitted: Variance by these chances.
    """

    value: float
    drawn: float
    fitted: float


class ScoredRows(NamedTuple):
    """Rows of one kind, counted in ordered cells of a score.

    Attributes:
        calibration: How likely a positive label is at their scores.
        scores: shape (k,), the score of each cell.
        waiting: shape (k,), rows without a label.
        known: shape (2, k), rows labelled negative, and rows labelled positive.
    """

    calibration: Calibration
    scores: FloatArray
    waiting: FloatArray
    known: FloatArray


def expected_auc(
    calibration: Calibration,
    scores: FloatArray,
    rows: ArrayLike,
    known: ArrayLike | None = None,
) -> ExpectedAuc | None:
    """Return the expected area under the ROC curve of scores whose labels are not (all) known.

    `expected_auc_of` of rows of one kind.

    Args:
        calibration: Of the baseline.
        scores: Shape (k,), increasing where there are rows.
        rows: Shape (k,), rows without a label.
        known: Shape (2, k), rows labelled negative, and rows labelled positive.
    """
    waiting = np.asarray(rows, np.float64)
    labelled = np.zeros((2, len(waiting))) if known is None else np.asarray(known, np.float64)
    return expected_auc_of([ScoredRows(calibration, scores, waiting, labelled)])


def expected_auc_of(kinds: Sequence[ScoredRows]) -> ExpectedAuc | None:
    """Return the expected area under the ROC curve of rows of several kinds on the same cells.

    That of a table in which each row without a label is positive by its chance and negative by the
    rest of it; rows of one cell are ties, of whatever kind. Variances are those of the delta method,
    of all labels drawn with their chances, of which those that are known are one draw.

    Args:
        kinds: At least one.

    Returns:
        The AUC; None where fewer than `LEAST_EXPECTED` rows of a class are expected.
    """
    chances = [kind.calibration.of(kind.scores) for kind in kinds]
    both = list(zip(kinds, chances, strict=True))
    positive = np.sum([kind.waiting * chance + kind.known[1] for kind, chance in both], axis=0)
    negative = np.sum(
        [kind.waiting * (1 - chance) + kind.known[0] for kind, chance in both], axis=0
    )
    positives, negatives = float(positive.sum()), float(negative.sum())
    if min(positives, negatives) < LEAST_EXPECTED:
        return None
    below = (np.cumsum(negative) - negative / 2) / negatives
    above = 1 - (np.cumsum(positive) - positive / 2) / positives
    value = float(np.dot(positive, below) / positives)
    gradient = (below - value) / positives - (above - value) / negatives
    drawn = fitted = 0.0
    for kind, chance in both:
        every = kind.waiting + kind.known.sum(axis=0)
        drawn += float(np.dot(every * gradient**2, chance * (1 - chance)))
        blocks = kind.calibration.by_block(kind.scores, kind.waiting * gradient)
        fitted += float(np.dot(blocks**2, kind.calibration.variances))
    return ExpectedAuc(value, drawn, fitted)
