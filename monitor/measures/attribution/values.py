"""What missing and unseen values are."""

import numpy as np

from monitor.domain.estimate import Unmeasurable
from monitor.measures.attribution.bins import cell_bounds
from monitor.measures.attribution.part import Attribution, Part, Rule, interval_name
from monitor.measures.measure import FieldPair
from monitor.measures.presence import nothing_counted
from monitor.measures.quality import unseen_rate
from monitor.profile.counts import CategoricalCounts, FieldCounts, NumericCounts
from monitor.profile.grid import NumericGrid

NAMED_VALUES = 20
"""Unseen values that are parts of their own: the most frequent ones."""


def of_missing_rate(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return what each kind of missing value adds to the change of their share of all rows.

    Signed: below 0, there are fewer of them. The sum is the change.
    """
    if (nothing := nothing_counted(pair)) is not None:
        return nothing
    rows, reference_rows = pair.current.rows, pair.reference.rows
    before = dict(_missing(pair.reference))
    parts = tuple(
        Part(
            name,
            before[name],
            now,
            before[name] / reference_rows,
            now / rows,
            now / rows - before[name] / reference_rows,
        )
        for name, now in _missing(pair.current)
        if now or before[name]
    )
    total = pair.current.missing / rows - pair.reference.missing / reference_rows
    return Attribution("change of the share of missing values", "1", Rule.SUM, total, parts)


def of_unseen_rate(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return the new values, and the share of the window's values that each of them is.

    The most frequent ones that a profile keeps are named (`NAMED_VALUES`), the others are one
    part; new numbers are told by the gaps between the baseline's values that they lie in. The sum
    is the unseen share.
    """
    result = unseen_rate.measure(pair)
    if isinstance(result, Unmeasurable):
        return result
    parts = tuple(
        Part(name, 0, now, 0.0, now / result.n, now / result.n, low, high)
        for name, now, low, high in _unseen(pair)
    )
    return Attribution("share of values new since the baseline", "1", Rule.SUM, result.value, parts)


def _missing(counts: FieldCounts) -> list[tuple[str, int]]:
    kinds = [("(null)", counts.null), ("(no such column)", counts.absent)]
    match counts:
        case NumericCounts():
            return [*kinds, ("(NaN)", counts.nan), ("(no number)", counts.invalid)]
        case CategoricalCounts():
            return [*kinds, ("(cannot be read)", counts.invalid)]


def _unseen(pair: FieldPair) -> list[tuple[str, int, float | None, float | None]]:
    match pair.grid, pair.current:
        case NumericGrid() as grid, NumericCounts() as current:
            cells = np.flatnonzero(~grid.atoms & (current.cells > 0)).tolist()
            bounds = [cell_bounds(grid.edges, cell, cell + 1) for cell in cells]
            return [
                (interval_name(*each), int(current.cells[cell]), *each)
                for cell, each in zip(cells, bounds, strict=True)
            ]
        case _, CategoricalCounts() as current:
            named = current.unseen.most_frequent(NAMED_VALUES)
            others = current.unseen.rows - sum(rows for _, rows in named)
            if others:
                named.append(("(other new values)", others))
            return [(name, rows, None, None) for name, rows in named]
        case _:
            raise ValueError(f"field {pair.field.name} is counted as another kind than its grid's")
