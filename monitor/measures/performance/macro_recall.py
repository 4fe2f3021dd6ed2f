"""Recall, all classes weighing alike."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_classes_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.classes import mean_level
from monitor.measures.performance.level import Level, Side, fall_of, now
from monitor.uncertainty.multiclass import mean_recall


def level(side: Side) -> Level | Unmeasurable:
    """Return the mean recall of the classes of one side, also called balanced accuracy.

    ``(1/m) Σ nₖₖ / cₖ`` over the m classes that came. In [0, 1]; as scikit-learn's
    ``balanced_accuracy_score``. ``absent`` of ``detail`` counts the classes of which no label came.

    Unmeasurable: no row has both a predicted class and a label.

    Source:
        K. H. Brodersen, C. S. Ong, K. E. Stephan and J. M. Buhmann (2010), ICPR, 3121-3124.
    """
    return mean_level(side, mean_recall)


MEASURE = ModelMeasure(
    Description(
        id="macro_recall",
        family=Family.PERFORMANCE,
        title="mean recall of the classes",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Brodersen et al. (2010)",
    ),
    partial(now, level),
    applies=has_classes_and_label,
)

DROP = fall_of(MEASURE, level, "loss of the mean recall of the classes")
