"""Share of right decisions, with the labels that have come."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_score_decision_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import accuracy, estimated_accuracy
from monitor.measures.performance.delay_adjusted import (
    adjusted_description,
    adjusted_of_decisions,
)


def measure(pair: ProfilePair) -> Result:
    """Return the share of right decisions among all rows, those that wait for their labels as well.

    Decisions with a label count as it says, those without one as `estimated_accuracy` expects them:
    assuming no concept drift for them, and that of rows with one score it does not depend on the
    outcome whose label comes first. In [0, 1]. Without labels it is `estimated_accuracy`, with all of them
    `accuracy`. ``detail`` has the rows with a label (``labelled``), those without (``waiting``) and the
    value of the former alone (``realised``). The interval is that of what labels drawn with their
    chances would show, and of the chances that the rest is expected with.

    Unmeasurable: as `estimated_accuracy`; a window that was stored before labels were counted by score
    and decision.

    Source:
        NannyML, confidence-based performance estimation; the sum of what is known and what is
        expected of the rest is imputation by the mean (R. J. A. Little and D. B. Rubin (2019),
        Statistical Analysis with Missing Data, 4.2).
    """
    return adjusted_of_decisions(pair, estimated_accuracy.formula, accuracy.level)


MEASURE = ModelMeasure(
    adjusted_description("accuracy_delay_adjusted", "share of right decisions"),
    measure,
    applies=has_score_decision_and_label,
)
