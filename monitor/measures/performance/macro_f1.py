"""F1, all classes weighing alike."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_classes_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.classes import mean_level
from monitor.measures.performance.level import Level, Side, fall_of, now
from monitor.uncertainty.multiclass import mean_f1


def level(side: Side) -> Level | Unmeasurable:
    """Return the mean F1 of the classes of one side.

    ``(1/m) Σ 2 nₖₖ / (rₖ + cₖ)`` with the rows r that were predicted to be of a class and the rows c
    that were of it, over the m classes that were predicted or came. In [0, 1]; as scikit-learn's
    ``f1_score(average="macro")``. A class that comes and is never predicted counts as 0. Details:
    ``classes`` m, and ``absent``, how many declared ones neither came nor were predicted.

    Unmeasurable: no row has both a predicted class and a label.

    Source:
        K. Takahashi, K. Yamamoto, A. Kuchiba and T. Koyama (2022), Applied Intelligence 52, 4961-4972.
    """
    return mean_level(side, mean_f1)


MEASURE = ModelMeasure(
    Description(
        id="macro_f1",
        family=Family.PERFORMANCE,
        title="mean F1 of the classes",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Takahashi et al. (2022)",
    ),
    partial(now, level),
    applies=has_classes_and_label,
)

DROP = fall_of(MEASURE, level, "loss of the mean F1 of the classes")
