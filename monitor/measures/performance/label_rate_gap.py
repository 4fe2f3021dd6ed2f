"""Realised against estimated share of positive labels."""

import numpy as np

from monitor.domain.estimate import Result, Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair
from monitor.measures.performance.expectation import calibrated, gap
from monitor.measures.performance.level import proportion, window_of


def measure(pair: ProfilePair) -> Result:
    """Return the share of positive labels less the one that was to be expected of their scores.

    Both are of the labelled rows. What is expected is the mean chance of a positive label at their
    scores, as the baseline's labels show it. Signed, in [−1, 1]; 0 when nothing changed, and when
    only the scores changed, the labels with them. Above 0, the outcome comes more often than the
    scores say: concept drift that leaves their order, and so the AUC, as it is.

    The interval combines Wilson's of the realised share and the error of the calibration (MOVER).
    ``then`` is the share that was to be expected, ``now`` the realised one.

    Unmeasurable: the baseline has fewer than ten labels of a class; the window has no label with a
    finite score.

    Source:
        NannyML, confidence-based performance estimation; Zou and Donner (2008).
    """
    found = calibrated(pair)
    if isinstance(found, Unmeasurable):
        return found
    labels = pair.current.score_by_label
    rows = int(labels.sum())
    if not rows:
        lacking = window_of(pair).lacking(0, "both a finite score and a label")
        return Unmeasurable(lacking.reason, lacking.explanation, 0, found.labels)
    weights = labels.sum(axis=0) / rows
    realised = proportion(int(labels[1].sum()), rows)
    expected = float(np.dot(weights, found.calibration.of(found.scores)))
    blocks = found.calibration.by_block(found.scores, weights)
    variance = float(np.dot(blocks**2, found.calibration.variances))
    return gap(found.labels, realised, expected, variance)


MEASURE = ModelMeasure(
    Description(
        id="label_rate_gap",
        family=Family.PERFORMANCE,
        title="realised share of positive labels less the estimated one",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="NannyML, CBPE; Zou and Donner (2008)",
    ),
    measure,
    applies=has_score_and_label,
)
