"""Wasserstein distance over a robust scale."""

from math import hypot

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import is_numeric
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.presence import no_values
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import FloatArray, NumericGrid
from monitor.uncertainty.between import Squares
from monitor.uncertainty.interval import normal_quantile
from monitor.uncertainty.normal import beyond_normal

LEVEL = 0.95
"""Of the interval."""

_MEAN_SQUARE, _SQUARE_VARIANCE = 0.757, 0.465
# Of the distance between two samples of the same population, in the unit of `_error` squared and to
# the fourth: exact (7/60 over (π/8)², and a gamma law's) for a uniform population.

_LEAST_ERROR = 0.37
# Of `_error`: what the law of such samples takes so that its 95 % quantile is not understated.


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
    return float(np.abs(areas_between(edges, reference, current)).sum())


def areas_between(
    edges: FloatArray, reference: NumericCounts, current: NumericCounts
) -> FloatArray:
    """Return the integral of ``F − G`` over each cell, current less reference, in scaled units.

    Below 0 where more of the current rows lie above the cell than of the reference's: they have
    moved up. The sizes add up to `area_between`.

    Args:
        edges: shape (k,), as for `area_between`.
        reference: Counts on the grid, with at least one finite number.
        current: The same.
    """
    return _areas(edges, current) - _areas(edges, reference)


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
        error = _error(edges, reference, current)
        reach = float(normal_quantile(LEVEL)) * error
        along = _error_of_shift(edges, reference, current)
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
        detail={
            "scale": grid.scale,
            "chance": error,
            "error": max(along, _LEAST_ERROR * error) if np.isfinite(along) else error,
        },
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the true distance is within the tolerance".

    Normal, with the standard error of the mean of ``∫ sign(F − G)``, the linear form that the
    distance is near when something has moved; the tolerance is taken together with the distance
    that chance alone makes, ``√(τ² + c S²)``.
    """
    tolerated = hypot(tolerance, _MEAN_SQUARE**0.5 * estimate.detail["chance"])
    error = estimate.detail["error"]
    return float(beyond_normal(estimate.value, error, tolerated, either_side=False))


def spread(field: FieldParts) -> Squares | None:
    """Return the squared distance of each of the baseline's windows from the whole of it.

    The whole holds the window: the distance from it is that share smaller than from the others.
    """
    whole = field.whole
    if not isinstance(field.grid, NumericGrid) or not isinstance(whole, NumericCounts):
        raise ValueError("a field is counted as another kind than its grid's")  # noqa: TRY004
    counts = [part for part in field.parts if isinstance(part, NumericCounts)]
    counts = [part for part in counts if 0 < part.n < whole.n]
    if not (counts and len(field.grid.edges)):
        return None
    edges = (field.grid.edges - field.grid.center) / field.grid.scale
    rest = np.array([1 - part.n / whole.n for part in counts])
    with np.errstate(over="ignore", invalid="ignore"):
        apart = np.array([area_between(edges, whole, part) for part in counts]) / rest
        chance = np.array([_error(edges, whole, part) for part in counts])
        # Between a window and the rest: 1/m + 1/(N − m) instead of 1/m + 1/N.
        n = np.array([part.n for part in counts], np.float64)
        inside = (1 / n + 1 / (whole.n - n)) / (1 / n + 1 / whole.n)
        squares, chance2 = apart**2, chance**2 * inside
        variance = _SQUARE_VARIANCE * chance2**2
        known = np.isfinite(squares) & np.isfinite(variance)  # not so for numbers near 1e300
    return Squares(squares[known], _MEAN_SQUARE * chance2[known], variance[known], 1.0)


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


def _error_of_shift(edges: FloatArray, reference: NumericCounts, current: NumericCounts) -> float:
    """Return the standard error of the distance, were the signs of F − G known in each cell."""
    signs = np.sign(_areas(edges, reference) - _areas(edges, current))
    steps = np.concatenate([[0.0, 0.0], np.cumsum(signs[1:-1] * np.diff(edges))])
    starts = np.concatenate([[edges[0]], edges])
    variance = 0.0
    for side in (reference, current):
        held = side.cells > 0
        places = steps[held] + signs[held] * (side.sums[held] / side.cells[held] - starts[held])
        shares = side.cells[held] / side.n
        mean = np.dot(shares, places)
        variance += float(np.dot(shares, (places - mean) ** 2)) / side.n
    return float(np.sqrt(variance))


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
    tail=tail,
    spread=spread,
)
