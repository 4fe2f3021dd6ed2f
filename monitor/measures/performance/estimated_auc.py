"""Area under the ROC curve, without labels."""

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import auc
from monitor.measures.performance.expectation import calibrated, description, estimated
from monitor.measures.performance.level import window_of
from monitor.uncertainty.expected import LEAST_EXPECTED, expected_auc


def measure(pair: ProfilePair) -> Result:
    """Return the AUC that labels will show, if there is no concept drift.

    CBPE (`monitor.uncertainty.expected`) over all finite scores of the window, labelled or not, by
    the score's cells. In [0, 1]. The interval is that of what the labels of these rows will show:
    of their chance, and of the baseline's labels that the chances are learned from. It does not
    cover concept drift, which no window without labels can show.

    Chances that are learned from few labels flatter: for the baseline itself the estimate lies above
    its AUC, by as much as ``detail`` of `concept_drift` says.

    Unmeasurable: the baseline has fewer than ten labels of a class; the window has no finite score,
    or fewer than two rows of a class are expected.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    counts = window_of(pair).score[1]
    if not counts.n:
        told = "no row of the window has a finite score"
        return Unmeasurable(Absence.NO_DATA, told, 0, int(pair.reference.score_by_label.sum()))
    found = calibrated(pair)
    if isinstance(found, Unmeasurable):
        return found
    expected = expected_auc(found.calibration, found.scores, counts.cells)
    if expected is None:
        told = f"fewer than {LEAST_EXPECTED:g} labels of a class are expected of {counts.n:,} rows"
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, counts.n, found.labels)
    variance = expected.drawn + expected.fitted
    return estimated(pair, found, expected.value, variance, rows=counts.n, level=auc.level)


MEASURE = ModelMeasure(description("estimated_auc", "AUC"), measure, applies=has_score_and_label)
