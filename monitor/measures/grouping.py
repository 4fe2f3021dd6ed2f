"""The few groups that the divergences are taken over, merged from a grid's fine cells."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.measure import FieldPair, FieldParts
from monitor.measures.presence import no_cells, no_column, no_values
from monitor.profile.counts import CategoricalCounts, FieldCounts, NumericCounts
from monitor.profile.grid import (
    BoolArray,
    CategoricalGrid,
    FieldGrid,
    FloatArray,
    IntArray,
    NumericGrid,
)
from monitor.uncertainty.coverage import missed

DECILES = 10
"""Reference groups of a continuous field: the usual ten, each a tenth of the baseline."""

LISTED_VALUES = 200
"""At most this many values of a categorical field are groups of their own."""

LISTED_SHARE = 0.005
"""And only those with at least this share of the baseline's values; the others are pooled. A baseline
that was too small for more than this share of what there is cannot tell new values from rare ones:
these are pooled with the others as well."""

LEAST_ROWS = 5.0
"""A group with fewer rows than this, on both sides, in terms of the smaller side, joins the group
before it: one stray row of a value that the baseline never held cannot raise an alarm, and the
chi-square law holds (Cochran's rule of five)."""


class Groups(NamedTuple):
    """Rows by group; every row is in exactly one, every group has rows on a side.

    Attributes:
        reference: shape (…, groups), rows of the baseline.
        current: shape (…, groups), rows of the window.
    """

    reference: IntArray
    current: IntArray

    @property
    def df(self) -> int:
        """Return the degrees of freedom: groups less one."""
        return int(self.reference.shape[-1]) - 1

    @property
    def n_eff(self) -> FloatArray:
        """Return the size of one sample that is as noisy as the two sides together."""
        n, m = self.reference.sum(axis=-1), self.current.sum(axis=-1)
        return np.asarray(n * m / (n + m), np.float64)


def decile_ends(reference: IntArray) -> IntArray:
    """Return, for each reference group, the index of the cell after its last one.

    A group ends with the cell that contains a decile. Cells are cut just above the baseline's
    quantiles, so groups are ``(low, high]`` between the deciles (``numpy.quantile`` with
    ``method="inverted_cdf"``); deciles that coincide make one group. The last group is open above.

    Args:
        reference: shape (cells,), rows of the baseline; at least one.
    """
    below = np.cumsum(reference) * DECILES
    steps = np.arange(1, DECILES) * reference.sum()
    ends = np.searchsorted(below, steps, side="left") + 1
    return np.unique(np.append(ends, len(reference)))


def grouped(pair: FieldPair) -> Groups | Unmeasurable:
    """Return the groups of a field in baseline and window.

    Continuous numeric field: ten groups between the baseline's deciles, infinite, missing.
    Discrete numeric field: each of the baseline's values, unseen, infinite, missing.
    Categorical field: its frequent values (`LISTED_VALUES`, `LISTED_SHARE`), the rest of its known
    values, unseen, missing. Groups too small to stand alone join the one before them
    (`LEAST_ROWS`).

    Unmeasurable when either side has no such column or fewer rows than two groups take, neither
    has a value, or both have some and the registered baseline had none. A column that turned all missing is measurable: missing is a group.
    """
    if (absent := no_column(pair)) is not None:
        return absent
    rows, reference_rows = pair.current.rows, pair.reference.rows
    if pair.reference.missing == reference_rows and pair.current.missing == rows:
        return Unmeasurable(
            Absence.NO_DATA,
            f"neither the baseline nor the window has a value of {pair.field.name}",
            rows,
            reference_rows,
        )
    if (alike := no_cells(pair)) is not None:
        return alike
    if min(rows, reference_rows) < 2 * LEAST_ROWS:
        return Unmeasurable(
            Absence.INSUFFICIENT_DATA,
            f"{rows} rows against {reference_rows} are too few to be grouped",
            rows,
            reference_rows,
        )
    return large_enough(*every_group(pair))


def grouped_values(pair: FieldPair) -> Groups | Unmeasurable:
    """Return the groups as `grouped` does, if both sides have values; else the reason."""
    return no_values(pair) or grouped(pair)


def large_enough(reference: IntArray, current: IntArray) -> Groups:
    """Return groups in which those too small to stand alone have joined the one before them.

    A group stands when the larger of its two shares makes `LEAST_ROWS` rows of the smaller side.
    The first group joins the one after it.

    Args:
        reference: shape (groups,), rows of the baseline, at least one in all.
        current: shape (groups,), rows of the window, at least one in all.
    """
    starts = standing(reference, current)
    return Groups(np.add.reduceat(reference, starts), np.add.reduceat(current, starts))


def standing(reference: IntArray, current: IntArray) -> IntArray:
    """Return the index of the first member of each group of `large_enough`, ascending from 0."""
    total, other_total = int(reference.sum()), int(current.sum())
    smaller = min(total, other_total)
    starts: list[int] = []
    waiting = (0, 0)
    rows, other_rows = reference.tolist(), current.tolist()
    for place in reversed(range(len(rows))):
        waiting = (waiting[0] + rows[place], waiting[1] + other_rows[place])
        # In whole numbers: 77 times 5/77 is not quite 5.
        if smaller * waiting[0] >= LEAST_ROWS * total or (
            smaller * waiting[1] >= LEAST_ROWS * other_total
        ):
            starts.append(place)
            waiting = (0, 0)
    if starts:
        starts[-1] = 0  # what is left over joins the group after it
    return np.array(starts[::-1] or [0], np.int64)


def grouped_parts(field: FieldParts) -> Groups:
    """Return the groups of each of a baseline's windows, held against the others.

    The groups are those of `grouped`. One stands when `LEAST_ROWS` rows are in it in some window,
    or would be in an average one.

    Returns:
        Arrays of shape (parts, groups): rows of the other parts together, and of the part.
    """
    divide = _divided(field.grid, field.whole)
    whole = divide(field.whole)
    parts = np.array([divide(part) for part in field.parts])
    largest = np.maximum(parts.max(axis=0), whole / len(parts))
    starts: list[int] = []
    waiting = 0.0
    for place in range(len(largest) - 1, -1, -1):
        waiting += largest[place]
        if waiting >= LEAST_ROWS:
            starts.append(place)
            waiting = 0.0
    merged = np.add.reduceat(parts, [0, *starts[-2::-1]], axis=1)
    return Groups(merged.sum(axis=0) - merged, merged)


def every_group(pair: FieldPair) -> tuple[IntArray, IntArray]:
    """Return the rows of every group of baseline and window, before small ones are joined.

    The order is that in which `grouped` lists the kinds of groups.
    """
    divide = _divided(pair.grid, pair.reference)
    return divide(pair.reference), divide(pair.current)


def _divided(grid: FieldGrid, reference: FieldCounts) -> Callable[[FieldCounts], IntArray]:
    """Return what gives the rows of every group that a baseline's counts make."""
    match grid, reference:
        case NumericGrid(), NumericCounts():
            merge = _by_atom(grid) if grid.discrete else _by_decile(reference.cells)
            return lambda counts: _numbers(counts, merge)
        case CategoricalGrid(), CategoricalCounts():
            listed, new = listed_values(reference), tells_new_values(reference)
            return lambda counts: _by_value(counts, listed, new=new)
        case _:
            raise ValueError("a field is counted as another kind than its grid's")


def _numbers(counts: FieldCounts, merge: Callable[[IntArray], IntArray]) -> IntArray:
    if not isinstance(counts, NumericCounts):
        raise ValueError("a numeric field is counted as another kind")  # noqa: TRY004  # as above
    return np.concatenate([merge(counts.cells), [counts.infinite, counts.missing]])


def listed_values(reference: CategoricalCounts) -> BoolArray:
    """Return which of the baseline's most frequent values are groups of their own."""
    least = max(LEAST_ROWS, LISTED_SHARE * reference.n)
    frequent: BoolArray = reference.values[:LISTED_VALUES] >= least
    return frequent


def tells_new_values(reference: CategoricalCounts) -> bool:
    """Return whether a baseline is large enough to tell new values from rare ones."""
    return missed(reference.values).share <= LISTED_SHARE


def _by_decile(reference: IntArray) -> Callable[[IntArray], IntArray]:
    starts = np.concatenate([[0], decile_ends(reference)[:-1]])
    return lambda cells: np.add.reduceat(cells, starts)


def _by_atom(grid: NumericGrid) -> Callable[[IntArray], IntArray]:
    return lambda cells: np.append(cells[grid.atoms], cells[~grid.atoms].sum())


def _by_value(counts: FieldCounts, listed: BoolArray, *, new: bool) -> IntArray:
    if not isinstance(counts, CategoricalCounts):
        raise ValueError("a categorical field is counted as another kind")  # noqa: TRY004  # as above
    frequent = counts.values[:LISTED_VALUES][listed]
    rest = counts.values.sum() - frequent.sum() + counts.other
    unseen = counts.unseen.rows
    others = [rest, unseen] if new else [rest + unseen]
    return np.concatenate([frequent, others, [counts.missing]])
