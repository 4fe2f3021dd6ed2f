"""F1, with the labels that have come."""

from monitor.domain.estimate import Result
from monitor.measures.applicability import has_score_decision_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import estimated_f1, f1
from monitor.measures.performance.delay_adjusted import (
    adjusted_description,
    adjusted_of_decisions,
)


def measure(pair: ProfilePair) -> Result:
    """Return the F1 of all rows, those that wait for their labels as well.

    Decisions with a label count as it says, those without one as `estimated_f1` expects them:
    assuming no concept drift for them, and that of rows with one score it does not depend on the
    outcome whose label comes first. In [0, 1]. Without labels it is `estimated_f1`, with all of them
    `f1`. ``detail`` has the rows with a label (``labelled``), those without (``waiting``) and the
    value of the former alone (``realised``). The interval is that of what labels drawn with their
    chances would show, and of the chances that the rest is expected with.

    Unmeasurable: as `estimated_f1`; a window that was stored before labels were counted by score
    and decision.

    Source:
        NannyML, confidence-based performance estimation; the sum of what is known and what is
        expected of the rest is imputation by the mean (R. J. A. Little and D. B. Rubin (2019),
        Statistical Analysis with Missing Data, 4.2).
    """
    return adjusted_of_decisions(pair, estimated_f1.formula, f1.level)


MEASURE = ModelMeasure(
    adjusted_description("f1_delay_adjusted", "F1"),
    measure,
    applies=has_score_decision_and_label,
)
