"""From an outcome table to the groups of one population within the strata of a factor."""

import numpy as np
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Population
from monitor.domain.policy import Policy
from monitor.measures.groups import UNKNOWN_GROUP, UNMAPPED_GROUP, group_pair
from monitor.measures.measure import GroupPair, ProfilePair, Strata


def group_pair_by(
    population: Population,
    factor: str,
    policy: Policy,
    pair: ProfilePair,
    *,
    unassigned: bool = False,
) -> GroupPair | Unmeasurable:
    """Return a population's groups in baseline and window, the window's by strata of a factor too.

    The groups and what they are held against are those of `group_pair`, whatever the strata hold.

    Args:
        population: An attribute, or a crossing of several.
        factor: Name of a declared factor.
        policy: Declares reference groups, the effect of a decision and the band.
        pair: Baseline and window.
        unassigned: Whether to list rows of unknown and of unmapped membership after the groups.

    Returns:
        The groups, or the reason why the baseline has none or was counted without the factor.
    """
    groups = group_pair(population, policy, pair, unassigned=unassigned)
    axis = next((axis for axis in pair.grid.strata if axis.name == factor), None)
    if isinstance(groups, Unmeasurable):
        return groups
    if axis is None:
        return Unmeasurable(
            Absence.NO_BASELINE, f"registered without {factor}: register a new baseline"
        )
    table = np.zeros((len(groups.groups), axis.size, 3, 3), np.int64)
    outcomes = pair.current.outcomes
    for code in range(axis.size):
        current = replace(pair.current, outcomes=outcomes.where(factor, code), group_scores=None)
        inside = group_pair(
            population, policy, replace(pair, current=current), unassigned=unassigned
        )
        if isinstance(inside, Unmeasurable):  # the same reason would have been whole's
            return inside
        for place, name in enumerate(inside.groups):
            table[groups.groups.index(name), code] = inside.current[place]
    names = (*axis.groups, UNKNOWN_GROUP, UNMAPPED_GROUP)
    return replace(groups, strata=Strata(factor, names, table))
