"""Precision, all classes weighing alike."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_classes_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.classes import mean_level
from monitor.measures.performance.level import Level, Side, fall_of, now
from monitor.uncertainty.multiclass import mean_precision


def level(side: Side) -> Level | Unmeasurable:
    """Return the mean precision of the classes of one side.

    ``(1/m) Σ nₖₖ / rₖ`` over the m classes that were predicted. In [0, 1]. A class that is never
    predicted has no precision and is in no mean; ``absent`` of ``detail`` counts these classes, whose
    recall, if they come, is 0. (scikit-learn takes their precision for 0, with a warning.)

    Unmeasurable: no row has both a predicted class and a label.

    Source:
        M. Sokolova and G. Lapalme (2009), Information Processing & Management 45, 427-437.
    """
    return mean_level(side, mean_precision)


MEASURE = ModelMeasure(
    Description(
        id="macro_precision",
        family=Family.PERFORMANCE,
        title="mean precision of the classes",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Sokolova and Lapalme (2009)",
    ),
    partial(now, level),
    applies=has_classes_and_label,
)

DROP = fall_of(MEASURE, level, "loss of the mean precision of the classes")
