"""Kolmogorov-Smirnov distance."""

from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Estimate, Result
from monitor.measures.applicability import is_numeric
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.presence import no_values
from monitor.profile.counts import FieldCounts, NumericCounts
from monitor.profile.grid import BoolArray, FloatArray, IntArray, NumericGrid
from monitor.special import kolmogi, kolmogorov
from monitor.uncertainty.between import Squares
from monitor.uncertainty.divergence import effective_rows

LEVEL = 0.95
"""Of the interval."""

_SQUARE = float(np.pi**2 / 12)
_SQUARE_VARIANCE = float(7 * np.pi**4 / 720 - (np.pi**2 / 12) ** 2)
# Mean and variance of the square of Kolmogorov's law.


class Distance(NamedTuple):
    """The distance seen at the cells' edges, and the most it can be inside the cells."""

    seen: float
    most: float


def ks(reference: FloatArray, current: FloatArray, atoms: BoolArray) -> Distance:
    """Return the Kolmogorov-Smirnov distance of two distributions that are known at edges only.

    ``max |F − G|`` of the cumulative shares. At the edges it is exact; inside a cell both rise
    from what they are at its lower to what they are at its upper edge, so the distance of the raw
    values lies between ``seen`` and ``most``. A cell cut around one value adds nothing. 0 for equal
    distributions, 1 for disjoint ones; symmetric; unmoved by any monotone change of scale.

    Args:
        reference: shape (cells + 1,), cumulative shares of the baseline from 0 to 1.
        current: shape (cells + 1,), cumulative shares of the window.
        atoms: shape (cells,), cells that hold one value.

    Source:
        N. V. Smirnov (1939), Bull. Math. Univ. Moscou 2(2), 3-14.
    """
    seen = float(np.max(np.abs(current - reference)))
    inside = np.maximum(current[1:] - reference[:-1], reference[1:] - current[:-1])
    return Distance(seen, max(seen, float(np.max(inside, where=~atoms, initial=0.0))))


def measure(pair: FieldPair) -> Result:
    """Return the distance between the numbers in baseline and window, the infinities included.

    The interval is the distance ± Smirnov's critical value ``c √(1/n + 1/m)``, the upper end from
    the most that the cells allow. The p-value is asymptotic, and conservative for tied values.
    ``detail["most"]`` is the most that the distance of the raw values can be.

    Unmeasurable: no rows, no such column, or one side without a number.
    """
    if (nothing := no_values(pair)) is not None:
        return nothing
    match pair.grid, pair.reference, pair.current:
        case NumericGrid() as grid, NumericCounts() as reference, NumericCounts() as current:
            n, m = reference.n + reference.infinite, current.n + current.infinite
            atoms = np.concatenate([[True], grid.atoms, [True]])  # the infinities are points
            distance = ks(cumulative(reference), cumulative(current), atoms)
        case _:
            raise ValueError(f"{pair.field.name} is not numeric")
    n_eff = effective_rows(n, m)
    reach = float(kolmogi(1 - LEVEL)) / float(np.sqrt(n_eff))
    return Estimate(
        distance.seen,
        n=m,
        n_reference=n,
        low=max(distance.seen - reach, 0.0),
        high=min(distance.most + reach, 1.0),
        level=LEVEL,
        method="Smirnov",
        p_value=float(kolmogorov(distance.seen * np.sqrt(n_eff))),
        detail={"most": distance.most, "n_eff": n_eff},
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the true distance is within the tolerance".

    By Smirnov's one-sided law of the distance beyond the tolerance, on both sides: for a tolerance
    of 0 the first term of Kolmogorov's series. Never too small, larger than need be where the
    distributions are farthest apart in one place only.
    """
    if estimate.value <= tolerance:
        return 1.0
    ends = np.array([estimate.value - tolerance, estimate.value + tolerance])
    return float(min(np.exp(-2 * estimate.detail["n_eff"] * ends**2).sum(), 1.0))


def spread(field: FieldParts) -> Squares | None:
    """Return the squared distance of each of the baseline's windows from the others."""
    whole = _rows(field.whole)
    parts = [rows for rows in map(_rows, field.parts) if 0 < rows.sum() < whole.sum()]
    if not parts:
        return None
    rows = np.array(parts)
    others = whole - rows
    n, m = rows.sum(axis=1), others.sum(axis=1)
    apart = np.cumsum(rows, axis=1) / n[:, None] - np.cumsum(others, axis=1) / m[:, None]
    n_eff = np.asarray(n * m / (n + m), np.float64)
    squares = np.square(np.abs(apart).max(axis=1))
    return Squares(squares, _SQUARE / n_eff, _SQUARE_VARIANCE / n_eff**2, 1.0)


def cumulative(counts: NumericCounts) -> FloatArray:
    """Return the share of the numbers up to the upper end of −inf, each cell and +inf; 0 first."""
    rows = _rows(counts)
    return np.concatenate([[0.0], np.cumsum(rows) / rows.sum()])


def _rows(counts: FieldCounts) -> IntArray:
    if not isinstance(counts, NumericCounts):
        raise ValueError("a field is counted as another kind than its grid's")  # noqa: TRY004
    return np.concatenate(
        [[counts.negative_infinite], counts.cells, [counts.positive_infinite]], dtype=np.int64
    )


MEASURE = FieldMeasure(
    Description(
        id="ks",
        family=Family.DRIFT,
        title="Kolmogorov-Smirnov distance",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=True,
        source="Smirnov (1939)",
    ),
    measure,
    applies=is_numeric,
    tail=tail,
    spread=spread,
)
