"""Root of the mean squared error."""

from functools import partial

from msgspec.structs import replace

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
    """Return the root mean squared error of one side.

    ``√ mean (score − label)²``, in the label's unit; from 0, no upper bound. The interval is the
    root of Student's interval of the mean square. Large errors weigh more than in the mean absolute
    error.

    Unmeasurable: no label has arrived, or none for a finite score; fewer than two of them; errors
    beyond a double, or that the profile was stored without.

    Source:
        Student (1908), Biometrika 6, 1-25.
    """
    sums = error_sums(side)
    if isinstance(sums, Unmeasurable):
        return sums
    square = mean_level(sums.squared, sums.fourth, sums.rows, side)
    if isinstance(square, Unmeasurable):
        return square
    root = replace(
        square, value=square.value**0.5, low=max(square.low, 0.0) ** 0.5, high=square.high**0.5
    )
    return scaled(root, side)


MEASURE = ModelMeasure(
    Description(
        id="rmse",
        family=Family.PERFORMANCE,
        title="root mean squared error",
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

RISE = rise_of(MEASURE, level, "rise of the root mean squared error")
