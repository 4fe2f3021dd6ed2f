"""F1, classes weighing as their labels."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_classes_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.classes import mean_level
from monitor.measures.performance.level import Level, Side, fall_of, now
from monitor.uncertainty.multiclass import mean_f1


def level(side: Side) -> Level | Unmeasurable:
    """Return the mean F1 of the classes of one side, each weighted with its labels.

    ``Σ (cₖ/n) 2 nₖₖ / (rₖ + cₖ)``. In [0, 1]; as scikit-learn's ``f1_score(average="weighted")``. Rare
    classes hardly count. Details as of `macro_f1`.

    Unmeasurable: no row has both a predicted class and a label.

    Source:
        K. Takahashi, K. Yamamoto, A. Kuchiba and T. Koyama (2022), Applied Intelligence 52, 4961-4972.
    """
    return mean_level(side, partial(mean_f1, by_support=True))


MEASURE = ModelMeasure(
    Description(
        id="weighted_f1",
        family=Family.PERFORMANCE,
        title="mean F1 of the classes, weighted with their labels",
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

DROP = fall_of(MEASURE, level, "loss of the weighted F1")
