"""Area under the ROC curve of each group."""

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Effect
from monitor.domain.limit import Band
from monitor.measures.applicability import has_score_and_label
from monitor.measures.disparity.quantity import (
    Ends,
    Kind,
    Quantity,
    Sample,
    measures_of_quantity,
)
from monitor.measures.disparity.rate import LEVEL, Harm
from monitor.measures.group_scores import ScoresOfGroups
from monitor.measures.measure import Description, Family
from monitor.profile.grid import IntArray
from monitor.special import ndtr
from monitor.uncertainty.auc import LEAST_ROWS, AreaUnderCurve, auc
from monitor.uncertainty.difference import mover
from monitor.uncertainty.interval import Interval


def sample(
    scores: ScoresOfGroups, groups: IntArray, name: str, band: Band
) -> Sample | Unmeasurable:
    """Return the probability that a positive row of the groups scores above a negative one of theirs.

    Over the score's cells, scores in one cell counting as ties. It takes ``band.min_rows`` labelled
    rows and ``band.min_expected`` of either class.
    """
    negatives, positives = scores.labelled(groups)
    counts = int(negatives.sum()), int(positives.sum())
    rows = sum(counts)
    if not rows:
        return Unmeasurable(Absence.NO_LABELS, f"no row of {name} has a finite score and a label")
    for count, kind in zip(counts, ("negative", "positive"), strict=True):
        if not count:
            why = f"no row of {name} with a finite score has a {kind} label"
            return Unmeasurable(Absence.UNDEFINED, why, rows)
    if rows < band.min_rows or min(counts) < max(band.min_expected, LEAST_ROWS):
        why = (
            f"{name} has {counts[0]} negative and {counts[1]} positive labels where {band.min_rows} "
            f"in all and {max(band.min_expected, LEAST_ROWS):g} of each are needed"
        )
        return Unmeasurable(Absence.INSUFFICIENT_DATA, why, rows)
    found = auc(negatives, positives, LEVEL)
    detail = {
        "standard_error": found.standard_error,
        "negatives": counts[0],
        "positives": counts[1],
    }
    return Sample(found.value, rows, (negatives, positives), detail)


def _area(of: Sample, level: float) -> AreaUnderCurve:
    negatives, positives = of.data
    return auc(negatives, positives, level)


def _interval(of: Sample, level: float) -> Ends:
    low, high = _area(of, level).interval
    return float(low), float(high)


def _against(one: Sample, other: Sample, level: float) -> Ends:
    areas = [_area(side, level) for side in (one, other)]
    values = [np.float64(area.value) for area in areas]
    intervals: list[Interval] = [area.interval for area in areas]
    low, high = mover(values[0], intervals[0], values[1], intervals[1])
    return max(float(low), -1.0), min(float(high), 1.0)


def _test(one: Sample, other: Sample) -> tuple[float, float]:
    areas = [_area(side, LEVEL) for side in (one, other)]
    difference = areas[0].value - areas[1].value
    error = float(np.hypot(areas[0].standard_error, areas[1].standard_error))
    if error == 0:
        return (0.0 if difference else 1.0), 0.0
    return float(2 * ndtr(-abs(difference) / error)), difference / error


QUANTITY = Quantity(
    Description(
        id="group_auc",
        family=Family.DISPARITY,
        title="AUC",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="DeLong, DeLong and Clarke-Pearson (1988)",
    ),
    Kind(
        suffix="_difference",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        value=lambda one, other: one - other,
        interval=_interval,
        against=_against,
        test=_test,
        method="DeLong variance",
        method_against="DeLong variance, MOVER",
    ),
    sample,
    {Effect.FAVOURABLE: Harm.LOW, Effect.HARMFUL: Harm.LOW},
    has_score_and_label,
    "DeLong, DeLong and Clarke-Pearson (1988); Zou and Donner (2008); Holm (1979)",
)
"""How well the score tells those of a group apart from each other: a low one harms."""

MEASURES = measures_of_quantity(QUANTITY)
