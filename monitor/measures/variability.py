"""What the windows of a baseline reach without anything having happened."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.reading import Subject
from monitor.domain.reference import VOLUME
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import (
    EmbeddingMeasure,
    EmbeddingParts,
    FieldMeasure,
    FieldParts,
    ModelMeasure,
    ProfileParts,
)
from monitor.profile.grid import Grid
from monitor.profile.profile import Profile
from monitor.uncertainty.between import LEAST_WINDOWS, Squares, reach

WARNING_TAIL = 1e-3
"""Such a share of undisturbed windows is beyond the floor of a warning: of two such windows among
three, which make an alarm, three in a million."""

CRITICAL_TAIL = 1e-6
"""The same for what alarms at once."""

LEAST_ROWS = 50
"""Rows of a window that is asked how much it varies."""

SQUARED = frozenset({"psi"})
"""Measures that are themselves a squared distance; the others are the root of one."""


class Floor(Struct, frozen=True):
    """What a measure reaches between windows that nothing happened to.

    Attributes:
        warning: Reached by one such window in a thousand; 0 when the windows agree.
        critical: Reached by one in a million.
        windows: How many windows were asked; too few say nothing, and both are 0.
    """

    warning: float
    critical: float
    windows: int


Floors = Mapping[tuple[str, ...], Floor]
"""By `floor_key`: measure and field ("" for a measure of the whole model), and the reference."""


def floor_key(measure: str, subject: Subject) -> tuple[str, ...]:
    """Return under which key the floor of a reading is found; a slice has that of all rows."""
    against = (subject.reference,) if subject.reference else ()
    return (measure, subject.field, *against)


def floors_against(learned: Floors, reference: str, windows: int) -> Floors:
    """Return the floors of what is held against the sum of some windows, and not the baseline.

    Both sides vary then: if windows lie apart by independent effects of variance σ², one lies
    ``σ² (1 + 1/k)`` from the mean of ``k`` others, where the baseline's own windows were seen to lie
    little more than ``σ²`` from all others. Squared distances grow by that factor.

    How many rows come has none: what the baseline's windows teach of it is how its seasons differ, and a
    reference is chosen so that they do not.

    Args:
        learned: The floors against the baseline.
        reference: Name of the reference.
        windows: How many windows it is the sum of, at least one.
    """
    factor = 1 + 1 / windows
    return {
        (measure, field, reference): replace(
            floor,
            warning=floor.warning * (factor if measure in SQUARED else factor**0.5),
            critical=floor.critical * (factor if measure in SQUARED else factor**0.5),
        )
        for (measure, field), floor in learned.items()
        if measure != VOLUME
    }


def floors(measures: Iterable[str], grid: Grid, whole: Profile, parts: Iterable[Profile]) -> Floors:
    """Return the floor of each measure that has a minimum-effect test.

    Pure, and the same for the same baseline.

    Args:
        measures: Ids of the measures that are judged.
        grid: The baseline's grid.
        whole: Its profile.
        parts: The profiles of its windows, of the length of the windows that will be judged.
    """
    wanted = frozenset(measures)
    counted = tuple(part for part in parts if part.rows >= LEAST_ROWS)
    few = Floor(0.0, 0.0, len(counted))
    enough = len(counted) >= LEAST_WINDOWS
    found: dict[tuple[str, ...], Floor] = {}
    for measure in CATALOGUE:
        name = measure.about.id
        match measure:
            case ModelMeasure(spread=spread) if spread and name in wanted and measure.applies(grid):
                model = ProfileParts(grid, whole, counted)
                found[name, ""] = _floor(name, spread(model)) if enough else few
            case FieldMeasure(spread=spread) if spread and name in wanted:
                for field, parts_of_it in _fields(measure, grid, whole, counted):
                    found[name, field] = _floor(name, spread(parts_of_it)) if enough else few
            case EmbeddingMeasure(spread=spread) if name in wanted:
                for field, vectors in whole.vectors.items():
                    apart = EmbeddingParts(vectors, tuple(part.vectors[field] for part in counted))
                    found[name, field] = _floor(name, spread(apart)) if enough else few
            case _:
                pass
    return found


def _fields(
    measure: FieldMeasure, grid: Grid, whole: Profile, parts: tuple[Profile, ...]
) -> Iterator[tuple[str, FieldParts]]:
    for name, cells in grid.fields.items():
        if measure.applies(cells):
            counts = tuple(part.fields[name] for part in parts)
            yield name, FieldParts(cells, whole.fields[name], counts)


def _floor(measure: str, squares: Squares | None) -> Floor:
    if squares is None:
        return Floor(0.0, 0.0, 0)
    reached = reach(squares, (WARNING_TAIL, CRITICAL_TAIL))
    warning, critical = reached.reshape(2, -1).max(axis=1)
    if measure not in SQUARED:
        warning, critical = np.sqrt(warning), np.sqrt(critical)
    return Floor(float(warning), float(critical), len(squares.observed))
