"""Mean F1 of the classes, all weighing alike, without labels."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import macro_f1
from monitor.measures.performance.class_expectation import estimated_of_classes
from monitor.measures.performance.expectation import Formula, description
from monitor.uncertainty.expected import ExpectedTable


def measure(pair: ProfilePair) -> Result:
    """Return the mean F1 of the classes that labels will show, if there is no concept drift.

    ``(1/m) Σ 2 TPₖ / (rₖ + cₖ)`` of the expected tables, over the m classes that are predicted or
    expected to come (`class_tables`). In [0, 1]. The interval
    supposes that all classes err alike, and so is rather too wide.

    Unmeasurable: as `class_tables`.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    return estimated_of_classes(pair, _of_class, macro_f1.level)


def _of_class(table: ExpectedTable) -> Formula | None:
    both = table.positive + table.hits + table.misses
    if not both:
        return None
    value = 2 * table.hits / both
    return Formula(value, (2 - value) / both, -value / both)


MEASURE = ModelMeasure(
    description("estimated_macro_f1", "mean F1 of the classes"),
    measure,
    applies=has_probabilities_and_label,
)
