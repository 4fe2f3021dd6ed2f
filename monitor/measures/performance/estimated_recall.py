"""Recall, without labels."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_score_decision_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import recall
from monitor.measures.performance.expectation import (
    Formula,
    description,
    estimated_of_decisions,
)
from monitor.uncertainty.expected import ExpectedTable


def measure(pair: ProfilePair) -> Result:
    """Return the recall that labels will show, if there is no concept drift.

    CBPE (`monitor.uncertainty.expected`) over all rows of the window with a finite score and a
    known decision, labelled or not. In [0, 1]. The interval is that of what the labels of these
    rows will show: of their chance, and of the baseline's labels that the chances are learned from.
    It does not cover concept drift, which no window without labels can show.

    Unmeasurable: the baseline has fewer than ten labels of a class; no row has a score and a
    decision; no label is expected to be positive.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    return estimated_of_decisions(pair, formula, recall.level)


def formula(table: ExpectedTable) -> Formula | str:
    """Return ``TP / (TP + FN)`` of an expected table."""
    positives = table.hits + table.misses
    if not positives:
        return "no label of the window is expected to be positive"
    value = table.hits / positives
    return Formula(value, (1 - value) / positives, -value / positives)


MEASURE = ModelMeasure(
    description("estimated_recall", "recall"), measure, applies=has_score_decision_and_label
)
