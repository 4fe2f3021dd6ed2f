"""From an outcome table to the groups of one population."""

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Effect, Population
from monitor.domain.limit import HeldAgainst
from monitor.domain.naming import CROSS, DECLINED
from monitor.domain.policy import Policy
from monitor.measures.crossing import MOST_CROSSED, OTHER_SMALL, fold
from monitor.measures.disparity.comparison import BEST_OFF, REST
from monitor.measures.group_scores import ScoresOfGroups
from monitor.measures.measure import GroupPair, ProfilePair
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.profile.grid import AttributeGrid, BoolArray, IntArray, NumericGrid
from monitor.profile.group_scores import GroupScores
from monitor.profile.profile import Profile

UNKNOWN_GROUP, UNMAPPED_GROUP = "(unknown)", "(unmapped)"
"""Names under which rows are listed whose group is not known, or that no group was registered for."""


MOST_COMBINATIONS = 100_000
"""Groups of a crossing that are looked at, most of which have nobody in them."""


def group_pair(
    population: Population, policy: Policy, pair: ProfilePair, *, unassigned: bool
) -> GroupPair | Unmeasurable:
    """Return a population's groups in baseline and window.

    A group is listed if it has rows in either. The reference group is the declared one of a single
    attribute, listed even when nobody is in it; otherwise, and for a crossing, the one with most
    known decisions in the baseline (with most rows, where the model makes none), but not those who declined to say and not the smallest cells of
    a crossing that are one group together.

    Args:
        population: An attribute, or a crossing of several.
        policy: Declares reference groups, the effect of a decision and the band.
        pair: Baseline and window.
        unassigned: Whether to list rows of unknown and of unmapped membership after the groups.

    Returns:
        The groups, or the reason why the baseline has none.

    Raises:
        ValueError: The policy has a decision, but does not say what a positive one does.
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
    if not names:
        return Unmeasurable(Absence.NO_BASELINE, f"the baseline has no group of {population.name}")
    then, now = (rows_by_group(side, axes) for side in (pair.reference, pair.current))
    rows = then if pair.registered is None else rows_by_group(pair.registered, axes)
    folded = fold(names, rows.sum(axis=(1, 2)), MOST_CROSSED if len(axes) > 1 else len(names))
    names, (then, now, rows) = [*folded.names], map(folded.rows, (then, now, rows))
    declared = policy.attributes[axes[0].name].reference if len(axes) == 1 else ""
    against = HeldAgainst.LARGEST if declared else policy.held_against
    if not declared:
        counted = rows if policy.decision is None else rows[:, [NEGATIVE, POSITIVE]]
        decided = counted[: len(names)].sum(axis=(1, 2))
        declared = names[int(np.argmax(np.where(_may_be_reference(names), decided, -1)))]
    lately = declared not in names  # nobody was in it when groups were registered
    if lately:
        names.insert(0, declared)
        then, now = (np.insert(rows, 0, 0, axis=0) for rows in (then, now))
    names += [
        name if name not in names else f"({name})" for name in (UNKNOWN_GROUP, UNMAPPED_GROUP)
    ]
    keep = np.asarray((then + now).any(axis=(1, 2)))
    keep[names.index(declared)] = True
    keep[-2:] = now[-2:].any(axis=(1, 2)) if unassigned else False
    listed = tuple(name for name, kept in zip(names, keep, strict=True) if kept)
    scores_then, scores = scores_by_group(
        pair,
        axes,
        lambda table: np.insert(folded.rows(table), 0, 0, axis=0) if lately else folded.rows(table),
        folded.places(_groups_of(axes).ravel()) + lately,
        keep,
    )
    return GroupPair(
        population.name,
        listed,
        then[keep],
        now[keep],
        listed.index(declared),
        _effect(policy),
        policy.band_of(population.name),
        against,
        now[-2:].sum(axis=0),
        policy.label.observed_when if policy.label else None,
        folded.small,
        unassigned_then=then[-2:].sum(axis=0),
        scores=scores,
        scores_then=scores_then,
        left_out=policy.disparity.left_out,
    )


def held_against(pair: GroupPair) -> str:
    """Return the name of what the groups of a population are held against."""
    match pair.against:
        case HeldAgainst.LARGEST:
            return pair.groups[pair.reference_group]
        case HeldAgainst.REST:
            return REST
        case HeldAgainst.BEST_OFF:
            return BEST_OFF


def _may_be_reference(names: list[str]) -> BoolArray:
    apart = {DECLINED, OTHER_SMALL}
    allowed = np.array([apart.isdisjoint(name.split(CROSS)) for name in names])
    return allowed if allowed.any() else ~allowed


def rows_by_group(profile: Profile, axes: list[AttributeGrid]) -> IntArray:
    """Return rows by group × decision × label; the last two groups are unknown and unmapped."""
    rows: IntArray = by_group(profile.outcomes.margin(*(axis.name for axis in axes)), axes)
    return rows


def by_group(table: Any, axes: list[AttributeGrid]) -> Any:
    """Return counts or sums by group; the last two groups are unknown and unmapped.

    Args:
        table: shape (size of each attribute …, …).
        axes: The attributes.

    Returns:
        shape (groups and two, …).
    """
    rest = table.shape[len(axes) :]
    rows = np.zeros((_number_of(axes) + 2, *rest), table.dtype)
    groups = _groups_of(axes).ravel().tolist()
    for group, cells in zip(groups, table.reshape(-1, *rest), strict=True):
        rows[group] += cells  # not np.add.at, which takes five times as long for whole rows
    return rows


def too_many(axes: list[AttributeGrid]) -> Unmeasurable | None:
    """Return why the groups of some attributes cannot be crossed, or None when they can."""
    number = _number_of(axes)
    if number <= MOST_COMBINATIONS:
        return None
    return Unmeasurable(
        Absence.UNDEFINED,
        f"{CROSS.join(axis.name for axis in axes)} has {number:,} combinations of groups, and "
        f"{MOST_COMBINATIONS:,} at most are crossed: put values together under values: or bins:",
    )


def _number_of(axes: list[AttributeGrid]) -> int:
    return prod(len(axis.groups) for axis in axes)


def _groups_of(axes: list[AttributeGrid]) -> IntArray:
    """Return the group of each combination of codes; the last two are unknown and unmapped.

    Returns:
        shape (size of each attribute …).
    """
    sizes = tuple(axis.size for axis in axes)
    groups = np.zeros(sizes, np.int64)
    unknown, unmapped = np.zeros(sizes, np.bool_), np.zeros(sizes, np.bool_)
    for axis, code in zip(axes, np.indices(sizes), strict=True):
        groups = groups * len(axis.groups) + np.minimum(code, len(axis.groups) - 1)
        unknown |= code == axis.unknown
        unmapped |= code == axis.unmapped
    groups[unmapped] = _number_of(axes) + 1
    groups[unknown] = _number_of(axes)
    return groups


def scores_by_group(
    pair: ProfilePair,
    axes: list[AttributeGrid],
    arranged: Callable[[Any], Any],
    places: IntArray,
    keep: BoolArray,
) -> tuple[ScoresOfGroups | None, ScoresOfGroups | None]:
    """Return the scores of the groups in baseline and window, in cells of one width.

    Args:
        pair: Baseline and window.
        axes: The attributes.
        arranged: Puts what `by_group` gives in the order of the population's groups.
        places: Where each combination of codes stands in that order.
        keep: Which of them are listed; the last two are those of unknown membership.
    """
    sides = pair.reference.group_scores, pair.current.group_scores
    grid = pair.grid.fields.get(pair.grid.score)
    level = max(side.level if side else 0 for side in sides)
    names = [axis.name for axis in axes]

    def of(side: GroupScores | None) -> ScoresOfGroups | None:
        if side is None:
            return None
        rows = side.rows_of(names, places, len(keep))
        starts = np.arange(0, side.width, 2 ** (level - side.level))
        rows = np.add.reduceat(rows, starts, axis=-1)
        moments = {
            name: arranged(by_group(sums, axes))[keep]
            for name, sums in side.moments(*names).items()
        }
        unassigned = rows[-2:].sum(axis=0)
        if not isinstance(grid, NumericGrid):
            return ScoresOfGroups(rows[keep], moments, unassigned, 0.0, 1.0, of_class=True)
        return ScoresOfGroups(rows[keep], moments, unassigned, grid.center, grid.scale)

    then, now = (of(side) for side in sides)
    return then, now


def _effect(policy: Policy) -> Effect | None:
    if policy.decision is None:
        return None
    if policy.decision.effect is None:
        raise ValueError(f"{policy.model} has populations, but no effect of a positive decision")
    return policy.decision.effect
