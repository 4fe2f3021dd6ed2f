"""Mean error."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_number_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import (
    Level,
    Side,
    change_of,
    error_sums,
    mean_level,
    now,
    scaled,
)


def level(side: Side) -> Level | Unmeasurable:
    """Return the mean error of one side.

    The mean of ``score − label``, in the label's unit: above 0, the model says too much. Signed and
    unbounded.

    Unmeasurable: no label has arrived, or none for a finite score; fewer than two of them; errors
    beyond a double, or that the profile was stored without.

    Source:
        Student (1908), Biometrika 6, 1-25.
    """
    sums = error_sums(side)
    if isinstance(sums, Unmeasurable):
        return sums
    return scaled(mean_level(sums.error, sums.squared, sums.rows, side), side)


MEASURE = ModelMeasure(
    Description(
        id="mean_error",
        family=Family.PERFORMANCE,
        title="mean error",
        unit="unit of the label",
        unchanged=None,
        lower=None,
        upper=None,
        symmetric=False,
        source="Student (1908)",
    ),
    partial(now, level),
    applies=has_number_label,
)

CHANGE = change_of(MEASURE, level, "change of the mean error")
