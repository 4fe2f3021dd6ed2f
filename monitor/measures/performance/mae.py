"""Mean absolute error."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_number_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import (
    Level,
    Side,
    error_sums,
    mean_level,
    now,
    rise_of,
    scaled,
)


def level(side: Side) -> Level | Unmeasurable:
    """Return the mean absolute error of one side.

    The mean of ``|score − label|``, in the label's unit; from 0, no upper bound.

    Unmeasurable: no label has arrived, or none for a finite score; fewer than two of them; errors
    beyond a double, or that the profile was stored without.

    Source:
        Student (1908), Biometrika 6, 1-25.
    """
    sums = error_sums(side)
    if isinstance(sums, Unmeasurable):
        return sums
    return scaled(mean_level(sums.absolute, sums.squared, sums.rows, side), side)


MEASURE = ModelMeasure(
    Description(
        id="mae",
        family=Family.PERFORMANCE,
        title="mean absolute error",
        unit="unit of the label",
        unchanged=None,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Student (1908)",
    ),
    partial(now, level),
    applies=has_number_label,
)

RISE = rise_of(MEASURE, level, "rise of the mean absolute error")
