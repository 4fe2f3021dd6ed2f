"""F1, without labels."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_score_decision_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import f1
from monitor.measures.performance.expectation import (
    Formula,
    description,
    estimated_of_decisions,
)
from monitor.uncertainty.expected import ExpectedTable


def measure(pair: ProfilePair) -> Result:
    """Return the F1 that labels will show, if there is no concept drift.

    CBPE (`monitor.uncertainty.expected`) over all rows of the window with a finite score and a
    known decision, labelled or not. In [0, 1]. The interval is that of what the labels of these
    rows will show: of their chance, and of the baseline's labels that the chances are learned from.
    It does not cover concept drift, which no window without labels can show.

    Unmeasurable: the baseline has fewer than ten labels of a class; no row has a score and a
    decision; neither a decision is positive nor a label expected to be.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    return estimated_of_decisions(pair, formula, f1.level)


def formula(table: ExpectedTable) -> Formula | str:
    """Return ``2 TP / (2 TP + FP + FN)`` of an expected table."""
    counted = table.positive + table.hits + table.misses
    if not counted:
        return "the window has no positive decision, and no positive label is expected"
    value = 2 * table.hits / counted
    return Formula(value, (2 - value) / counted, -value / counted)


MEASURE = ModelMeasure(
    description("estimated_f1", "F1"), measure, applies=has_score_decision_and_label
)
