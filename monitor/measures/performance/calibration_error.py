"""Expected calibration error."""

from functools import partial

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.grouping import decile_ends
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import LEVEL, Level, Side, chance_sums, now, rise_of
from monitor.profile.counts import NumericCounts
from monitor.uncertainty.proportion import wilson


def level(side: Side) -> Level | Unmeasurable:
    """Return the expected calibration error of one side.

    ``Σ wₖ |ȳₖ − s̄ₖ|`` over the ten groups between the deciles of the baseline's scores: the share
    of positive labels in a group less its mean score, weighted with its share of the labelled
    scores. In [0, 1]; 0 when of the cases that were given 30 %, 30 % came true. It is above 0 by
    chance alone: by about ``√(p (1 − p) / n)`` of a group.

    The mean score of a cell is that of all its rows, labelled or not: a cell is so narrow that they
    are alike. The interval takes Wilson's of all groups together at the Bonferroni level and adds
    up the nearest and the farthest ends; it is wider than need be, and its lower end is 0 while
    chance explains everything.

    Unmeasurable: as the Brier score; a baseline without scores, which has no deciles.

    Source:
        M. P. Naeini, G. F. Cooper and M. Hauskrecht (2015), Obtaining well calibrated probabilities
        using Bayesian binning, AAAI 29, 2901-2907; groups of equal mass as in K. Nguyen and
        B. O'Connor (2015), EMNLP, 1587-1598.
    """
    lacking = chance_sums(side)
    if isinstance(lacking, Unmeasurable):
        return lacking
    grid, counts = side.score
    reference = side.baseline.fields[side.grid.score]
    if not isinstance(reference, NumericCounts) or not reference.n:
        return Unmeasurable(Absence.NO_BASELINE, "the baseline has no scores to take deciles of")
    starts = np.concatenate([[0], decile_ends(reference.cells)[:-1]])
    labels = side.profile.score_by_label.sum(axis=0)
    mean = np.divide(counts.sums, counts.cells, out=np.zeros(grid.cells), where=counts.cells > 0)
    scores = np.clip(grid.center + grid.scale * mean, 0.0, 1.0)  # those without a label may be huge
    rows = np.add.reduceat(labels, starts)
    filled = rows > 0
    rows = rows[filled]
    positives = np.add.reduceat(side.profile.score_by_label[1], starts)[filled]
    means = np.add.reduceat(labels * scores, starts)[filled] / rows
    weights = rows / rows.sum()
    gaps = np.abs(positives / rows - means)
    low, high = wilson(positives, rows, 1 - (1 - LEVEL) / len(rows))
    nearest = np.clip(np.maximum(low - means, means - high), 0.0, None)
    farthest = np.maximum(high - means, means - low)
    return Level(
        float(np.dot(weights, gaps)),
        float(np.dot(weights, nearest)),
        float(np.dot(weights, farthest)),
        int(rows.sum()),
        "Wilson of all groups",
        {"groups": len(rows)},
    )


MEASURE = ModelMeasure(
    Description(
        id="calibration_error",
        family=Family.PERFORMANCE,
        title="expected calibration error",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Naeini, Cooper and Hauskrecht (2015)",
    ),
    partial(now, level),
    applies=has_score_and_label,
)

RISE = rise_of(MEASURE, level, "rise of the expected calibration error")
