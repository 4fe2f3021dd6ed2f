"""Share of rows whose class was right."""

from functools import partial

import numpy as np

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_classes_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.classes import class_table
from monitor.measures.performance.level import Level, Side, fall_of, now, proportion


def level(side: Side) -> Level | Unmeasurable:
    """Return the share of rows of one side whose class was right.

    ``Σ nₖₖ / n`` over the rows with a predicted class and a label that are both among the declared
    classes. In [0, 1]. Where one class is frequent, saying always that one has a high one.

    Unmeasurable: no row has both a predicted class and a label.

    Source:
        Wilson (1927).
    """
    table = class_table(side)
    if isinstance(table, Unmeasurable):
        return table
    return proportion(int(np.trace(table)), int(table.sum()))


MEASURE = ModelMeasure(
    Description(
        id="multiclass_accuracy",
        family=Family.PERFORMANCE,
        title="share of right classes",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Wilson (1927)",
    ),
    partial(now, level),
    applies=has_classes_and_label,
)

DROP = fall_of(MEASURE, level, "loss of right classes")
