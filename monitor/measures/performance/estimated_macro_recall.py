"""Mean recall of the classes, all weighing alike, without labels."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import macro_recall
from monitor.measures.performance.class_expectation import estimated_of_classes
from monitor.measures.performance.expectation import Formula, description
from monitor.uncertainty.expected import ExpectedTable


def measure(pair: ProfilePair) -> Result:
    """Return the mean recall of the classes that labels will show, if there is no concept drift.

    ``(1/m) Σ TPₖ / cₖ`` of the expected tables, over the m classes that are expected to come (`class_tables`). In [0, 1]. The interval
    supposes that all classes err alike, and so is rather too wide.

    Unmeasurable: as `class_tables`.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    return estimated_of_classes(pair, _of_class, macro_recall.level)


def _of_class(table: ExpectedTable) -> Formula | None:
    came = table.hits + table.misses
    if not came:
        return None
    value = table.hits / came
    return Formula(value, (1 - value) / came, -value / came)


MEASURE = ModelMeasure(
    description("estimated_macro_recall", "mean recall of the classes"),
    measure,
    applies=has_probabilities_and_label,
)
