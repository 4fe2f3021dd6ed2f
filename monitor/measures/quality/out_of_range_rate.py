"""Share of numbers outside the baseline's range."""

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import is_continuous
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair
from monitor.measures.presence import no_values
from monitor.profile.counts import NumericCounts
from monitor.uncertainty.outside import beyond_range
from monitor.uncertainty.proportion import wilson

LEVEL = 0.95
"""Of the interval."""


def measure(pair: FieldPair) -> Result:
    """Return the share of the window's numbers that lie outside the baseline's range.

    Below the cell of the baseline's smallest number, above that of its largest, or infinite on a
    side where the baseline holds no infinity. In [0, 1], 0 when nothing is outside; Wilson's
    interval. Cells at the ends are narrow, and where the baseline's extremes were not in the sample
    that cells were cut by, they reach somewhat beyond them: a number just outside may count as
    inside, never the reverse.

    Two numbers of the next n are outside the range of n by chance alone, whatever their
    distribution: ``detail["chance"]`` is ``2 / (n + 1)``, their mean share. The test tolerates what
    chance makes in addition, with the whole of its law (`monitor.uncertainty.outside`): the share outside
    the range of 200 rows is above 0.0327 for one field in a hundred. ``detail["rows"]`` are the
    rows outside, ``below`` and ``above`` which of them on either side.

    Unmeasurable: no rows, no such column, or one side without a number.

    Source:
        Wilson (1927); the chance: S. S. Wilks (1941), Ann. Math. Stat. 12, 91-96.
    """
    if (nothing := no_values(pair)) is not None:
        return nothing
    reference, current = pair.reference, pair.current
    if not (isinstance(reference, NumericCounts) and isinstance(current, NumericCounts)):
        raise ValueError(f"field {pair.field.name} is counted as another kind than its grid's")  # noqa: TRY004
    rows = current.n + current.infinite
    if not reference.n:
        return Unmeasurable(
            Absence.NO_BASELINE, "the baseline has no finite number", rows, reference.rows
        )
    held = np.flatnonzero(reference.cells)
    below = int(current.cells[: held[0]].sum())
    above = int(current.cells[held[-1] + 1 :].sum())
    below += 0 if reference.negative_infinite else current.negative_infinite
    above += 0 if reference.positive_infinite else current.positive_infinite
    low, high = wilson(below + above, rows, LEVEL)
    return Estimate(
        (below + above) / rows,
        n=rows,
        n_reference=reference.n,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method="Wilson score",
        then=0.0,
        now=(below + above) / rows,
        detail={
            "rows": below + above,
            "below": below,
            "above": above,
            "chance": 2 / (reference.n + 1),
        },
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the share outside is at most the tolerance and what chance makes"."""
    outside = int(estimate.detail["rows"])
    return beyond_range(outside, estimate.n, estimate.n_reference, tolerance)


MEASURE = FieldMeasure(
    Description(
        id="out_of_range_rate",
        family=Family.QUALITY,
        title="share of numbers outside the baseline's range",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Wilson (1927); Wilks (1941)",
    ),
    measure,
    applies=is_continuous,
    tail=tail,  # no spread: the baseline's own windows are within its range
)
