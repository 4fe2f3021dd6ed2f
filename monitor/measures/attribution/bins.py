"""The groups that divergences are taken over, by name and with their edges."""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from monitor.domain.estimate import Unmeasurable
from monitor.measures.attribution.part import Part, interval_name
from monitor.measures.grouping import (
    Groups,
    decile_ends,
    every_group,
    grouped,
    listed_values,
    standing,
    tells_new_values,
)
from monitor.measures.measure import FieldPair
from monitor.profile.counts import CategoricalCounts, NumericCounts
from monitor.profile.grid import CategoricalGrid, FloatArray, NumericGrid

MISSING, UNSEEN, INFINITE, OTHER = "(missing)", "(unseen)", "(infinite)", "(other values)"
"""Names of the groups that are no value of the field, and of the pool of its rare values."""

OTHER_OR_UNSEEN = "(other or unseen values)"
"""Name of the pool where the baseline is too small to tell them apart."""

_NAMED = 3
"""Values of a pool that are named before the others are counted."""


class GroupedParts(Struct, frozen=True):
    """A field's groups with their parts, contributions still to be filled in.

    Attributes:
        groups: Rows by group, as the measures take them.
        parts: One for each group.
    """

    groups: Groups
    parts: tuple[Part, ...]


class _Bin(Struct, frozen=True):
    name: str
    at_least: float | None = None
    below: float | None = None
    value: bool = True


def parts_by_group(pair: FieldPair) -> GroupedParts | Unmeasurable:
    """Return the parts of a field in baseline and window, group by group as in `grouped`.

    Shares are of all rows, missing ones included; no smoothing.
    """
    groups = grouped(pair)
    if isinstance(groups, Unmeasurable):
        return groups
    reference, current = every_group(pair)
    bins = tuple(_bins(pair))
    starts = standing(reference, current)
    ends = np.append(starts[1:], len(bins))
    each = [
        _part(item, int(then), int(now), pair)
        for item, then, now in zip(bins, reference, current, strict=True)
    ]
    parts = tuple(
        _pooled(bins[start:end], each[start:end], pair)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    )
    return GroupedParts(groups, parts)


def cell_bounds(edges: FloatArray, start: int, end: int) -> tuple[float | None, float | None]:
    """Return the numbers that cells ``start`` to ``end - 1`` of a grid hold, from and below."""
    low = float(edges[start - 1]) if start > 0 else None
    high = float(edges[end - 1]) if end <= len(edges) else None
    return low, high


def _bins(pair: FieldPair) -> Iterator[_Bin]:
    """Yield what `every_group` counts, in its order."""
    match pair.grid, pair.reference:
        case NumericGrid() as grid, NumericCounts() as reference:
            if grid.discrete:
                for cell in np.flatnonzero(grid.atoms).tolist():
                    bounds = cell_bounds(grid.edges, cell, cell + 1)
                    yield _Bin(interval_name(*bounds), *bounds)
                yield _Bin(UNSEEN, value=False)
            else:
                ends = decile_ends(reference.cells).tolist()
                for start, end in zip([0, *ends[:-1]], ends, strict=True):
                    bounds = cell_bounds(grid.edges, start, end)
                    yield _Bin(interval_name(*bounds), *bounds)
            yield _Bin(INFINITE, value=False)
        case CategoricalGrid() as grid, CategoricalCounts() as reference:
            for place in np.flatnonzero(listed_values(reference)).tolist():
                yield _Bin(grid.values[place])
            if tells_new_values(reference):
                yield _Bin(OTHER, value=False)
                yield _Bin(UNSEEN, value=False)
            else:
                yield _Bin(OTHER_OR_UNSEEN, value=False)
        case _:
            raise ValueError(f"field {pair.field.name} is counted as another kind than its grid's")
    yield _Bin(MISSING, value=False)


def _part(item: _Bin, then: int, now: int, pair: FieldPair) -> Part:
    return Part(
        item.name,
        then,
        now,
        then / pair.reference.rows,
        now / pair.current.rows,
        None,
        item.at_least,
        item.below,
    )


def _pooled(bins: Sequence[_Bin], parts: Sequence[Part], pair: FieldPair) -> Part:
    """Return one part for all, with a member for each that is no value and has rows."""
    filled = [
        (item, part)
        for item, part in zip(bins, parts, strict=True)
        if part.rows_then or part.rows_now
    ]
    if len(filled) <= 1:
        return filled[0][1] if filled else parts[0]
    values = [(item, part) for item, part in zip(bins, parts, strict=True) if item.value]
    members = tuple(part for item, part in filled if not item.value)
    whole = _Bin(_pool_name([item.name for item, _ in values] or [part.name for part in members]))
    if values and isinstance(pair.grid, NumericGrid) and not pair.grid.discrete:
        low, high = values[0][0].at_least, values[-1][0].below
        whole = _Bin(interval_name(low, high), low, high)
    if values and members:
        whole = _Bin(f"{whole.name} + {' + '.join(part.name for part in members)}")
    then = sum(part.rows_then for part in parts)
    now = sum(part.rows_now for part in parts)
    return Part(
        whole.name,
        then,
        now,
        then / pair.reference.rows,
        now / pair.current.rows,
        None,
        whole.at_least,
        whole.below,
        members if values or len(members) > 1 else (),
    )


def _pool_name(names: Sequence[str]) -> str:
    if len(names) <= _NAMED:
        return " + ".join(names)
    return f"{' + '.join(names[: _NAMED - 1])} + {len(names) - _NAMED + 1} more"
