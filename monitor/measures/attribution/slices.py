"""What the slices of a segment add to the change of a rate or of the mean score."""

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.attribution.mix import Decomposition, Quantity, Totals, decomposed, totals
from monitor.measures.measure import ProfilePair
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import Grid, NumericGrid, SegmentGrid
from monitor.profile.profile import Profile
from monitor.profile.segments import slice_names


def over_slices(
    quantity: Quantity | None, segment: str, pair: ProfilePair
) -> Decomposition | Unmeasurable:
    """Return what a segment's slices add to the change of a rate, exactly.

    They are a partition of the rows, those without a value and those of other values among them.

    Args:
        quantity: The rate; None for the mean of the finite scores, in the score's own unit.
        segment: Name of the segment.
        pair: What is held against what, all rows.
    """
    grid = next((item for item in pair.grid.segments if item.name == segment), None)
    if grid is None:
        return Unmeasurable(
            Absence.NO_BASELINE, f"registered without {segment}: register a new baseline"
        )
    then, now = (
        _scores(pair.grid, grid, side) if quantity is None else _rates(quantity, grid, side)
        for side in (pair.reference, pair.current)
    )
    return decomposed(segment, quantity or "score_mean", slice_names(grid), then, now)


def _rates(quantity: Quantity, segment: SegmentGrid, side: Profile) -> Totals:
    parts = side.segments.get(segment.name, {})
    table = np.zeros((segment.size, 3, 3), np.int64)
    for code, part in parts.items():
        table[code] = part.outcomes.margin()
    return totals(quantity, table)


def _scores(grid: Grid, segment: SegmentGrid, side: Profile) -> Totals:
    rows, sums = np.zeros(segment.size, np.int64), np.zeros(segment.size)
    cells = grid.fields[grid.score]
    for code, part in side.segments.get(segment.name, {}).items():
        counts = part.fields[grid.score]
        if isinstance(cells, NumericGrid) and isinstance(counts, NumericCounts):
            rows[code] = counts.n
            with np.errstate(over="ignore"):
                sums[code] = counts.sums.sum() * cells.scale + counts.n * cells.center
    return Totals(rows, sums)
