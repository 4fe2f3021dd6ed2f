"""L-infinity distance of shares."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.domain.estimate import Estimate, Result, Unmeasurable
from monitor.measures.grouping import grouped_parts, grouped_values
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.spreads import of_differences
from monitor.uncertainty.between import Squares
from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.normal import beyond_normal

LEVEL = 0.95
"""Of the interval, held jointly over the groups."""


def l_infinity(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the largest change of a group's share: ``max |qᵢ − pᵢ|``.

    0 for equal shares, at most 1; symmetric. It names one group's move and does not add up many
    small ones.

    Args:
        reference: shape (groups,), rows, at least one in all.
        current: shape (groups,), rows, at least one in all.

    Source:
        The Chebyshev distance; for drift: TensorFlow Data Validation (E. Breck, N. Polyzotis,
        S. Roy, S. Whang and M. Zinkevich (2019), Data Validation for Machine Learning, MLSys).
    """
    p, q = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    return float(np.max(np.abs(q / q.sum() - p / p.sum())))


def measure(pair: FieldPair) -> Result:
    """Return the distance over the field's groups.

    The interval comes from Newcombe's of every group's difference at the Bonferroni level, so that
    all of them hold together: its lower end is the largest change that is sure, its upper end the
    largest that is possible.

    Unmeasurable: no rows, no such column, fewer than ten rows, or one side without a value.
    """
    groups = grouped_values(pair)
    if isinstance(groups, Unmeasurable):
        return groups
    reference, current = groups
    n, m = pair.reference.rows, pair.current.rows
    low, high = newcombe(current, m, reference, n, 1 - (1 - LEVEL) / len(reference))
    pooled = (reference + current) / (n + m)
    errors = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    sure = np.maximum(np.maximum(low, -high), 0.0)
    return Estimate(
        l_infinity(reference, current),
        n=m,
        n_reference=n,
        low=float(sure.max()),
        high=float(np.maximum(-low, high).max()),
        level=LEVEL,
        method="Newcombe hybrid score, Bonferroni over the groups",
        detail={"groups": len(reference), "error": float(errors.max())},
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "no share has changed by more than the tolerance".

    Normal, with the standard error of the group that has the largest, times the number of groups
    (Bonferroni): never too small, larger than need be.
    """
    error = estimate.detail["error"]
    p_value = float(beyond_normal(estimate.value, error, tolerance, either_side=True))
    return min(estimate.detail["groups"] * p_value, 1.0)


def spread(field: FieldParts) -> Squares | None:
    """Return the squared change of each group between a window of the baseline and the others."""
    others, parts = grouped_parts(field)
    n, m = (rows.sum(axis=-1, keepdims=True) for rows in (others, parts))
    share = (others + parts) / (n + m)
    return of_differences(parts / m - others / n, share * (1 - share) * (1 / n + 1 / m))


MEASURE = FieldMeasure(
    Description(
        id="l_infinity",
        family=Family.DRIFT,
        title="largest change of a share",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=False,  # the formula is; the groups are the baseline's
        source="Chebyshev distance; Breck et al. (2019)",
    ),
    measure,
    tail=tail,
    spread=spread,
)
