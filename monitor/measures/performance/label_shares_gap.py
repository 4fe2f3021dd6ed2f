"""Realised against estimated share of the class that differs most."""

import numpy as np

from monitor.domain.estimate import Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair
from monitor.measures.performance.class_expectation import learned
from monitor.measures.performance.classes import names
from monitor.measures.performance.expectation import METHOD
from monitor.measures.performance.level import LEVEL, window_of
from monitor.measures.performance.multiclass_concept_drift import expected_share
from monitor.profile.class_scores import NO_LABEL, THIS_CLASS
from monitor.uncertainty.difference import mover
from monitor.uncertainty.interval import Interval, normal_quantile
from monitor.uncertainty.proportion import wilson


def measure(pair: ProfilePair) -> Result:
    """Return the share of a class among the labels less the one that was to be expected.

    Of the labelled rows with a predicted class and the probability of every class. What is expected
    of a class is the mean chance of it at the probabilities, as the baseline's labels show it. The
    class is the one whose share differs most surely: the nearer end of its interval is the farthest
    from 0; it is named, and ``detail`` has the gaps of all. Signed, in [−1, 1]; 0 when nothing
    changed. It sees which class comes more often than the probabilities say, even where as many
    classes are right as before.

    The interval combines Wilson's of the realised share and the error of the calibration (MOVER), at
    the Bonferroni level over the classes. ``then`` is the share that was to be expected, ``now`` the
    realised one.

    Unmeasurable: as `multiclass_concept_drift`.

    Source:
        NannyML, confidence-based performance estimation; Zou and Donner (2008).
    """
    found = learned(pair)
    if isinstance(found, Unmeasurable):
        return found
    side = window_of(pair)
    came = found.scores.rows[:, :, THIS_CLASS].sum(axis=(1, 2))
    labels = int(found.scores.rows[0, :, :NO_LABEL].sum())
    if not labels:
        lacking = side.lacking(0, "a label, a predicted class and all probabilities")
        return Unmeasurable(lacking.reason, lacking.explanation, 0, found.labels)
    called = names(side)
    level = 1 - (1 - LEVEL) / len(called)
    shares = [
        np.sum([expected_share(kind, labels) for kind in found.kinds(code)], axis=0)
        for code in range(len(called))
    ]
    expected, variance = np.transpose(shares)
    reach = normal_quantile(level) * np.sqrt(variance)
    ends = Interval(expected - reach, expected + reach)
    low, high = mover(came / labels, wilson(came, labels, level), expected, ends)
    gaps = came / labels - expected
    place = int(np.lexsort((np.abs(gaps), np.maximum(low, -high)))[-1])
    each = {f"gap of {name}": float(gaps[code]) for code, name in enumerate(called)}
    return Estimate(
        float(gaps[place]),
        n=labels,
        n_reference=found.labels,
        low=float(low[place]),
        high=float(high[place]),
        level=LEVEL,
        method=f"Wilson, {METHOD}, MOVER, Bonferroni over the classes",
        then=float(expected[place]),
        now=float(came[place] / labels),
        detail={"classes": len(called), **each},
        note=called[place],
    )


MEASURE = ModelMeasure(
    Description(
        id="label_shares_gap",
        family=Family.PERFORMANCE,
        title="realised share of a class less the estimated one, where they differ most",
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
