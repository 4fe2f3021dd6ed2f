"""How much worse the baseline's principal components reproduce the rows of a window."""

from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_pairs
from monitor.measures.measure import (
    Description,
    Family,
    ModelMeasure,
    ProfilePair,
    ProfileParts,
)
from monitor.measures.pairs import Standard, kurtosis, no_pairs, second_moments, standard
from monitor.measures.spreads import of_differences
from monitor.profile.comoments import CoMoments
from monitor.profile.grid import FloatArray, Grid, IntArray
from monitor.profile.profile import Profile
from monitor.uncertainty.between import Squares
from monitor.uncertainty.interval import normal_quantile
from monitor.uncertainty.normal import beyond_normal
from monitor.uncertainty.subspace import FOLDS, leading, unseen_error

LEVEL = 0.95
"""Of the interval."""

KEPT_VARIANCE = 0.65
"""Share of the baseline's variance that the kept components explain."""

LEAST_ROWS = 30
"""Rows that two fields must have in common, on both sides, to take part."""

LEAST_FIELDS = 2
"""Fields that a component takes to be one."""

ALLOWANCE = 3.0
"""Times the variance of the baseline's error by its rows alone: the components that it is the error
of are estimates as well. In simulations its variance was 1.7 to 2.7 times that of the rows."""

_NORMAL_KURTOSIS = 3.0
_NOTHING_LEFT = 1e-9  # of the variance: the kept components are all that there is


class Error(NamedTuple):
    """A mean squared error of reconstruction, and its variance from row to row."""

    mean: float
    variance: float


