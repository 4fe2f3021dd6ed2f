"""Where two cumulative distributions are farthest apart."""

import numpy as np

from monitor.domain.estimate import Unmeasurable
from monitor.measures.attribution.bins import INFINITE, cell_bounds
from monitor.measures.attribution.part import Attribution, Part, Rule, interval_name
from monitor.measures.drift.ks import cumulative
from monitor.measures.grouping import decile_ends
from monitor.measures.measure import FieldPair
from monitor.measures.presence import no_values
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import IntArray, NumericGrid


def of_ks(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return the gap between the cumulative shares at the upper end of each part.

    The parts are the baseline's deciles, cut once more where the gap is largest, and the
    infinities; shares are of the numbers, missing rows left out. The largest gap is the
    Kolmogorov-Smirnov distance as seen at the grid's edges; the gap of the last part is 0. The
    contribution is the size of the gap, in [0, 1].
    """
    if (nothing := no_values(pair)) is not None:
        return nothing
    match pair.grid, pair.reference, pair.current:
        case NumericGrid() as grid, NumericCounts() as reference, NumericCounts() as current:
            return _gaps(grid, reference, current)
        case _:
            raise ValueError(f"{pair.field.name} is not numeric")


def _gaps(grid: NumericGrid, reference: NumericCounts, current: NumericCounts) -> Attribution:
    then, now = cumulative(reference), cumulative(current)
    gap = now - then
    peak = int(np.argmax(np.abs(gap)))
    # Of −inf, the cells, +inf: where each part ends.
    last = len(gap) - 1
    cuts = np.array([1, last - 1, last, peak], np.int64)
    if reference.n:
        cuts = np.append(cuts, decile_ends(reference.cells) + 1)
    ends = np.unique(cuts)
    ends = ends[ends > 0].tolist()
    rows = [_extended(side) for side in (reference, current)]
    parts: list[Part] = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        before, after = (int(side[start:end].sum()) for side in rows)
        if not (before or after):
            continue
        finite = start > 0 and end < last
        bounds = cell_bounds(grid.edges, start - 1, end - 1) if finite else (None, None)
        name = interval_name(*bounds) if finite else f"{'−' if end == 1 else '+'}{INFINITE}"
        shares = before / rows[0].sum(), after / rows[1].sum()
        parts.append(Part(name, before, after, *shares, abs(float(gap[end])), *bounds))
    total = float(np.max(np.abs(gap)))
    return Attribution(
        "gap between the cumulative shares at the part's upper end",
        "1",
        Rule.LARGEST,
        total,
        tuple(parts),
        _told(grid, peak, float(then[peak]), float(now[peak])) if total else "",
    )


def _extended(counts: NumericCounts) -> IntArray:
    ends = [counts.negative_infinite], [counts.positive_infinite]
    return np.concatenate([ends[0], counts.cells, ends[1]], dtype=np.int64)


def _told(grid: NumericGrid, peak: int, then: float, now: float) -> str:
    _, below = cell_bounds(grid.edges, 0, peak - 1) if peak > 1 else (None, None)
    where = "−∞" if peak == 1 else interval_name(None, below)
    return f"Widest gap: {then:.1%} of the baseline's numbers are {where}, {now:.1%} now."
