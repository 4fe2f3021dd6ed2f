"""An exact decomposition of the change of a mean over groups: who is there, and how they fare."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import product
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Population
from monitor.domain.naming import CROSS
from monitor.measures.attribution.bins import cell_bounds
from monitor.measures.attribution.part import interval_name
from monitor.measures.grouping import decile_ends
from monitor.measures.groups import UNKNOWN_GROUP, UNMAPPED_GROUP, rows_by_group, too_many
from monitor.measures.measure import ProfilePair
from monitor.profile.counts import NEGATIVE, POSITIVE, NumericCounts
from monitor.profile.grid import FloatArray, IntArray, NumericGrid


class Totals(NamedTuple):
    """Rows by group, and the sum of the quantity over them.

    Attributes:
        rows: shape (groups,), not negative.
        sums: shape (groups,); for a rate, the rows that count.
    """

    rows: IntArray
    sums: FloatArray | IntArray


class GroupShift(Struct, frozen=True):
    """What one group adds to the change of the whole.

    Attributes:
        name: Name of the group.
        rows_then: Its rows in the baseline.
        rows_now: Its rows in the window.
        weight_then: Its share of the baseline's rows.
        weight_now: Its share of the window's rows.
        value_then: Its own mean in the baseline; None without rows.
        value_now: Its own mean in the window; None without rows.
        mix: What its weight's change adds.
        within: What the change of its own mean adds.
    """

    name: str
    rows_then: int
    rows_now: int
    weight_then: float
    weight_now: float
    value_then: float | None
    value_now: float | None
    mix: float
    within: float


class Decomposition(Struct, frozen=True):
    """The change of a mean, over groups.

    Attributes:
        over: What the groups are of.
        quantity: What it is the mean of, in words.
        then: The mean in the baseline.
        now: The mean in the window.
        groups: In the order of the population; those of unknown and unmapped membership last.
    """

    over: str
    quantity: str
    then: float
    now: float
    groups: tuple[GroupShift, ...]

    @property
    def mix(self) -> float:
        """Return what the change of weights adds: other rows came."""
        return float(np.sum([group.mix for group in self.groups]))

    @property
    def within(self) -> float:
        """Return what the change inside groups adds: the same kind of rows fare otherwise."""
        return float(np.sum([group.within for group in self.groups]))


class Quantity(StrEnum):
    """What an outcome table knows the mean of, in each group."""

    DECISION_RATE = "decision_rate"
    LABEL_RATE = "label_rate"
    LABEL_COVERAGE = "label_coverage"


def decomposed(
    over: str, quantity: str, names: Sequence[str], then: Totals, now: Totals
) -> Decomposition | Unmeasurable:
    """Return what the groups add to the change of a mean.

    ``Σ (w₁ − w₀)(s₀ − S₀) + w₁(s₁ − s₀) = S₁ − S₀`` exactly, with a group's weight ``w`` and own
    mean ``s``, and the whole's mean ``S``, then (0) and now (1). The first term is the *mix*: rows
    went to groups that were above or below the mean. The second is *within*: the group itself
    changed. Since ``Σ (w₁ − w₀) = 0``, taking ``S₀`` off changes no sum; it makes a growing group
    add nothing when it was like the rest. A group that had no rows then is all mix, with its mean
    of now; so is one that has none now. Both terms are 0 when nothing changed.

    Groups without rows on either side are left out.

    Args:
        over: What the groups are of.
        quantity: What it is the mean of.
        names: Of the groups.
        then: Rows and sums of the baseline.
        now: Rows and sums of the window.

    Returns:
        The decomposition, or that one side has no rows.

    Source:
        E. M. Kitagawa (1955), J. Am. Stat. Assoc. 50, 1168-1194, with the baseline's means and the
        window's weights; R. Oaxaca (1973), Int. Econ. Rev. 14, 693-709.
    """
    n, m = int(then.rows.sum()), int(now.rows.sum())
    if not (n and m):
        absence = Absence.NO_DATA if n else Absence.NO_BASELINE
        return Unmeasurable(absence, f"{m:,} rows against {n:,} in the baseline", m, n)
    before, after = float(then.sums.sum() / n), float(now.sums.sum() / m)
    w0, w1 = then.rows / n, now.rows / m
    s0, s1 = _means(then), _means(now)
    base = np.where(then.rows > 0, s0, s1)
    mix = (w1 - w0) * (base - before)
    within = np.where(now.rows > 0, w1 * (s1 - base), 0.0)
    groups = tuple(
        GroupShift(
            name,
            int(then.rows[place]),
            int(now.rows[place]),
            float(w0[place]),
            float(w1[place]),
            float(s0[place]) if then.rows[place] else None,
            float(s1[place]) if now.rows[place] else None,
            float(mix[place]),
            float(within[place]),
        )
        for place, name in enumerate(names)
        if then.rows[place] or now.rows[place]
    )
    return Decomposition(over, quantity, before, after, groups)


def over_population(
    quantity: Quantity, population: Population, pair: ProfilePair
) -> Decomposition | Unmeasurable:
    """Return what a population's groups add to the change of a rate.

    Rows of unknown and of unmapped membership are groups of their own. The rate is of the rows
    that have what it is a rate of: a known decision, a label.
    """
    registered = {attribute.name: attribute for attribute in pair.grid.attributes}
    lacking = [name for name in population.attributes if name not in registered]
    if lacking:
        return Unmeasurable(
            Absence.NO_BASELINE, f"registered without {', '.join(lacking)}: register a new baseline"
        )
    axes = [registered[name] for name in population.attributes]
    if (many := too_many(axes)) is not None:
        return many
    names = [CROSS.join(parts) for parts in product(*(axis.groups for axis in axes))]
    names += [
        name if name not in names else f"({name})" for name in (UNKNOWN_GROUP, UNMAPPED_GROUP)
    ]
    then, now = (
        totals(quantity, rows_by_group(side, axes)) for side in (pair.reference, pair.current)
    )
    return decomposed(population.name, quantity, names, then, now)


def over_score(pair: ProfilePair) -> Decomposition | Unmeasurable:
    """Return what the baseline's tenths of the score add to the change of its mean.

    In the score's own unit; of the finite scores.
    """
    match (
        pair.grid.fields.get(pair.grid.score),
        pair.reference.fields.get(pair.grid.score),
        pair.current.fields.get(pair.grid.score),
    ):
        case NumericGrid() as grid, NumericCounts() as reference, NumericCounts() as current:
            if not (reference.n and current.n):
                return Unmeasurable(
                    Absence.NO_DATA, "one side has no finite score", current.n, reference.n
                )
            ends = decile_ends(reference.cells)
            starts = np.concatenate([[0], ends[:-1]])
            names = [
                interval_name(*cell_bounds(grid.edges, start, end))
                for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
            ]
            then, now = (_tenths(grid, side, starts) for side in (reference, current))
            return decomposed(pair.grid.score, "score_mean", names, then, now)
        case _:
            return Unmeasurable(Absence.UNDEFINED, "the model has no numeric score")


def _tenths(grid: NumericGrid, counts: NumericCounts, starts: IntArray) -> Totals:
    rows = np.add.reduceat(counts.cells, starts)
    with np.errstate(over="ignore"):
        sums = np.add.reduceat(counts.sums, starts) * grid.scale + rows * grid.center
    return Totals(rows, sums)


def totals(quantity: Quantity, table: IntArray) -> Totals:
    """Return the rows that a rate is of, and those that count.

    Args:
        quantity: The rate.
        table: shape (groups, 3 decisions, 3 labels), rows.
    """
    known = [NEGATIVE, POSITIVE]
    if quantity is Quantity.DECISION_RATE:
        decided = table[:, known, :].sum(axis=(1, 2))
        return Totals(decided, table[:, POSITIVE, :].sum(axis=1))
    labelled = table[:, :, known].sum(axis=(1, 2))
    if quantity is Quantity.LABEL_RATE:
        return Totals(labelled, table[:, :, POSITIVE].sum(axis=1))
    return Totals(table.sum(axis=(1, 2)), labelled)


def _means(totals: Totals) -> FloatArray:
    means: FloatArray = np.divide(
        totals.sums, totals.rows, out=np.zeros(len(totals.rows)), where=totals.rows > 0
    )
    return means
