"""Jensen-Shannon distance."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.domain.estimate import Estimate, Result
from monitor.measures.drift.distance import distance_estimate, distance_tail
from monitor.measures.grouping import grouped_parts
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.spreads import of_divergence
from monitor.special import xlogy
from monitor.uncertainty.between import Squares
from monitor.uncertainty.interval import FloatArray

PER_SQUARE = 8 * float(np.log(2))
"""Twice the inverse curvature of the squared distance at equality."""


def js_distance(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the Jensen-Shannon distance between two samples' counts, base 2.

    The square root of ``(KL(p‖m) + KL(q‖m)) / 2`` in bits, with ``m`` the mean of the shares ``p``
    and ``q``; no smoothing. 0 for equal shares, 1 for disjoint ones; symmetric; a metric.

    Args:
        reference: shape (groups,), rows, at least one in all.
        current: shape (groups,), rows, at least one in all.

    Source:
        J. Lin (1991), IEEE Trans. Inf. Theory 37, 145-151; D. M. Endres and J. E. Schindelin
        (2003), IEEE Trans. Inf. Theory 49, 1858-1860.
    """
    return float(np.sqrt(squares(reference, current)))


def squares(reference: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return the divergence of many pairs: over the last axis of shape (…, groups)."""
    return np.asarray(np.clip(np.sum(terms(reference, current), axis=-1), 0.0, 1.0))


def terms(reference: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return what each group adds to the squared distance, in bits; not negative but for rounding.

    Args:
        reference: shape (…, groups), rows, at least one in all.
        current: shape (…, groups), rows, at least one in all.
    """
    p, q = (np.asarray(rows, np.float64) for rows in (reference, current))
    p, q = (rows / rows.sum(axis=-1, keepdims=True) for rows in (p, q))
    middle = (p + q) / 2
    entropy = -xlogy(middle, middle) + (xlogy(p, p) + xlogy(q, q)) / 2
    return np.asarray(entropy / np.log(2))


def measure(pair: FieldPair) -> Result:
    """Return the distance over the field's groups, with an interval of the true distance.

    ``8 n_eff`` times the divergence in nats is close to noncentral chi-square (its curvature at
    equality is a quarter).

    Unmeasurable: no rows, no such column, fewer than ten rows, or one side without a value.
    """
    return distance_estimate(pair, js_distance, PER_SQUARE)


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the true distance is within the tolerance"."""
    return distance_tail(estimate, tolerance, PER_SQUARE)


def spread(field: FieldParts) -> Squares:
    """Return the squared distance of each of the baseline's windows from the others."""
    groups = grouped_parts(field)
    return of_divergence(squares(*groups), groups, PER_SQUARE)


MEASURE = FieldMeasure(
    Description(
        id="js_distance",
        family=Family.DRIFT,
        title="Jensen-Shannon distance",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=False,  # the formula is; the groups are the baseline's
        source="Lin (1991); Endres and Schindelin (2003)",
    ),
    measure,
    tail=tail,
    spread=spread,
)
