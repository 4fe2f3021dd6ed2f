"""Mean AUC of the classes, each against the rest, without labels."""

import numpy as np

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.performance import macro_auc
from monitor.measures.performance.class_expectation import (
    ClassTables,
    Learned,
    estimate_of,
    learned,
)
from monitor.measures.performance.expectation import description
from monitor.uncertainty.expected import (
    LEAST_EXPECTED,
    ExpectedAuc,
    ScoredRows,
    expected_auc_of,
)


def measure(pair: ProfilePair) -> Result:
    """Return the mean AUC of the classes that labels will show, if there is no concept drift.

    ``(1/m) Σ AUCₖ`` of what is expected of each class (`learned`), over the m classes of which at
    least two rows are expected, and two of others; rows in one cell of the probability are ties. In
    [0, 1]. The interval supposes that all classes err alike, and so is rather too wide.

    Unmeasurable: as `learned`; fewer than two rows of every class are expected.

    Source:
        Zadrozny and Elkan (2002), KDD, 694-699; NannyML, confidence-based performance estimation.
    """
    found = learned(pair)
    if isinstance(found, Unmeasurable):
        return found
    classes = len(found.calibrations)
    there = [item for code in range(classes) if (item := _of_class(found, code)) is not None]
    if not there:
        told = f"fewer than {LEAST_EXPECTED:g} rows of every class are expected of {found.rows:,}"
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, found.rows, found.labels)
    value = float(np.mean([item.value for item in there]))
    error = float(np.mean([(item.drawn + item.fitted) ** 0.5 for item in there]))
    detail = {"classes": len(there), "absent": classes - len(there)}
    tables = ClassTables((), found.rows, found.labels)
    return estimate_of(pair, tables, value, error**2, level=macro_auc.level, detail=detail)


def _of_class(found: Learned, code: int) -> ExpectedAuc | None:
    kinds = [
        ScoredRows(kind.calibration, kind.scores, every, np.zeros((2, len(every))))
        for kind in found.kinds(code)
        for every in [kind.rows.sum(axis=0).astype(np.float64)]
    ]
    return expected_auc_of(kinds)


MEASURE = ModelMeasure(
    description("estimated_macro_auc", "mean AUC of the classes"),
    measure,
    applies=has_probabilities_and_label,
)
