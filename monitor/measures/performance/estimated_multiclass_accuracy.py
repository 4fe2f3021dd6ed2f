"""Share of rows whose class is right, without labels."""

from monitor.domain.estimate import Result, Unmeasurable
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import multiclass_accuracy
from monitor.measures.performance.class_expectation import class_tables, estimate_of
from monitor.measures.performance.expectation import description


def measure(pair: ProfilePair) -> Result:
    """Return the share of right classes that labels will show, if there is no concept drift.

    ``Σ TPₖ / n`` of the expected tables of the classes (`class_tables`), over the rows with a
    predicted class and a probability of every class. In [0, 1]. Rows that were predicted to be of
    different classes are different rows, so variances add up.

    Unmeasurable: as `class_tables`.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    found = class_tables(pair)
    if isinstance(found, Unmeasurable):
        return found
    right = sum(table.hits for table in found.tables)
    variance = sum(table.variance(1.0, 0.0) for table in found.tables)
    value, variance = right / found.rows, variance / found.rows**2
    return estimate_of(pair, found, value, variance, level=multiclass_accuracy.level)


MEASURE = ModelMeasure(
    description("estimated_multiclass_accuracy", "share of right classes"),
    measure,
    applies=has_probabilities_and_label,
)
