"""Population stability index."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.domain.estimate import Estimate, Result, Unmeasurable
from monitor.measures.grouping import grouped, grouped_parts
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.spreads import of_divergence
from monitor.uncertainty.between import Squares
from monitor.uncertainty.divergence import effective_rows, exceedance, noncentrality
from monitor.uncertainty.interval import FloatArray

SMOOTHING = 0.5
"""Rows added to each group on both sides (Jeffreys' prior). With it the index is finite for an
empty group, and the chi-square law below holds for skewed groups; a small constant share instead
makes one empty group decide the value."""

LEVEL = 0.90
"""Of the two-sided interval, so that its lower end is a 95 % lower bound: the end is above a limit
exactly when a 5 % test rejects that the true index is within the limit."""


def psi(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the population stability index between two samples' counts, in nats.

    ``Σ (qᵢ − pᵢ) ln(qᵢ / pᵢ)`` over the groups, where ``p`` and ``q`` are the shares after
    `SMOOTHING`: the Jeffreys divergence, Kullback-Leibler in both directions. 0 for equal shares,
    never negative, no upper bound; symmetric.

    A sample of the same population gives ``(B − 1)(1/n + 1/m)`` on average, not 0.

    Args:
        reference: shape (groups,), rows.
        current: shape (groups,), rows.

    Source:
        H. Jeffreys (1946), Proc. R. Soc. A 186, 453-461; the name from credit scoring: E. M. Lewis
        (1994), An Introduction to Credit Scoring; null law: B. Yurdakul (2018), Statistical
        Properties of Population Stability Index, Western Michigan University.
    """
    return float(indices(reference, current))


def indices(reference: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return the index of many pairs of samples: over the last axis of shape (…, groups)."""
    return np.asarray(np.sum(terms(reference, current), axis=-1))


def terms(reference: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return what each group adds to `psi`: ``(qᵢ − pᵢ) ln(qᵢ / pᵢ)``, in nats, never negative.

    Args:
        reference: shape (…, groups), rows.
        current: shape (…, groups), rows.
    """
    p, q = (np.asarray(rows, np.float64) + SMOOTHING for rows in (reference, current))
    p, q = (shares / shares.sum(axis=-1, keepdims=True) for shares in (p, q))
    return np.asarray((q - p) * np.log(q / p))


def measure(pair: FieldPair) -> Result:
    """Return the index over the field's groups, with an interval of the true index.

    ``n_eff · PSI`` is close to noncentral chi-square with B − 1 degrees of freedom around
    ``n_eff · PSI_true``, ``n_eff = n m / (n + m)``. The interval is free of the sampling bias that
    is in the value, so in a small window the value may lie above it; ``detail["excess"]`` is the
    value less that bias.

    Unmeasurable: no rows, no such column, fewer than ten rows, or no value on either side.
    """
    groups = grouped(pair)
    if isinstance(groups, Unmeasurable):
        return groups
    value = psi(*groups)
    n, m = pair.reference.rows, pair.current.rows
    n_eff = effective_rows(n, m)
    low = high = value  # one group, the same on both sides: nothing can have moved
    if groups.df:
        ends = noncentrality(n_eff * value, groups.df, LEVEL)
        low, high = float(ends.low) / n_eff, float(ends.high) / n_eff
    return Estimate(
        value,
        n=m,
        n_reference=n,
        low=low,
        high=high,
        level=LEVEL,
        method="noncentral chi-square, Jeffreys smoothing",
        detail={"excess": max(value - groups.df / n_eff, 0.0), "df": groups.df, "n_eff": n_eff},
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the true index is within the tolerance"."""
    n_eff = estimate.detail["n_eff"]
    return float(exceedance(n_eff * estimate.value, estimate.detail["df"], n_eff * tolerance))


def spread(field: FieldParts) -> Squares:
    """Return the index of each of the baseline's windows against the others."""
    groups = grouped_parts(field)
    return of_divergence(indices(*groups), groups, 1.0)


MEASURE = FieldMeasure(
    Description(
        id="psi",
        family=Family.DRIFT,
        title="population stability index",
        unit="nats",
        unchanged=0.0,
        lower=0.0,
        upper=None,
        symmetric=False,  # the formula is; the groups are the baseline's
        source="Jeffreys (1946); Lewis (1994); Yurdakul (2018)",
    ),
    measure,
    tail=tail,
    spread=spread,
)
