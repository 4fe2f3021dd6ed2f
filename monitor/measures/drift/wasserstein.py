"""Wasserstein distance over a robust scale."""

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import is_numeric
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair
from monitor.measures.presence import no_values
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import FloatArray, NumericGrid
from monitor.uncertainty.interval import normal_quantile

LEVEL = 0.95
"""Of the interval."""


def area_between(edges: FloatArray, reference: NumericCounts, current: NumericCounts) -> float:
    """Return the first Wasserstein distance from counts and sums in cells, in scaled units.

    ``∫ |F − G|`` of the cumulative shares. Over a cell the integral of a cumulative share is
    exact from the cell's rows and their sum, by integration by parts, also over the open outer
    cells; so the distance is exact but for cells inside which F and G cross, where it is too
    small by at most what lies in that cell. 0 for equal distributions, no upper bound; symmetric.

    Args:
        edges: shape (k,), the grid's edges as ``(edge − center) / scale``.
        reference: Counts on the grid, with at least one finite number.
        current: The same.

    Source:
        L. N. Vaserstein (1969), Probl. Inf. Transm. 5(3), 64-72; the one-dimensional form:
        S. S. Vallender (1974), Theory Probab. Appl. 18, 784-786.
    """
    return float(np.abs(_areas(edges, current) - _areas(edges, reference)).sum())


def measure(pair: FieldPair) -> Result:
    """Return the distance between the finite numbers, over the baseline's robust scale.

    The interval is the distance ± z times ``∫ √(H(1 − H)(1/n + 1/m))`` with the pooled share H:
    the error of ``F − G`` at each point, added up as if all points erred together. It is wider
    than need be, never narrower, but for heavy tails beyond the outermost edges.

    Unmeasurable: no rows, no such column, one side without a finite number, or numbers so large
    that their sum is beyond a double.
    """
    if (nothing := no_values(pair)) is not None:
        return nothing
    match pair.grid, pair.reference, pair.current:
        case NumericGrid() as grid, NumericCounts() as reference, NumericCounts() as current:
            return _estimate(grid, reference, current)
        case _:
            raise ValueError(f"{pair.field.name} is not numeric")


def _estimate(grid: NumericGrid, reference: NumericCounts, current: NumericCounts) -> Result:
    n, m = reference.n, current.n
    if not (n and m):
        return Unmeasurable(
            Absence.NO_DATA, f"{m} finite numbers against {n} in the baseline", m, n
        )
    if not len(grid.edges):
        return Unmeasurable(
            Absence.NO_BASELINE, "the grid was drafted from rows without a number", m, n
        )
    with np.errstate(over="ignore", invalid="ignore"):
        edges = (grid.edges - grid.center) / grid.scale
        value = area_between(edges, reference, current)
        reach = float(normal_quantile(LEVEL)) * _error(edges, reference, current)
    if not (np.isfinite(value) and np.isfinite(reach)):
        return Unmeasurable(
            Absence.UNDEFINED, "the numbers are so large that their sum is beyond a double", m, n
        )
    return Estimate(
        value,
        n=m,
        n_reference=n,
        low=max(value - reach, 0.0),
        high=value + reach,
        level=LEVEL,
        method="exact cell sums; pointwise errors added up",
        detail={"scale": grid.scale},
    )


def _areas(edges: FloatArray, counts: NumericCounts) -> FloatArray:
    """Return the integral of F over each cell; of F − 1 over the last one, which is open above."""
    n = counts.cells.sum()
    below = (np.cumsum(counts.cells) - counts.cells)[1:-1] / n
    rows, sums = counts.cells, counts.sums
    first = (rows[0] * edges[0] - sums[0]) / n
    middle = below * np.diff(edges) + (rows[1:-1] * edges[1:] - sums[1:-1]) / n
    last = -(sums[-1] - rows[-1] * edges[-1]) / n
    return np.concatenate([[first], middle, [last]])


def _error(edges: FloatArray, reference: NumericCounts, current: NumericCounts) -> float:
    rows = reference.cells + current.cells
    total = rows.sum()
    share = np.cumsum(rows)[:-1] / total
    deviation = np.sqrt(share * (1 - share) * (1 / reference.n + 1 / current.n))
    inner = np.sum((deviation[1:] + deviation[:-1]) / 2 * np.diff(edges))
    # Beyond the outermost edges: the deviation there over the mean distance of what lies beyond.
    sums = reference.sums + current.sums
    outer = sum(
        deviation[end] * abs(sums[end] / rows[end] - edges[end]) for end in (0, -1) if rows[end]
    )
    return float(inner + outer)


MEASURE = FieldMeasure(
    Description(
        id="wasserstein",
        family=Family.DRIFT,
        title="Wasserstein distance over a robust scale",
        unit="robust standard deviations",
        unchanged=0.0,
        lower=0.0,
        upper=None,
        symmetric=True,
        source="Vaserstein (1969); Vallender (1974)",
    ),
    measure,
    applies=is_numeric,
)
