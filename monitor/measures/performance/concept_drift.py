"""Realised against estimated performance."""

import numpy as np

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair
from monitor.measures.performance import auc
from monitor.measures.performance.expectation import calibrated, cell_means, gap
from monitor.measures.performance.level import baseline_of, window_of
from monitor.profile.grid import IntArray
from monitor.profile.profile import Profile
from monitor.uncertainty.expected import LEAST_EXPECTED, expected_auc


def measure(pair: ProfilePair) -> Result:
    """Return the AUC of the window's labels less the one that was to be expected of their scores.

    Both are of the labelled rows, so that it does not matter which rows' labels come first. What is
    expected is `expected_auc` less what it flatters itself by, which is its value for the
    baseline's own scores less their AUC. Signed, in [−1, 1]; 0 when nothing changed, whatever the
    scores did: a change of inputs alone changes both. Below 0, scores tell less of the outcome than
    they did.

    The interval combines that of the realised AUC and the error of the calibration (MOVER). ``then``
    is the AUC that was to be expected, ``now`` the realised one; ``detail`` has ``flattery``.

    Unmeasurable: as the AUC of either side; fewer than two labels of a class are expected.

    Source:
        NannyML, confidence-based performance estimation; Zou and Donner (2008).
    """
    before, realised = auc.level(baseline_of(pair)), auc.level(window_of(pair))
    if isinstance(before, Unmeasurable):
        rows = int(pair.current.score_by_label.sum())
        return Unmeasurable(before.reason, before.explanation, rows, before.n)
    if isinstance(realised, Unmeasurable):
        return Unmeasurable(realised.reason, realised.explanation, realised.n, before.rows)
    found = calibrated(pair)
    if isinstance(found, Unmeasurable):
        return found
    of_baseline = expected_auc(
        found.calibration, cell_means(baseline_of(pair)), _labelled(pair.reference)
    )
    expected = expected_auc(found.calibration, found.scores, _labelled(pair.current))
    if of_baseline is None or expected is None:
        told = f"fewer than {LEAST_EXPECTED:g} labels of a class are expected of {realised.rows:,}"
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, realised.rows, before.rows)
    flattery = of_baseline.value - before.value
    value = min(max(expected.value - flattery, 0.0), 1.0)
    return gap(found.labels, realised, value, expected.fitted, {"flattery": flattery})


def _labelled(profile: Profile) -> IntArray:
    return np.asarray(profile.score_by_label.sum(axis=0))


MEASURE = ModelMeasure(
    Description(
        id="concept_drift",
        family=Family.PERFORMANCE,
        title="realised AUC less the estimated one",
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
