"""Jensen-Shannon distance."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from monitor.domain.estimate import Result
from monitor.measures.drift.distance import distance_estimate
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair


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
    p, q = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    entropy = -xlogy(middle, middle) + (xlogy(p, p) + xlogy(q, q)) / 2
    return float(np.sqrt(np.clip(entropy.sum() / np.log(2), 0.0, 1.0)))


def measure(pair: FieldPair) -> Result:
    """Return the distance over the field's groups, with an interval of the true distance.

    ``8 n_eff`` times the divergence in nats is close to noncentral chi-square (its curvature at
    equality is a quarter).

    Unmeasurable: no rows, no such column, fewer than ten rows, or one side without a value.
    """
    return distance_estimate(pair, js_distance, 8 * float(np.log(2)))


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
)
