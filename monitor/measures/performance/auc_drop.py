"""Loss of the area under the ROC curve."""

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_score_and_label
from monitor.measures.drift.label_rate import labels
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair
from monitor.profile.grid import IntArray
from monitor.uncertainty.auc import auc
from monitor.uncertainty.difference import mover

LEVEL = 0.95
"""Of the interval."""

LEAST_LABELS = 10
"""Labels of each kind that an AUC is taken from: with fewer the normal law of its interval does
not hold, and an interval as wide as the scale would read as nothing found."""


def measure(pair: ProfilePair) -> Result:
    """Return the baseline's AUC less the window's.

    Each is taken over the score's cells, scores in one cell counting as ties. In [−1, 1], 0 when
    nothing changed, above 0 when the model has become worse. The interval combines those of both
    AUCs; ``then`` and ``now`` are the AUCs, ``detail`` their standard errors and the window's
    labels of each kind.

    Unmeasurable: no label has arrived, or none for a finite score; all labels of a side are of one
    class; fewer than `LEAST_LABELS` of a class.

    Source:
        DeLong, DeLong and Clarke-Pearson (1988); Zou and Donner (2008).
    """
    then, now = pair.reference.score_by_label, pair.current.score_by_label
    n, m = int(then.sum()), int(now.sum())
    if (lacking := _lacking(then, n, "the baseline", Absence.NO_BASELINE)) is not None:
        return Unmeasurable(lacking[0], lacking[1], m, n)
    empty = Absence.NO_DATA if labels(pair.current)[1] else Absence.NO_LABELS
    if (lacking := _lacking(now, m, "the window", empty)) is not None:
        return Unmeasurable(lacking[0], lacking[1], m, n)
    before, after = auc(then[0], then[1], LEVEL), auc(now[0], now[1], LEVEL)
    low, high = mover(before.value, before.interval, after.value, after.interval)
    return Estimate(
        before.value - after.value,
        n=m,
        n_reference=n,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method="DeLong variances, MOVER",
        then=before.value,
        now=after.value,
        detail={
            "then_standard_error": before.standard_error,
            "now_standard_error": after.standard_error,
            "negatives": int(now[0].sum()),
            "positives": int(now[1].sum()),
        },
    )


def _lacking(rows: IntArray, n: int, where: str, empty: Absence) -> tuple[Absence, str] | None:
    negatives, positives = rows.sum(axis=1).tolist()
    if n == 0:
        return empty, f"no row of {where} has both a finite score and a label"
    if min(negatives, positives) == 0:
        return Absence.UNDEFINED, (
            f"the labels of {where} are of one class: {negatives} negative, {positives} positive"
        )
    if min(negatives, positives) < LEAST_LABELS:
        return Absence.INSUFFICIENT_DATA, (
            f"{where} has {negatives} negative and {positives} positive labels, "
            f"and an AUC is taken from at least {LEAST_LABELS} of each"
        )
    return None


MEASURE = ModelMeasure(
    Description(
        id="auc_drop",
        family=Family.PERFORMANCE,
        title="loss of AUC",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="DeLong, DeLong and Clarke-Pearson (1988); Zou and Donner (2008)",
    ),
    measure,
    applies=has_score_and_label,
)
