"""False positive rate of each group, without labels."""

from monitor.measures.disparity import false_positive_rate
from monitor.measures.disparity.estimated import estimated_of
from monitor.measures.performance.expectation import Formula
from monitor.uncertainty.expected import ExpectedTable


def formula(table: ExpectedTable) -> Formula | str:
    """Return ``FP / (FP + TN)`` of an expected table."""
    false_alarms = table.positive - table.hits
    negatives = false_alarms + table.negative - table.misses
    if not negatives > 0:
        return "no negative label is expected"
    value = false_alarms / negatives
    return Formula(value, (value - 1) / negatives, value / negatives)


MEASURE = estimated_of(false_positive_rate.RATE, formula)
