"""Share of positive labels that were decided positively."""

from functools import partial

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.applicability import has_decision_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import Level, Side, confusion, fall_of, now, proportion


def level(side: Side) -> Level | Unmeasurable:
    """Return the recall of one side.

    Of the positive labels whose decision is known: the share that was decided positively. In [0,
    1].

    Unmeasurable: no row has both a decision and a label; no label is positive.

    Source:
        Wilson (1927).
    """
    table = confusion(side)
    if isinstance(table, Unmeasurable):
        return table
    positive = table.hits + table.misses
    if not positive:
        told = f"none of the {table.rows:,} labels of {side.name} is positive"
        return Unmeasurable(Absence.UNDEFINED, told, table.rows)
    return proportion(table.hits, positive)


MEASURE = ModelMeasure(
    Description(
        id="recall",
        family=Family.PERFORMANCE,
        title="recall",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Wilson (1927)",
    ),
    partial(now, level),
    applies=has_decision_and_label,
)

DROP = fall_of(MEASURE, level, "loss of recall")
