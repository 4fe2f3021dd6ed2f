"""Share of numbers outside the bounds that the owner declared."""

from math import inf, isinf, nextafter

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.domain.field import Field
from monitor.measures.applicability import is_numeric
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair
from monitor.measures.presence import no_values
from monitor.measures.tails import of_a_rise
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import NumericGrid
from monitor.uncertainty.proportion import wilson

LEVEL = 0.95
"""Of the interval."""


def measure(pair: FieldPair) -> Result:
    """Return the share of the window's numbers below the field's minimum or above its maximum.

    In [0, 1]; Wilson's interval. Exact, and the bounds themselves are inside: cells have an edge at
    the minimum, and one just above the maximum. An infinite number is beyond whatever is declared
    on its side. ``then`` is the baseline's share: a level is judged, so what was beyond already is
    no excuse. ``detail`` has the rows ``below`` and ``above``.

    Unmeasurable: no rows, no such column or no number on a side; or the baseline was registered before the
    bound was declared, so that no cell ends there.

    Source:
        Wilson (1927); range constraints: E. Breck et al. (2019), Data Validation for Machine
        Learning, MLSys.
    """
    if (nothing := no_values(pair)) is not None:
        return nothing
    grid, now, then = pair.grid, pair.current, pair.reference
    if not (
        isinstance(grid, NumericGrid)
        and isinstance(now, NumericCounts)
        and isinstance(then, NumericCounts)
    ):
        raise ValueError(f"field {pair.field.name} is counted as another kind than its grid's")  # noqa: TRY004
    rows = now.n + now.infinite
    edges = _edges(pair.field, grid)
    if edges is None:
        return Unmeasurable(
            Absence.NO_BASELINE,
            "a bound was declared since the baseline was registered: register a new one",
            rows,
            then.rows,
        )
    below, above = _outside(pair.field, now, *edges)
    low, high = wilson(below + above, rows, LEVEL)
    return Estimate(
        (below + above) / rows,
        n=rows,
        n_reference=then.n + then.infinite,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method="Wilson score",
        then=sum(_outside(pair.field, then, *edges)) / (then.n + then.infinite),
        now=(below + above) / rows,
        detail={"below": below, "above": above},
    )


def _edges(field: Field, grid: NumericGrid) -> tuple[int, int] | None:
    """Return the first cell within bounds and the first beyond; None where no cell begins there."""
    above = None if field.maximum is None else nextafter(field.maximum, inf)
    first, beyond = _edge(grid, field.minimum), _edge(grid, above)
    return None if first is None or beyond is None else (first, beyond)


def _edge(grid: NumericGrid, bound: float | None) -> int | None:
    """Return the first cell that is not below a bound; 0 without one, None where no cell begins."""
    if bound is None:
        return 0
    if isinf(bound):  # just above the largest double
        return grid.cells
    place = int(np.searchsorted(grid.edges, bound))
    return place + 1 if place < len(grid.edges) and grid.edges[place] == bound else None


def _outside(field: Field, counts: NumericCounts, first: int, beyond: int) -> tuple[int, int]:
    below = above = 0
    if field.minimum is not None:
        below = int(counts.cells[:first].sum()) + counts.negative_infinite
    if field.maximum is not None:
        above = int(counts.cells[beyond:].sum()) + counts.positive_infinite
    return below, above


def _bounded(field: Field) -> bool:
    return field.minimum is not None or field.maximum is not None


MEASURE = FieldMeasure(
    Description(
        id="out_of_bounds_rate",
        family=Family.QUALITY,
        title="share of numbers outside the declared bounds",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Wilson (1927); Breck et al. (2019)",
    ),
    measure,
    applies=is_numeric,
    asked_of=_bounded,
    tail=of_a_rise,  # no spread: what is beyond a declared bound is so on any day
)
