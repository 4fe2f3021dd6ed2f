"""Largest shift of a projection's mean."""

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import (
    Description,
    EmbeddingMeasure,
    EmbeddingPair,
    EmbeddingParts,
    Family,
)
from monitor.measures.projections import (
    LEAST_VECTORS,
    ProjectionMoments,
    no_vectors,
    parts_and_others,
    projection_moments,
    rows_without,
)
from monitor.measures.spreads import of_largest
from monitor.profile.grid import BoolArray, FloatArray
from monitor.special import stdtr, stdtrit
from monitor.uncertainty.between import Squares
from monitor.uncertainty.normal import beyond_normal

LEVEL = 0.95
"""Of the interval, held jointly over the projections."""


def measure(pair: EmbeddingPair) -> Result:
    """Return the largest shift among the means of an embedding's 64 random projections.

    ``max |mean now − mean then| / standard deviation then``: in standard deviations of a
    projection in the baseline; from 0, no upper bound. By chance alone it is some 2.5 standard
    errors above 0; the interval is not: each projection has Welch's at the Bonferroni level, so that all
    of them hold together, its lower end is the largest shift that is sure, its upper end the
    largest that is possible. The p-value is Welch's for equal means, times the projections.

    If all vectors shift by a vector of length L while their spread (root mean square distance from
    their mean) is S, a projection shifts by about L/S times a standard normal: the largest by
    about 2.5 L/S.

    Unmeasurable: fewer than ten usable vectors on a side, or a baseline whose vectors are all the
    same.

    Source:
        B. L. Welch (1947); D. Achlioptas (2003), J. Computer and System Sciences 66, 671-687.
    """
    if (nothing := no_vectors(pair)) is not None:
        return nothing
    then, now = projection_moments(pair.reference), projection_moments(pair.current)
    varies = then.variance > 0
    if not varies.any():
        return Unmeasurable(
            Absence.UNDEFINED,
            f"all vectors of {pair.name} in the baseline are the same: no deviation to use",
            now.n,
            then.n,
        )
    unit = np.sqrt(then.variance[varies])
    shift, error, df, width = _shifts(then, now, varies)
    tests = len(shift)
    sizes = np.abs(shift) / unit
    largest = int(np.argmax(sizes))
    p_value = 2 * tests * float(stdtr(df, -np.abs(shift) / error).min())
    return Estimate(
        float(sizes[largest]),
        n=now.n,
        n_reference=then.n,
        low=float(np.maximum(sizes - width / unit, 0.0).max()),
        high=float((sizes + width / unit).max()),
        level=LEVEL,
        method="Welch, Bonferroni over the projections",
        p_value=min(p_value, 1.0),
        detail={
            "projection": int(np.flatnonzero(varies)[largest]),
            "projections": tests,
            "error": float((error / unit).max()),
            **rows_without(pair.current),
        },
    )


def surely_moved(then: ProjectionMoments, now: ProjectionMoments) -> BoolArray:
    """Return which of the projections that vary have moved by more than chance, held jointly."""
    shift, _, _, width = _shifts(then, now, then.variance > 0)
    return np.asarray(np.abs(shift) > width)


def _shifts(
    then: ProjectionMoments, now: ProjectionMoments, varies: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return Welch's shifts, standard errors, degrees of freedom, and half widths of the interval."""
    shift = (now.mean - then.mean)[varies]
    parts = now.variance[varies] / now.n, then.variance[varies] / then.n
    error = np.sqrt(parts[0] + parts[1])
    df = (parts[0] + parts[1]) ** 2 / (parts[0] ** 2 / (now.n - 1) + parts[1] ** 2 / (then.n - 1))
    width = np.asarray(stdtrit(df, 1 - (1 - LEVEL) / (2 * len(shift))) * error, np.float64)
    return shift, error, df, width


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "no projection's mean has shifted by more than the tolerance".

    Normal, with the largest standard error of a projection, times the projections (Bonferroni):
    never too small, larger than need be.
    """
    error = estimate.detail["error"]
    p_value = float(beyond_normal(estimate.value, error, tolerance, either_side=True))
    return min(estimate.detail["projections"] * p_value, 1.0)


def spread(embedding: EmbeddingParts) -> Squares | None:
    """Return the square of the largest shift between a window of the baseline and the others."""
    if embedding.whole.n < LEAST_VECTORS:
        return None
    unit2 = projection_moments(embedding.whole).variance
    varies = unit2 > 0
    both = parts_and_others(embedding)
    if not (both and varies.any()):
        return None
    apart = np.array([(part.mean - others.mean)[varies] for part, others in both])
    error2 = np.array([1 / part.n + 1 / others.n for part, others in both])
    return of_largest(apart / np.sqrt(unit2[varies]), error2)


MEASURE = EmbeddingMeasure(
    Description(
        id="embedding_mean",
        family=Family.DRIFT,
        title="largest shift of a projection's mean",
        unit="standard deviations of the baseline",
        unchanged=0.0,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Welch (1947); Achlioptas (2003)",
    ),
    measure,
    tail=tail,
    spread=spread,
)
