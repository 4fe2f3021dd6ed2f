"""The estimate that the bounded distances over groups share."""

from collections.abc import Callable

import numpy as np

from monitor.domain.estimate import Estimate, Result, Unmeasurable
from monitor.measures.grouping import grouped_values
from monitor.measures.measure import FieldPair
from monitor.profile.grid import IntArray
from monitor.uncertainty.divergence import effective_rows, exceedance, noncentrality

LEVEL = 0.90
"""Two-sided; each end is a 95 % bound."""


def distance_estimate(
    pair: FieldPair, distance: Callable[[IntArray, IntArray], float], per_square: float
) -> Result:
    """Return a distance over a field's groups with an interval of the true distance.

    ``per_square · n_eff`` times the squared distance is taken as noncentral chi-square. The
    interval is free of the sampling bias that is in the value, so in a small window the value may
    lie above it.

    Args:
        pair: The field.
        distance: Of two arrays of rows by group; in [0, 1].
        per_square: Twice the square's inverse curvature at equality.
    """
    groups = grouped_values(pair)
    if isinstance(groups, Unmeasurable):
        return groups
    value = distance(*groups)
    n, m = pair.reference.rows, pair.current.rows
    scale = per_square * effective_rows(n, m)
    low = high = value  # one group, the same on both sides: nothing can have moved
    if groups.df:
        ends = noncentrality(scale * value**2, groups.df, LEVEL)
        low, high = (min(float(np.sqrt(end / scale)), 1.0) for end in ends)
    return Estimate(
        value,
        n=m,
        n_reference=n,
        low=low,
        high=high,
        level=LEVEL,
        method="noncentral chi-square",
        detail={"df": groups.df},
    )


def distance_tail(estimate: Estimate, tolerance: float, per_square: float) -> float:
    """Return the p-value of "the true distance is within the tolerance".

    Args:
        estimate: Made by `distance_estimate`.
        tolerance: The tolerated distance.
        per_square: As for `distance_estimate`.
    """
    scale = per_square * effective_rows(estimate.n, estimate.n_reference)
    observed, tolerated = scale * estimate.value**2, scale * tolerance**2
    return float(exceedance(observed, estimate.detail["df"], tolerated))
