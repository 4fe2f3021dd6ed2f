"""Share of wrong decisions of each group, without labels."""

from monitor.measures.disparity import error_rate
from monitor.measures.disparity.estimated import estimated_of
from monitor.measures.performance.expectation import Formula
from monitor.uncertainty.expected import ExpectedTable


def formula(table: ExpectedTable) -> Formula:
    """Return ``(FP + FN) / n`` of an expected table."""
    rows = table.positive + table.negative
    return Formula((table.positive - table.hits + table.misses) / rows, -1 / rows, 1 / rows)


MEASURE = estimated_of(error_rate.RATE, formula)
