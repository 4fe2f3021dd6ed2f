"""Area under the ROC curve, with the labels that have come."""

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import auc
from monitor.measures.performance.delay_adjusted import adjusted, adjusted_description
from monitor.measures.performance.expectation import calibrated
from monitor.measures.performance.level import window_of
from monitor.uncertainty.expected import LEAST_EXPECTED, expected_auc


def measure(pair: ProfilePair) -> Result:
    """Return the AUC of all rows with a score, those that wait for their labels as well.

    A row with a label counts as it says; one without is positive by the chance that `estimated_auc`
    takes, and negative by the rest of it: assuming no concept drift for them, and that of rows with
    one score it does not depend on the outcome whose label comes first. In [0, 1]. Without labels it
    is `estimated_auc`, with all of them `auc`. ``detail`` and the interval are as of
    `accuracy_delay_adjusted`.

    Unmeasurable: as `estimated_auc`.

    Source:
        NannyML, confidence-based performance estimation; Little and Rubin (2019), Statistical
        Analysis with Missing Data, 4.2.
    """
    counts = window_of(pair).score[1]
    known = pair.current.score_by_label
    if not counts.n:
        told = "no row of the window has a finite score"
        return Unmeasurable(Absence.NO_DATA, told, 0, int(pair.reference.score_by_label.sum()))
    found = calibrated(pair)
    if isinstance(found, Unmeasurable):
        return found
    waiting = counts.cells - known.sum(axis=0)
    result = expected_auc(found.calibration, found.scores, waiting, known)
    if result is None:
        told = f"fewer than {LEAST_EXPECTED:g} labels of a class are expected of {counts.n:,} rows"
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, counts.n, found.labels)
    return adjusted(
        pair,
        found,
        result.value,
        result.drawn + result.fitted,
        labelled=int(known.sum()),
        rows=counts.n,
        level=auc.level,
    )


MEASURE = ModelMeasure(
    adjusted_description("auc_delay_adjusted", "AUC"), measure, applies=has_score_and_label
)
