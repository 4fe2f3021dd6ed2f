"""The projections of an embedding's vectors: whether there are any to compare, and their moments."""

from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.measure import EmbeddingPair, EmbeddingParts
from monitor.profile.grid import FloatArray
from monitor.profile.vectors import VectorCounts

LEAST_VECTORS = 10
"""Vectors on each side that variances take to be worth anything."""


_ROUNDING = 1e-12


class ProjectionMoments(NamedTuple):
    """Moments of the standardised projections of one side.

    Attributes:
        n: Vectors.
        mean: shape (64,).
        covariance: shape (64, 64), with n − 1.
        kurtosis: shape (64,), 3 for normal ones, NaN for those that do not vary.
    """

    n: int
    mean: FloatArray
    covariance: FloatArray
    kurtosis: FloatArray

    @property
    def variance(self) -> FloatArray:
        """Return the variances, shape (64,)."""
        return self.covariance.diagonal()


def projection_moments(counts: VectorCounts) -> ProjectionMoments:
    """Return the moments of at least two vectors.

    Sums are kept around the baseline's medians in units of its scales, so little cancels; what
    rounding leaves of a projection that does not vary counts as no variance.
    """
    n, mean = counts.n, counts.sums / counts.n
    covariance = counts.products / n - np.outer(mean, mean)
    variance = covariance.diagonal().copy()
    varies = variance > _ROUNDING * (counts.products.diagonal() / n)
    covariance[~varies, :] = covariance[:, ~varies] = 0.0
    fourth = (
        counts.fourths / n
        - 4 * mean * counts.cubes / n
        + 6 * mean**2 * counts.products.diagonal() / n
        - 3 * mean**4
    )
    kurtosis = np.full(len(mean), np.nan)
    kurtosis[varies] = fourth[varies] / variance[varies] ** 2
    return ProjectionMoments(n, mean, covariance * (n / (n - 1)), kurtosis)


def no_vectors(pair: EmbeddingPair) -> Unmeasurable | None:
    """Return why an embedding cannot be compared, or None when both sides have vectors enough."""
    reference, current = pair.reference, pair.current
    sizes = (current.n, reference.n)
    if reference.n < LEAST_VECTORS:
        reason = Absence.INSUFFICIENT_DATA if reference.n else Absence.NO_BASELINE
        return Unmeasurable(
            reason, f"the baseline has {reference.n} vectors of {pair.name}", *sizes
        )
    if not current.rows:
        return Unmeasurable(Absence.NO_DATA, "the window has no rows", *sizes)
    if current.absent == current.rows:
        return Unmeasurable(
            Absence.MISSING_COLUMN,
            f"none of the {current.rows} rows comes from a file with the column {pair.column}",
            *sizes,
        )
    if current.n < LEAST_VECTORS:
        return Unmeasurable(
            Absence.INSUFFICIENT_DATA if current.n else Absence.NO_DATA,
            f"{current.n} of {current.rows} rows have a usable vector of dimension "
            f"{pair.grid.dimension}: {current.null} are null, {current.not_vectors} no list of "
            f"numbers, {current.wrong_dimension} of another dimension, {current.not_finite} not "
            "finite",
            *sizes,
        )
    return None


def parts_and_others(
    embedding: EmbeddingParts,
) -> list[tuple[ProjectionMoments, ProjectionMoments]]:
    """Return the moments of each window of a baseline, and of the others together.

    Windows with fewer than `LEAST_VECTORS` vectors say nothing, nor does one that is all there is.
    """
    whole = embedding.whole
    return [
        (projection_moments(part), projection_moments(whole.without(part)))
        for part in embedding.parts
        if min(part.n, whole.n - part.n) >= LEAST_VECTORS
    ]


def rows_without(counts: VectorCounts) -> dict[str, float]:
    """Return the rows of a window without a usable vector, by reason, as details of an estimate."""
    return {
        "null": counts.null,
        "not_vectors": counts.not_vectors,
        "wrong_dimension": counts.wrong_dimension,
        "not_finite": counts.not_finite,
    }
