"""Share of right decisions, without labels."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_score_decision_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import accuracy
from monitor.measures.performance.expectation import (
    Formula,
    description,
    estimated_of_decisions,
)
from monitor.uncertainty.expected import ExpectedTable


def measure(pair: ProfilePair) -> Result:
    """Return the share of right decisions that labels will show, if there is no concept drift.

    CBPE (`monitor.uncertainty.expected`) over all rows of the window with a finite score and a
    known decision, labelled or not. In [0, 1]. The interval is that of what the labels of these
    rows will show: of their chance, and of the baseline's labels that the chances are learned from.
    It does not cover concept drift, which no window without labels can show.

    Unmeasurable: the baseline has fewer than ten labels of a class; no row has a score and a
    decision.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    return estimated_of_decisions(pair, formula, accuracy.level)


def formula(table: ExpectedTable) -> Formula:
    """Return ``(TP + TN) / n`` of an expected table."""
    rows = table.positive + table.negative
    right = table.hits + table.negative - table.misses
    return Formula(right / rows, 1 / rows, -1 / rows)


MEASURE = ModelMeasure(
    description("estimated_accuracy", "share of right decisions"),
    measure,
    applies=has_score_decision_and_label,
)