def measure(pair: ProfilePair) -> Result:
    """Return the mean squared error of reconstruction now over the baseline's, less 1.

    Rows are the normal scores of the numeric fields, in the baseline's means and standard
    deviations. The components kept are the fewest of the baseline's matrix of correlations that
    explain `KEPT_VARIANCE`, and fewer than all; ``V`` has them as columns. The error of a row
    ``x`` is ``‖x − V Vᵀ x‖²``, and its mean over any rows is ``tr((I − V Vᵀ) M)``, where ``M`` are
    the mean products of the scores: no row is needed. Where values are missing ``M`` is taken over
    complete pairs. The components fit the baseline's own rows too well, so that any other rows lie
    above 0: interval and test are of ``detail["excess"]``, which is the same against the error of
    rows that the components were not taken from (`unseen_error`), and lies below the value.

    0 when nothing changed; above 0 when rows lie farther from what the fields had in common, below
    0 when they lie closer; not below −1, no upper bound. The interval is normal: the variance of a
    quadratic form from ``M`` and the fields' own fourth moments, which are exact for independent
    and for normal fields. ``then`` and ``now`` are the errors; ``detail`` has the ``fields``
    that took part and the ``components``. A field takes part if it varies in the baseline and has
    `LEAST_ROWS` with each other one on both sides.

    Unmeasurable: a baseline without scores or rows; a window without rows; fewer than two fields
    that can take part; fewer than ten rows of the baseline for each of them; components that leave
    nothing.

    Source:
        J. Shlens (2014), A Tutorial on Principal Component Analysis; used for drift by NannyML.
        Variance: G. A. F. Seber and A. J. Lee (2003), Linear Regression Analysis, theorem 1.6.
        Rows not seen: Neufeld et al. (2024), J. Mach. Learn. Res. 25(57).
    """
    if (nothing := no_pairs(pair)) is not None:
        return nothing
    rows, reference_rows = pair.current.rows, pair.reference.rows
    unit = standard(pair.reference.pairs)
    fields = _able(unit, pair.reference.pairs, pair.current.pairs)
    if len(fields) < LEAST_FIELDS:
        return Unmeasurable(
            Absence.INSUFFICIENT_DATA,
            f"{len(fields)} numeric fields vary in the baseline and have at least {LEAST_ROWS} rows "
            "with each other in baseline and window",
            rows,
            reference_rows,
        )
    m, n = (_rows(side.pairs, fields) for side in (pair.current, pair.reference))
    if n < FOLDS * len(fields):
        return Unmeasurable(
            Absence.INSUFFICIENT_DATA,
            f"{n:,} rows of the baseline are fewer than {FOLDS} for each of {len(fields)} fields",
            rows,
            reference_rows,
        )
    left, kept = _residual(pair.reference.pairs, unit, fields)
    then, now = (
        _error(pair.grid, side, left, unit, fields) for side in (pair.reference, pair.current)
    )
    if then.mean <= _NOTHING_LEFT * len(fields):
        return Unmeasurable(
            Absence.UNDEFINED,
            f"{kept} components reproduce all {len(fields)} fields of the baseline",
            rows,
            reference_rows,
        )
    moments = second_moments(pair.reference.pairs, unit, fields)
    unseen = Error(max(unseen_error(moments, n, kept), then.mean), ALLOWANCE * then.variance)
    excess, error = _ratio(unseen, n, now, m)
    reach = float(normal_quantile(LEVEL)) * error
    return Estimate(
        now.mean / then.mean - 1,
        n=m,
        n_reference=n,
        low=excess - reach,
        high=excess + reach,
        level=LEVEL,
        method="trace of the residual moments, normal, around rows not seen",
        then=then.mean,
        now=now.mean,
        detail={"fields": len(fields), "components": kept, "excess": excess, "error": error},
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "the error has changed by no more than the tolerance"."""
    excess, error = estimate.detail["excess"], estimate.detail["error"]
    return float(beyond_normal(excess, error, tolerance, either_side=True))


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared value of each of the baseline's windows against the others."""
    if not model.grid.scores or not model.parts:
        return None
    unit = standard(model.whole.pairs)
    fields = _able(unit, *(part.pairs for part in model.parts))
    if len(fields) < LEAST_FIELDS:
        return None
    left, _ = _residual(model.whole.pairs, unit, fields)
    whole = _error(model.grid, model.whole, left, unit, fields)
    if whole.mean <= _NOTHING_LEFT * len(fields):
        return None
    apart, errors = [], []
    all_rows = _rows(model.whole.pairs, fields)
    for part in model.parts:
        rows = _rows(part.pairs, fields)
        value, error = _ratio(whole, all_rows, _error(model.grid, part, left, unit, fields), rows)
        apart.append(value)
        errors.append(error**2)
    return of_differences(np.array(apart), np.array(errors))


def _able(unit: Standard, *sides: CoMoments) -> IntArray:
    """Return the fields that vary in the baseline and have rows with each other on all sides.

    Fields with the fewest rows are left out first, so that one that is hardly ever there does not
    cost the others their place.
    """
    least = np.minimum.reduce([side.rows for side in sides])
    fields = np.flatnonzero((unit.deviation > 0) & (least.diagonal() >= LEAST_ROWS))
    while len(fields) and least[np.ix_(fields, fields)].min() < LEAST_ROWS:
        lacking = (least[np.ix_(fields, fields)] < LEAST_ROWS).sum(axis=1)
        fields = np.delete(fields, int(np.argmax(lacking)))
    return fields


def _residual(pairs: CoMoments, unit: Standard, fields: IntArray) -> tuple[FloatArray, int]:
    """Return what the kept components leave of a row, and how many are kept."""
    moments = second_moments(pairs, unit, fields)
    # Pairwise moments may be a little negative.
    variances = np.maximum(np.linalg.eigvalsh(moments)[::-1], 0.0)
    explained = np.cumsum(variances) / variances.sum()
    kept = min(int(np.searchsorted(explained, KEPT_VARIANCE)) + 1, len(fields) - 1)
    basis = leading(moments, kept)
    return np.eye(len(fields)) - basis @ basis.T, kept


def _error(
    grid: Grid, profile: Profile, left: FloatArray, unit: Standard, fields: IntArray
) -> Error:
    """Return mean and variance of a row's squared error.

    ``x`` with second moments ``M`` has ``E xᵀAx = tr(AM)``; ``Var xᵀAx = 2 tr(AMAM)`` when normal,
    to which independent fields of another kurtosis add ``Σ Aᵢᵢ² (κᵢ − 3)``.
    """
    moments = second_moments(profile.pairs, unit, fields)
    weighted = left @ moments
    surplus = kurtosis(grid, profile, unit)[fields] - _NORMAL_KURTOSIS * moments.diagonal() ** 2
    variance = 2 * np.trace(weighted @ weighted) + np.sum(left.diagonal() ** 2 * surplus)
    return Error(max(float(np.trace(weighted)), 0.0), max(float(variance), 0.0))


def _rows(pairs: CoMoments, fields: IntArray) -> int:
    """Return the fewest rows that a pair of fields has."""
    return int(pairs.rows[np.ix_(fields, fields)].min())


def _ratio(then: Error, n: int, now: Error, m: int) -> tuple[float, float]:
    """Return a ratio of mean errors less 1, and its standard error by the delta method."""
    ratio = now.mean / then.mean
    error2 = (now.variance / m + ratio**2 * then.variance / n) / then.mean**2
    return ratio - 1, error2**0.5


MEASURE = ModelMeasure(
    Description(
        id="reconstruction_error",
        family=Family.DRIFT,
        title="change of the error of reconstruction from principal components",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=None,
        symmetric=False,
        source="Shlens (2014); Seber and Lee (2003), theorem 1.6; Neufeld et al. (2024)",
    ),
    measure,
    applies=has_pairs,
    tail=tail,
    spread=spread,
)
