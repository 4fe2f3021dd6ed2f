"""Measures that are the largest of many: which of them moved, and from what to what."""

from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct

from monitor.domain.estimate import Unmeasurable
from monitor.domain.field import Part
from monitor.measures.drift import correlation_change, embedding_covariance, embedding_mean
from monitor.measures.measure import EmbeddingPair, ProfilePair
from monitor.measures.projections import no_vectors, projection_moments
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import NumericGrid

LISTED = 20
"""Components that are kept: those that moved most."""

_OF_PROJECTIONS = (
    "A projection is a random direction, so its number names no cause: how many moved tells whether "
    "all vectors did, or a few in one direction."
)


class Component(Struct, frozen=True):
    """One of the many that a measure is the largest of, or what stands beside them.

    Attributes:
        name: What it is.
        then: Its value in the baseline, in its own unit.
        now: Its value in the window.
        size: How far it moved, in the unit of its `Components`; None for what is only beside them.
    """

    name: str
    then: float
    now: float
    size: float | None


class Components(Struct, frozen=True):
    """What a largest value is the largest of.

    Attributes:
        quantity: What is compared, in words.
        unit: Unit of the sizes.
        components: Those that moved most, the one that the measure names first.
        number: How many there are.
        note: What is to be known besides, in sentences.
    """

    quantity: str
    unit: str
    components: tuple[Component, ...]
    number: int
    note: str = ""


def of_correlations(pair: ProfilePair, _: str) -> Components | Unmeasurable:
    """Return the pairs of fields whose correlation changed most, those that are surest first."""
    found = correlation_change.changes(pair)
    if isinstance(found, Unmeasurable):
        return found
    places = np.argsort(-found.low, kind="stable")[:LISTED].tolist()
    return Components(
        "change of the correlation of two fields",
        "1",
        tuple(
            Component(
                found.name(place),
                float(found.then[place]),
                float(found.now[place]),
                float(abs(found.now[place] - found.then[place])),
            )
            for place in places
        ),
        len(found.then),
        f"{int(np.count_nonzero(found.low > 0)):,} of {len(found.then):,} pairs changed by more than "
        "chance, all tested together. The surest is first.",
    )


def of_means(pair: ProfilePair, name: str) -> Components | Unmeasurable:
    """Return the projections whose mean moved most, and the mean norm beside them."""
    vectors = _vectors(pair, name)
    if (nothing := no_vectors(vectors)) is not None:
        return nothing
    then, now = projection_moments(vectors.reference), projection_moments(vectors.current)
    unit = np.sqrt(np.where(then.variance > 0, then.variance, np.inf))
    sizes = np.abs(now.mean - then.mean) / unit
    places = np.argsort(-sizes, kind="stable")[:LISTED].tolist()
    listed = [
        Component(
            f"projection {place}",
            float(then.mean[place] / unit[place]),
            float(now.mean[place] / unit[place]),
            float(sizes[place]),
        )
        for place in places
    ]
    surely = int(np.count_nonzero(embedding_mean.surely_moved(then, now)))
    return Components(
        "shift of a projection's mean",
        embedding_mean.MEASURE.about.unit,
        (*listed, *_norm(pair, name)),
        int(np.count_nonzero(then.variance > 0)),
        f"{surely} projections moved by more than chance, all tested together. {_OF_PROJECTIONS}",
    )


def of_covariance(pair: ProfilePair, name: str) -> Components | Unmeasurable:
    """Return the variances and correlations of projections that changed most."""
    vectors = _vectors(pair, name)
    if (nothing := no_vectors(vectors)) is not None:
        return nothing
    found = embedding_covariance.changes(vectors)
    if isinstance(found, Unmeasurable):
        return found
    sizes = np.abs(found.now - found.then)
    places = np.argsort(-sizes, kind="stable")[:LISTED].tolist()
    listed = [
        Component(
            found.name(place),
            float(found.then[place]),
            float(found.now[place]),
            float(sizes[place]),
        )
        for place in places
    ]
    return Components(
        "change of half a log variance, or of Fisher's z of a correlation, of projections",
        "1",
        (*listed, *_norm(pair, name)),
        len(sizes),
        _OF_PROJECTIONS,
    )


def _vectors(pair: ProfilePair, name: str) -> EmbeddingPair:
    norm = f"{name}.{Part.NORM}"
    return EmbeddingPair(
        name,
        pair.grid.columns[norm],
        pair.grid.vectors[name],
        pair.reference.vectors[name],
        pair.current.vectors[name],
    )


def _norm(pair: ProfilePair, name: str) -> tuple[Component, ...]:
    """Return the mean norm then and now, which belongs to the vectors and is no projection."""
    norm = f"{name}.{Part.NORM}"
    grid = pair.grid.fields[norm]
    means = [
        grid.center + grid.scale * float(side.sums.sum()) / side.n
        for side in (pair.reference.fields[norm], pair.current.fields[norm])
        if isinstance(grid, NumericGrid) and isinstance(side, NumericCounts) and side.n
    ]
    both = len(means) == 2 and np.isfinite(means).all()  # noqa: PLR2004  # the two sides
    return (Component("(mean norm)", means[0], means[1], None),) if both else ()


COMPONENTS: Mapping[str, Callable[[ProfilePair, str], Components | Unmeasurable]] = {
    correlation_change.MEASURE.about.id: of_correlations,
    embedding_mean.MEASURE.about.id: of_means,
    embedding_covariance.MEASURE.about.id: of_covariance,
}
"""Measure to the function that tells what it is the largest of, of a field or "" for the model."""
