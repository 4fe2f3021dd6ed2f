"""Mean precision of the classes, all weighing alike, without labels."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import macro_precision
from monitor.measures.performance.class_expectation import estimated_of_classes
from monitor.measures.performance.expectation import Formula, description
from monitor.uncertainty.expected import ExpectedTable


def measure(pair: ProfilePair) -> Result:
    """Return the mean precision of the classes that labels will show, if there is no concept drift.

    ``(1/m) Σ TPₖ / rₖ`` of the expected tables, over the m classes that are predicted (`class_tables`). In [0, 1]. The interval
    supposes that all classes err alike, and so is rather too wide.

    Unmeasurable: as `class_tables`.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    return estimated_of_classes(pair, _of_class, macro_precision.level)


def _of_class(table: ExpectedTable) -> Formula | None:
    if not table.positive:
        return None
    return Formula(table.hits / table.positive, 1 / table.positive, 0.0)


MEASURE = ModelMeasure(
    description("estimated_macro_precision", "mean precision of the classes"),
    measure,
    applies=has_probabilities_and_label,
)
