"""Cramér's V between a field and "baseline or window"."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from monitor.domain.estimate import Estimate, Result, Unmeasurable
from monitor.measures.grouping import grouped_parts, grouped_values
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.special import chdtrc
from monitor.uncertainty.between import Squares
from monitor.uncertainty.divergence import exceedance, noncentrality
from monitor.uncertainty.interval import FloatArray

LEVEL = 0.90
"""Two-sided; each end is a 95 % bound."""


class Association(NamedTuple):
    """Chi-square of the two-sample table, its degrees of freedom and p-value, and V."""

    chi2: float
    df: int
    p_value: float
    v: float


def association(reference: ArrayLike, current: ArrayLike) -> Association:
    """Return the two-sample chi-square test and bias-corrected Cramér's V.

    Chi-square of the 2 × B table of counts, both rows being samples; no continuity correction.
    ``V = √(φ̃² / min(k̃ − 1, r̃ − 1))`` with Bergsma's corrected ``φ̃²``, rows and columns: 0 for no
    association and on average near 0 when nothing changed, 1 for disjoint samples; symmetric. For
    equal shares V does not depend on how many rows there are, but it falls when one sample is much
    larger than the other: compare V only between windows of a like size.

    Args:
        reference: shape (groups,), rows; every group has rows on a side.
        current: shape (groups,), rows; at least two groups.

    Source:
        K. Pearson (1900), Philos. Mag. 50, 157-175; H. Cramér (1946), Mathematical Methods of
        Statistics, p. 282; W. Bergsma (2013), J. Korean Stat. Soc. 42, 323-328.
    """
    each = terms(reference, current)
    chi2, columns = float(np.sum(each)), len(each)
    total = float(np.sum(reference) + np.sum(current))
    df = columns - 1
    phi2 = max(chi2 / total - df / (total - 1), 0.0)
    least = min(columns - df**2 / (total - 1), 2 - 1 / (total - 1)) - 1
    return Association(chi2, df, float(chdtrc(df, chi2)), min(float(np.sqrt(phi2 / least)), 1.0))


def terms(reference: ArrayLike, current: ArrayLike) -> FloatArray:
    """Return what each group adds to chi-square, both samples together; never negative.

    Args:
        reference: shape (groups,), rows; every group has rows on a side.
        current: shape (groups,), rows.
    """
    table = np.array([reference, current], np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    each: FloatArray = ((table - expected) ** 2 / expected).sum(axis=0)
    return each


def measure(pair: FieldPair) -> Result:
    """Return V over the field's groups, with the chi-square test's p-value.

    The interval inverts the noncentral chi-square.

    Unmeasurable: no rows, no such column, fewer than ten rows, or one side without a value.
    """
    groups = grouped_values(pair)
    if isinstance(groups, Unmeasurable):
        return groups
    n, m = pair.reference.rows, pair.current.rows
    found = Association(0.0, 0, 1.0, 0.0)  # one group on both sides: no association to speak of
    low = high = 0.0
    if groups.df:
        found = association(*groups)
        ends = noncentrality(found.chi2, found.df, LEVEL)
        low, high = (min(float(np.sqrt(end / (n + m))), 1.0) for end in ends)
    return Estimate(
        found.v,
        n=m,
        n_reference=n,
        low=min(low, found.v),
        high=high,
        level=LEVEL,
        method="chi-square, Bergsma correction",
        p_value=found.p_value,
        detail={"chi2": found.chi2, "df": found.df},
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the true V is within the tolerance"."""
    tolerated = (estimate.n + estimate.n_reference) * tolerance**2
    return float(exceedance(estimate.detail["chi2"], estimate.detail["df"], tolerated))


def spread(field: FieldParts) -> Squares:
    """Return the squared V (not corrected) of each of the baseline's windows and the others."""
    others, parts = grouped_parts(field)
    df = parts.shape[-1] - 1
    both = others + parts
    total = both.sum(axis=-1, keepdims=True)
    chi2 = sum(
        np.square(rows - expected) / np.maximum(expected, np.finfo(np.float64).tiny)
        for rows in (others, parts)
        for expected in [rows.sum(axis=-1, keepdims=True) * both / total]
    )
    rows = total[..., 0].astype(np.float64)
    return Squares(np.asarray(chi2).sum(axis=-1) / rows, df / rows, 2 * df / rows**2, df)


MEASURE = FieldMeasure(
    Description(
        id="cramers_v",
        family=Family.DRIFT,
        title="Cramér's V",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=False,  # the formula is; the groups are the baseline's
        source="Cramér (1946); Bergsma (2013)",
    ),
    measure,
    tail=tail,
    spread=spread,
)
