"""Average precision."""

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
from monitor.uncertainty.average_precision import average_precision


def level(side: Side) -> Level | Unmeasurable:
    """Return the average precision of one side.

    ``Σ (Rₖ − Rₖ₋₁) Pₖ`` over the score's cells from the highest down. In (0, 1]; the share of
    positive labels for a score that says nothing. ``detail`` has the standard error, and ``least``
    and ``most``: what that of the raw scores lies between.

    Unmeasurable: as for the AUC.

    Source:
        Boyd, Eng and Page (2013), ECML PKDD, LNCS 8190, 451-466.
    """
    rows = scored_labels(side)
    if isinstance(rows, Unmeasurable):
        return rows
    found = average_precision(rows[0], rows[1], LEVEL)
    return Level(
        found.value,
        float(found.interval.low),
        float(found.interval.high),
        int(rows.sum()),
        "delta method, Wilson",
        {"standard_error": found.standard_error, "least": found.least, "most": found.most},
    )


MEASURE = ModelMeasure(
    Description(
        id="average_precision",
        family=Family.PERFORMANCE,
        title="average precision",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Boyd, Eng and Page (2013)",
    ),
    partial(now, level),
    applies=has_score_and_label,
)

DROP = fall_of(MEASURE, level, "loss of average precision")
