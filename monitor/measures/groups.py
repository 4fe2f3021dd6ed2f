"""From an outcome table to the groups of one population."""

from itertools import product

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Effect, Population
from monitor.domain.limit import HeldAgainst
from monitor.domain.naming import DECLINED
from monitor.domain.policy import Policy
from monitor.measures.crossing import MOST_CROSSED, OTHER_SMALL, fold
from monitor.measures.disparity.comparison import BEST_OFF, REST
from monitor.measures.measure import GroupPair, ProfilePair
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.profile.grid import AttributeGrid, BoolArray, IntArray
from monitor.profile.profile import Profile

UNKNOWN_GROUP, UNMAPPED_GROUP = "(unknown)", "(unmapped)"
"""Names under which rows are listed whose group is not known, or that no group was registered for."""

CROSS = " × "
"""What joins the group names of a crossing, as it joins the names of its attributes."""


def group_pair(
    population: Population, policy: Policy, pair: ProfilePair, *, unassigned: bool
) -> GroupPair | Unmeasurable:
    """Return a population's groups in baseline and window.

    A group is listed if it has rows in either. The reference group is the declared one of a single
    attribute, listed even when nobody is in it; otherwise, and for a crossing, the one with most
    known decisions in the baseline, but not those who declined to say and not the smallest cells of
    a crossing that are one group together.

    Args:
        population: An attribute, or a crossing of several.
        policy: Declares reference groups, the effect of a decision and the band.
        pair: Baseline and window.
        unassigned: Whether to list rows of unknown and of unmapped membership after the groups.

    Returns:
        The groups, or the reason why the baseline has none.

    Raises:
        ValueError: The policy does not say what a positive decision does.
    """
    registered = {attribute.name: attribute for attribute in pair.grid.attributes}
    lacking = [name for name in population.attributes if name not in registered]
    if lacking:
        return Unmeasurable(
            Absence.NO_BASELINE, f"registered without {', '.join(lacking)}: register a new baseline"
        )
    axes = [registered[name] for name in population.attributes]
    names = [CROSS.join(parts) for parts in product(*(axis.groups for axis in axes))]
    if not names:
        return Unmeasurable(Absence.NO_BASELINE, f"the baseline has no group of {population.name}")
    then, now = (rows_by_group(side, axes) for side in (pair.reference, pair.current))
    rows = then if pair.registered is None else rows_by_group(pair.registered, axes)
    folded = fold(names, rows.sum(axis=(1, 2)), MOST_CROSSED if len(axes) > 1 else len(names))
    names, (then, now, rows) = folded.names, map(folded.rows, (then, now, rows))
    declared = policy.attributes[axes[0].name].reference if len(axes) == 1 else ""
    against = HeldAgainst.LARGEST if declared else policy.held_against
    if not declared:
        decided = rows[: len(names), [NEGATIVE, POSITIVE]].sum(axis=(1, 2))
        declared = names[int(np.argmax(np.where(_may_be_reference(names), decided, -1)))]
    elif declared not in names:  # nobody was in it when groups were registered
        names.insert(0, declared)
        then, now = (np.insert(rows, 0, 0, axis=0) for rows in (then, now))
    names += [
        name if name not in names else f"({name})" for name in (UNKNOWN_GROUP, UNMAPPED_GROUP)
    ]
    keep = np.asarray((then + now).any(axis=(1, 2)))
    keep[names.index(declared)] = True
    keep[-2:] = now[-2:].any(axis=(1, 2)) if unassigned else False
    listed = tuple(name for name, kept in zip(names, keep, strict=True) if kept)
    return GroupPair(
        population.name,
        listed,
        then[keep],
        now[keep],
        listed.index(declared),
        _effect(policy),
        policy.band,
        against,
        now[-2:].sum(axis=0),
        policy.label.observed_when if policy.label else None,
        folded.small,
        unassigned_then=then[-2:].sum(axis=0),
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
    table = profile.outcomes.margin(*(axis.name for axis in axes))
    codes = np.indices(table.shape[:-2])
    groups = np.zeros(table.shape[:-2], np.int64)
    unknown, unmapped = np.zeros_like(groups, np.bool_), np.zeros_like(groups, np.bool_)
    total = 1
    for axis, code in zip(axes, codes, strict=True):
        groups = groups * len(axis.groups) + np.minimum(code, len(axis.groups) - 1)
        unknown |= code == axis.unknown
        unmapped |= code == axis.unmapped
        total *= len(axis.groups)
    groups[unmapped] = total + 1
    groups[unknown] = total
    rows = np.zeros((total + 2, *table.shape[-2:]), np.int64)
    np.add.at(rows, groups.ravel(), table.reshape(-1, *table.shape[-2:]))
    return rows


def _effect(policy: Policy) -> Effect:
    if policy.decision is None or policy.decision.effect is None:
        raise ValueError(f"{policy.model} has populations, but no effect of a positive decision")
    return policy.decision.effect
