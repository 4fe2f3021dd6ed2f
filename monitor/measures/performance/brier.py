"""Brier score."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import Level, Side, chance_sums, mean_level, now, rise_of


def level(side: Side) -> Level | Unmeasurable:
    """Return the Brier score of one side.

    The mean of ``(score − y)²`` with y 0 or 1. In [0, 1]; 0.25 for a score of 0.5 throughout. Exact
    to rounding. It falls with calibration as well as with order.

    Unmeasurable: no label has arrived, or none for a finite score; fewer than two of them; a score
    outside 0 to 1; errors that the profile was stored without.

    Source:
        G. W. Brier (1950), Monthly Weather Review 78, 1-3.
    """
    sums = chance_sums(side)
    if isinstance(sums, Unmeasurable):
        return sums
    return mean_level(sums.squared, sums.fourth, sums.rows, side)


MEASURE = ModelMeasure(
    Description(
        id="brier",
        family=Family.PERFORMANCE,
        title="Brier score",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Brier (1950)",
    ),
    partial(now, level),
    applies=has_score_and_label,
)

RISE = rise_of(MEASURE, level, "rise of the Brier score")
