"""Share of right decisions."""

from functools import partial

from monitor.domain.estimate import Unmeasurable
from monitor.measures.applicability import has_decision_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.level import Level, Side, confusion, fall_of, now, proportion


def level(side: Side) -> Level | Unmeasurable:
    """Return the share of right decisions of one side.

    Of the rows with a known decision and a label: those of which both are positive or both
    negative. In [0, 1]. Where one class is rare, saying always the other has a high one.

    Unmeasurable: no row has both a decision and a label.

    Source:
        Wilson (1927).
    """
    table = confusion(side)
    if isinstance(table, Unmeasurable):
        return table
    return proportion(table.hits + table.rejections, table.rows)


MEASURE = ModelMeasure(
    Description(
        id="accuracy",
        family=Family.PERFORMANCE,
        title="share of right decisions",
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

DROP = fall_of(MEASURE, level, "loss of right decisions")
