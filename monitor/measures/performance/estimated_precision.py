"""Precision, without labels."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_score_decision_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import precision
from monitor.measures.performance.expectation import (
    Formula,
    description,
    estimated_of_decisions,
)
from monitor.uncertainty.expected import ExpectedTable


def measure(pair: ProfilePair) -> Result:
    """Return the precision that labels will show, if there is no concept drift.

    CBPE (`monitor.uncertainty.expected`) over all rows of the window with a finite score and a
    known decision, labelled or not. In [0, 1]. The interval is that of what the labels of these
    rows will show: of their chance, and of the baseline's labels that the chances are learned from.
    It does not cover concept drift, which no window without labels can show.

    Unmeasurable: the baseline has fewer than ten labels of a class; no row has a score and a
    decision; no decision is positive.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    return estimated_of_decisions(pair, formula, precision.level)


def formula(table: ExpectedTable) -> Formula | str:
    """Return ``TP / (TP + FP)`` of an expected table."""
    if not table.positive:
        return "no decision of the window is positive"
    return Formula(table.hits / table.positive, 1 / table.positive, 0.0)


MEASURE = ModelMeasure(
    description("estimated_precision", "precision"), measure, applies=has_score_decision_and_label
)
