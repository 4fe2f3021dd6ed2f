"""Realised against estimated share of right classes."""

import numpy as np

from monitor.domain.estimate import Result, Unmeasurable
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair
from monitor.measures.performance.class_expectation import Kind, learned
from monitor.measures.performance.expectation import gap
from monitor.measures.performance.level import proportion, window_of
from monitor.profile.class_scores import NO_LABEL, THIS_CLASS


def measure(pair: ProfilePair) -> Result:
    """Return the share of right classes less the one that was to be expected of the same rows.

    Both are of the labelled rows with a predicted class and the probability of every class, so it
    does not matter which labels come first. What is expected is the mean chance of being right at
    the probability of the predicted class, as the baseline's labels show it for each class. Signed,
    in [−1, 1]; 0 when nothing changed, and when only the inputs did. Below 0, the model is right
    less often than its probabilities let expect.

    The interval combines Wilson's of the realised share and the error of the calibration (MOVER).
    ``then`` is the share that was to be expected, ``now`` the realised one.

    Unmeasurable: as `estimated_multiclass_accuracy`; no label has arrived for such a row.

    Source:
        NannyML, confidence-based performance estimation; Zou and Donner (2008).
    """
    found = learned(pair)
    if isinstance(found, Unmeasurable):
        return found
    rows = found.scores.rows[:, 1]
    labels = int(rows[:, :NO_LABEL].sum())
    if not labels:
        lacking = window_of(pair).lacking(0, "a label, a predicted class and all probabilities")
        return Unmeasurable(lacking.reason, lacking.explanation, 0, found.labels)
    given = [found.kind(code, 1) for code in range(len(rows))]
    parts = [expected_share(kind, labels) for kind in given if kind is not None]
    expected, variance = np.sum(parts, axis=0).tolist()
    realised = proportion(int(rows[:, THIS_CLASS].sum()), labels)
    return gap(found.labels, realised, expected, variance)


def expected_share(kind: Kind, labels: int) -> tuple[float, float]:
    """Return the labelled rows of a kind that are expected to be of the class, of all labelled rows.

    With the variance of that share, by the error of the calibration.
    """
    weights = kind.rows[:NO_LABEL].sum(axis=0) / labels
    blocks = kind.calibration.by_block(kind.scores, weights)
    share = float(np.dot(weights, kind.calibration.of(kind.scores)))
    return share, float(np.dot(blocks**2, kind.calibration.variances))


MEASURE = ModelMeasure(
    Description(
        id="multiclass_concept_drift",
        family=Family.PERFORMANCE,
        title="realised share of right classes less the estimated one",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="NannyML, CBPE; Zou and Donner (2008)",
    ),
    measure,
    applies=has_probabilities_and_label,
)
