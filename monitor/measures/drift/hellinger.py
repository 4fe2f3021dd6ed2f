"""Hellinger distance."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.domain.estimate import Estimate, Result
from monitor.measures.drift.distance import distance_estimate, distance_tail
from monitor.measures.grouping import grouped_parts
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.spreads import of_divergence
from monitor.uncertainty.between import Squares
from monitor.uncertainty.interval import FloatArray

PER_SQUARE = 8.0
"""Twice the inverse curvature of the squared distance at equality."""


def hellinger(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the Hellinger distance between two samples' counts.

    ``√(Σ (√pᵢ − √qᵢ)² / 2)`` of the shares; no smoothing. 0 for equal shares, 1 for disjoint ones;
    symmetric; a metric.

    Args:
        reference: shape (groups,), rows, at least one in all.
        current: shape (groups,), rows, at least one in all.

    Source:
        E. Hellinger (1909), J. reine angew. Math. 136, 210-271; L. Le Cam and G. L. Yang (2000),
        Asymptotics in Statistics, section 3.
    """
    return min(float(np.sqrt(squares(reference, current))), 1.0)


def squares(reference: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return the squared distance of many pairs: over the last axis of shape (…, groups)."""
    return np.asarray(np.sum(terms(reference, current), axis=-1))


def terms(reference: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return what each group adds to the squared distance: ``(√pᵢ − √qᵢ)² / 2``.

    Args:
        reference: shape (…, groups), rows, at least one in all.
        current: shape (…, groups), rows, at least one in all.
    """
    p, q = (np.asarray(rows, np.float64) for rows in (reference, current))
    p, q = (rows / rows.sum(axis=-1, keepdims=True) for rows in (p, q))
    return np.asarray((np.sqrt(p) - np.sqrt(q)) ** 2 / 2)


def measure(pair: FieldPair) -> Result:
    """Return the distance over the field's groups, with an interval of the true distance.

    ``8 n_eff`` times its square is close to noncentral chi-square (its curvature at equality is a
    quarter).

    Unmeasurable: no rows, no such column, fewer than ten rows, or one side without a value.
    """
    return distance_estimate(pair, hellinger, PER_SQUARE)


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the true distance is within the tolerance"."""
    return distance_tail(estimate, tolerance, PER_SQUARE)


def spread(field: FieldParts) -> Squares:
    """Return the squared distance of each of the baseline's windows from the others."""
    groups = grouped_parts(field)
    return of_divergence(squares(*groups), groups, PER_SQUARE)


MEASURE = FieldMeasure(
    Description(
        id="hellinger",
        family=Family.DRIFT,
        title="Hellinger distance",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=False,  # the formula is; the groups are the baseline's
        source="Hellinger (1909); Le Cam and Yang (2000)",
    ),
    measure,
    tail=tail,
    spread=spread,
)
