"""Largest change among variances and correlations of projections."""

from typing import NamedTuple

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
    ProjectionMoments,
    no_vectors,
    parts_and_others,
    projection_moments,
    rows_without,
)
from monitor.measures.spreads import of_largest
from monitor.profile.grid import BoolArray, FloatArray, IntArray
from monitor.special import stdtr, stdtrit
from monitor.uncertainty.between import Squares
from monitor.uncertainty.normal import beyond_normal

LEVEL = 0.95
"""Of the interval, held jointly over all variances and correlations."""

MOST_CORRELATION = 1 - 1e-6
"""Fisher's z of anything nearer to 1 is that of this: two projections of vectors on one line are
correlated perfectly, and rounding must not decide how perfectly."""

NORMAL_KURTOSIS = 3.0


def measure(pair: EmbeddingPair) -> Result:
    """Return the largest change in the covariance of an embedding's 64 random projections.

    The larger of ``|½ ln(variance now / variance then)|`` over the projections and
    ``|atanh r now − atanh r then|`` over their pairs, r being the correlation: both are 0 when
    nothing changed, have no upper bound, and have for normal data a standard error of
    about 1/√(2n) and 1/√n. 0.2 is a standard deviation that changed by a fifth, or a correlation
    from 0 to 0.2. By chance alone it is some 3.5 standard errors above 0; the interval is not: it
    holds jointly over all 2,080 (Bonferroni), with errors that are widened by the projections'
    kurtosis. The p-value is that of no change in the one that changed most, times 2,080.

    Unmeasurable: fewer than ten usable vectors on a side, or a side whose vectors are all the same.

    Source:
        R. A. Fisher (1921), Metron 1, 3-32; the errors of data that are not normal: R. J. Muirhead
        (1982), Aspects of Multivariate Statistical Theory, 5.1.
    """
    if (nothing := no_vectors(pair)) is not None:
        return nothing
    found = changes(pair)
    if isinstance(found, Unmeasurable):
        return found
    then_n, now_n, varies = pair.reference.n, pair.current.n, found.varies
    sizes = np.abs(found.now - found.then)
    error = found.error
    tests, df = len(sizes), min(then_n, now_n) - 1
    width = stdtrit(df, 1 - (1 - LEVEL) / (2 * tests)) * error
    p_value = 2 * tests * float(stdtr(df, -(sizes / error).max()))
    return Estimate(
        float(sizes.max()),
        n=now_n,
        n_reference=then_n,
        low=float(np.maximum(sizes - width, 0.0).max()),
        high=float((sizes + width).max()),
        level=LEVEL,
        method="Fisher z and log variance, Bonferroni over all",
        p_value=min(p_value, 1.0),
        detail={
            "variances": float(sizes[: len(varies)].max()),
            "correlations": float(sizes[len(varies) :].max(initial=0.0)),
            "tests": tests,
            "error": float(error[int(np.argmax(sizes))]),
            **rows_without(pair.current),
        },
    )


class Changes(NamedTuple):
    """Half the log variances, then Fisher's z of the correlations of all pairs of projections.

    Attributes:
        varies: Numbers of the projections that vary on both sides.
        then: shape (tests,), in the baseline.
        now: shape (tests,), in the window.
        error: shape (tests,), standard errors of their differences.
    """

    varies: IntArray
    then: FloatArray
    now: FloatArray
    error: FloatArray

    def name(self, place: int) -> str:
        """Return what a test is of."""
        if place < len(self.varies):
            return f"variance of projection {self.varies[place]}"
        first, second = np.triu_indices(len(self.varies), 1)
        pair = place - len(self.varies)
        one, other = self.varies[first[pair]], self.varies[second[pair]]
        return f"correlation of projections {one} and {other}"


def changes(pair: EmbeddingPair) -> Changes | Unmeasurable:
    """Return how each variance and correlation changed, of vectors enough on both sides."""
    then, now = projection_moments(pair.reference), projection_moments(pair.current)
    varies = (then.variance > 0) & (now.variance > 0)
    if not varies.any():
        return Unmeasurable(
            Absence.UNDEFINED,
            f"all vectors of {pair.name} are the same on a side: no covariance to compare",
            now.n,
            then.n,
        )
    (z_then, error_then), (z_now, error_now) = (_statistics(side, varies) for side in (then, now))
    error = np.sqrt(error_then**2 + error_now**2)
    return Changes(np.flatnonzero(varies), z_then, z_now, error)


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "no variance or correlation has changed by more than the tolerance".

    Normal, with the standard error of the one that changed most, times their number (Bonferroni).
    """
    error = estimate.detail["error"]
    p_value = float(beyond_normal(estimate.value, error, tolerance, either_side=True))
    return min(estimate.detail["tests"] * p_value, 1.0)


def spread(embedding: EmbeddingParts) -> Squares | None:
    """Return the square of the largest change between each window of the baseline and the others."""
    both = parts_and_others(embedding)
    varies = np.all([side.variance > 0 for pair in both for side in pair], axis=0)
    if not (both and varies.any()):
        return None
    apart, error2 = [], []
    for part, others in both:
        (z, error), (z_others, error_others) = (
            _statistics(side, varies) for side in (part, others)
        )
        apart.append(z - z_others)
        error2.append(float(np.median(error**2 + error_others**2)))
    return of_largest(np.array(apart), np.array(error2))


def _statistics(side: ProjectionMoments, varies: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return half the log variances, then Fisher's z of all pairs, and their standard errors."""
    variance, kurtosis = side.variance[varies], side.kurtosis[varies]
    scale = np.sqrt(variance)
    correlation = side.covariance[np.ix_(varies, varies)] / np.outer(scale, scale)
    first, second = np.triu_indices(len(variance), 1)
    pairs = np.clip(correlation[first, second], -MOST_CORRELATION, MOST_CORRELATION)
    # Two projections of an elliptical population have correlations that err more by its kurtosis.
    heavy = np.maximum(kurtosis / NORMAL_KURTOSIS, 1.0)
    of_pairs = np.sqrt(np.maximum(heavy[first], heavy[second]) / (side.n - 3))
    of_variances = np.sqrt(np.maximum(kurtosis - 1, NORMAL_KURTOSIS - 1) / (4 * (side.n - 1)))
    return (
        np.concatenate([0.5 * np.log(variance), np.arctanh(pairs)]),
        np.concatenate([of_variances, of_pairs]),
    )


MEASURE = EmbeddingMeasure(
    Description(
        id="embedding_covariance",
        family=Family.DRIFT,
        title="largest change of a variance or correlation of projections",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=None,
        symmetric=True,
        source="Fisher (1921); Muirhead (1982)",
    ),
    measure,
    tail=tail,
    spread=spread,
)
