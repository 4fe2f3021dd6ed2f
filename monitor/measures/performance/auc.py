"""Area under the ROC curve."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import (
    LEVEL,
    Level,
    Side,
    fall_of,
    now,
    scored_labels,
)
from monitor.uncertainty.auc import auc


def level(side: Side) -> Level | Unmeasurable:
    """Return the AUC of one side.

    Taken over the score's cells, scores in one cell counting as ties, so that it differs from that
    of the raw scores by at most half the probability that a positive and a negative row share a
    cell. In [0, 1]; 0.5 for a score that says nothing. ``detail`` has the standard error and the
    labels of each kind.

    Unmeasurable: no label has arrived, or none for a finite score; all labels of one class; fewer
    than `LEAST_LABELS` of a class.

    Source:
        DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    rows = scored_labels(side)
    if isinstance(rows, Unmeasurable):
        return rows
    found = auc(rows[0], rows[1], LEVEL)
    return Level(
        found.value,
        float(found.interval.low),
        float(found.interval.high),
        int(rows.sum()),
        "DeLong variance",
        {
            "standard_error": found.standard_error,
            "negatives": int(rows[0].sum()),
            "positives": int(rows[1].sum()),
        },
    )


MEASURE = ModelMeasure(
    Description(
        id="auc",
        family=Family.PERFORMANCE,
        title="AUC",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="DeLong, DeLong and Clarke-Pearson (1988)",
    ),
    partial(now, level),
    applies=has_score_and_label,
)

DROP = fall_of(MEASURE, level, "loss of AUC")
