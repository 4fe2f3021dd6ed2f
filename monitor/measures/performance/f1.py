"""F1: the harmonic mean of precision and recall."""

from functools import partial

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.applicability import has_decision_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import LEVEL, Level, Side, confusion, fall_of, now
from monitor.uncertainty.proportion import wilson_of_variance


def level(side: Side) -> Level | Unmeasurable:
    """Return the F1 of one side.

    ``2 TP / (2 TP + FP + FN)``. In [0, 1]. The variance is that of the delta method, rows being
    independent.

    Unmeasurable: no row has both a decision and a label; neither a decision nor a label is
    positive.

    Source:
        C. J. van Rijsbergen (1979), Information Retrieval, chapter 7; K. Takahashi, K. Yamamoto, A.
        Kuchiba and T. Koyama (2022), Applied Intelligence 52, 4961-4972, for the variance.
    """
    table = confusion(side)
    if isinstance(table, Unmeasurable):
        return table
    hits, errors = table.hits, table.false_alarms + table.misses
    if not hits + errors:
        told = f"{side.name} has neither a positive decision nor a positive label"
        return Unmeasurable(Absence.UNDEFINED, told, table.rows)
    counted = 2 * hits + errors
    value = 2 * hits / counted
    variance = (4 * hits * (1 - value) ** 2 + errors * value**2) / counted**2
    low, high = wilson_of_variance(value, variance, hits + errors, hits + errors, LEVEL)
    return Level(value, float(low), float(high), table.rows, "delta method, Wilson")


MEASURE = ModelMeasure(
    Description(
        id="f1",
        family=Family.PERFORMANCE,
        title="F1",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="van Rijsbergen (1979); Takahashi et al. (2022)",
    ),
    partial(now, level),
    applies=has_decision_and_label,
)

DROP = fall_of(MEASURE, level, "loss of F1")
