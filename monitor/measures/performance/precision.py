"""Share of positive decisions that were right."""

from functools import partial

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.applicability import has_decision_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import Level, Side, confusion, fall_of, now, proportion


def level(side: Side) -> Level | Unmeasurable:
    """Return the precision of one side.

    Of the positive decisions whose label is known: the share whose label is positive. In [0, 1].

    Unmeasurable: no row has both a decision and a label; no labelled decision is positive.

    Source:
        Wilson (1927).
    """
    table = confusion(side)
    if isinstance(table, Unmeasurable):
        return table
    positive = table.hits + table.false_alarms
    if not positive:
        told = f"none of the {table.rows:,} labelled decisions of {side.name} is positive"
        return Unmeasurable(Absence.UNDEFINED, told, table.rows)
    return proportion(table.hits, positive)


MEASURE = ModelMeasure(
    Description(
        id="precision",
        family=Family.PERFORMANCE,
        title="precision",
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

DROP = fall_of(MEASURE, level, "loss of precision")
