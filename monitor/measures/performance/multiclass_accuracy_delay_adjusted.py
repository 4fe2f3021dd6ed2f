"""Share of right classes, with the labels that have come."""

import numpy as np
from msgspec.structs import replace

from monitor.domain.estimate import Result, Unmeasurable
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import multiclass_accuracy
from monitor.measures.performance.class_expectation import (
    ClassTables,
    Kind,
    estimate_of,
    learned,
)
from monitor.measures.performance.delay_adjusted import METHOD, adjusted_description
from monitor.profile.class_scores import NO_LABEL, THIS_CLASS


def measure(pair: ProfilePair) -> Result:
    """Return the share of right classes among all rows, those that wait for their labels as well.

    Rows with a label count as it says, those without one as `estimated_multiclass_accuracy` expects
    them: assuming no concept drift for them, and that of rows with one probability it does not
    depend on the outcome whose label comes first. Over the rows with a predicted class and a
    probability of every class. In [0, 1]. Without labels it is `estimated_multiclass_accuracy`, with
    all of them the share of right classes of these rows. ``detail`` has the rows with a label
    (``labelled``), those without (``waiting``) and the value of the former alone (``realised``). The
    interval is that of what labels drawn with their chances would show, and of the chances that the
    rest is expected with.

    Unmeasurable: as `estimated_multiclass_accuracy`.

    Source:
        NannyML, confidence-based performance estimation; the sum of what is known and what is
        expected of the rest is imputation by the mean (R. J. A. Little and D. B. Rubin (2019),
        Statistical Analysis with Missing Data, 4.2).
    """
    found = learned(pair)
    if isinstance(found, Unmeasurable):
        return found
    given = found.scores.rows[:, 1]
    labelled, right = int(given[:, :NO_LABEL].sum()), int(given[:, THIS_CLASS].sum())
    kinds = [found.kind(code, 1) for code in range(len(given))]
    expected, variance = np.sum([_waiting(kind) for kind in kinds if kind is not None], axis=0)
    whole = estimate_of(
        pair,
        ClassTables((), found.rows, found.labels),
        (right + float(expected)) / found.rows,
        float(variance) / found.rows**2,
        level=multiclass_accuracy.level,
    )
    realised = {"realised": right / labelled} if labelled else {}
    detail = {**whole.detail, "labelled": labelled, "waiting": found.rows - labelled, **realised}
    return replace(whole, method=METHOD, detail=detail)


def _waiting(kind: Kind) -> tuple[float, float]:
    """Return the rows without a label that are expected to be right, with the whole's variance.

    All labels are drawn with their chances, of which those that have come are one draw; the chances
    are learned of the others alone.
    """
    waiting, every = kind.rows[NO_LABEL].astype(np.float64), kind.rows.sum(axis=0)
    chances = kind.calibration.of(kind.scores)
    drawn = float(np.dot(every, chances * (1 - chances)))
    blocks = kind.calibration.by_block(kind.scores, waiting)
    return float(np.dot(waiting, chances)), drawn + float(
        np.dot(blocks**2, kind.calibration.variances)
    )


MEASURE = ModelMeasure(
    adjusted_description("multiclass_accuracy_delay_adjusted", "share of right classes"),
    measure,
    applies=has_probabilities_and_label,
)
