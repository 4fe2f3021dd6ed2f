"""Where the mass of a distribution moved."""

from typing import cast

import numpy as np

from monitor.domain.estimate import Unmeasurable
from monitor.measures.attribution.bins import cell_bounds
from monitor.measures.attribution.part import Attribution, Part, Rule, interval_name
from monitor.measures.drift.wasserstein import areas_between, measure
from monitor.measures.grouping import decile_ends
from monitor.measures.measure import FieldPair
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import NumericGrid


def of_wasserstein(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return how much of the moving is done across each part, in robust standard deviations.

    ``∫ |F − G|`` over the part: the mass that had to pass, times how far. The parts are the
    baseline's deciles; the sum is the Wasserstein distance. Shares are of the finite numbers.
    """
    result = measure(pair)
    if isinstance(result, Unmeasurable):
        return result
    # `measure` has refused every other kind
    grid = cast("NumericGrid", pair.grid)
    reference = cast("NumericCounts", pair.reference)
    current = cast("NumericCounts", pair.current)
    areas = areas_between((grid.edges - grid.center) / grid.scale, reference, current)
    ends = decile_ends(reference.cells)
    starts = np.concatenate([[0], ends[:-1]])
    work, then, now = (
        np.add.reduceat(cells, starts) for cells in (np.abs(areas), reference.cells, current.cells)
    )
    parts: list[Part] = []
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        bounds = cell_bounds(grid.edges, start, end)
        before, after = int(then[place]), int(now[place])
        shares = before / reference.n, after / current.n
        parts.append(
            Part(interval_name(*bounds), before, after, *shares, float(work[place]), *bounds)
        )
    moved = -float(areas.sum())
    return Attribution(
        "Wasserstein distance over a robust scale",
        "robust standard deviations",
        Rule.SUM,
        float(np.abs(areas).sum()),
        tuple(parts),
        f"On balance the numbers moved {'up' if moved > 0 else 'down'} by {abs(moved):.3g} robust "
        f"standard deviations, {abs(moved) * grid.scale:.3g} in the field's own unit."
        if moved
        else "",
    )
