"""Hellinger distance."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.domain.estimate import Result
from monitor.measures.drift.distance import distance_estimate
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair


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
    p, q = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    p, q = p / p.sum(), q / q.sum()
    return float(min(np.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2), 1.0))


def measure(pair: FieldPair) -> Result:
    """Return the distance over the field's groups, with an interval of the true distance.

    ``8 n_eff`` times its square is close to noncentral chi-square (its curvature at equality is a
    quarter).

    Unmeasurable: no rows, no such column, fewer than ten rows, or one side without a value.
    """
    return distance_estimate(pair, hellinger, 8.0)


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
)
