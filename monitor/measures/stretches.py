"""Groups that are too small in one window, measured over a longer stretch of windows."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cache
from typing import Self

import numpy as np
from msgspec.structs import replace

from monitor.domain.disparity import STRETCH_DAYS, STRETCH_WINDOWS
from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.domain.field import Population
from monitor.domain.limit import HeldAgainst
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.measures.groups import group_pair
from monitor.measures.measure import GroupMeasure, GroupPair, ProfilePair
from monitor.uncertainty.multiplicity import holm

_Found = Callable[[int], Mapping[str, Result]]
"""Of how many earlier windows, to what a measure says of each group over all of them."""

_TOO_SMALL = frozenset({Absence.INSUFFICIENT_DATA, Absence.REFERENCE_UNAVAILABLE})


class Stretches:
    """One population in a window, and in the stretches of windows that end with it.

    A group is measured over the shortest stretch in which it, and what it is held against, are
    large enough: both over the same windows, so that time is not taken for disparity. All groups of
    the population are one family, over whichever stretch each of them is measured.

    Args:
        population: An attribute, or a crossing.
        policy: Declares it.
        pair: Baseline and window, with the earlier windows that there are.
        unassigned: Whether rows of no known group are listed.
        window: The population in the window, where it has been counted already.
    """

    def __init__(
        self,
        population: Population,
        policy: Policy,
        pair: ProfilePair,
        *,
        unassigned: bool,
        window: GroupPair | Unmeasurable | None = None,
    ) -> None:
        self._population, self._policy, self._pair = population, policy, pair
        self._unassigned = unassigned
        self.window = window or group_pair(population, policy, pair, unassigned=unassigned)
        self._over: dict[
            int, GroupPair
        ] = {}  # a cache of its method would hold it and be held by it

    @classmethod
    def both(cls, population: Population, policy: Policy, pair: ProfilePair) -> dict[bool, Self]:
        """Return a population with and without rows of no known group, counted once if it has none."""
        every = cls(population, policy, pair, unassigned=True)
        found = every.window
        listed = not isinstance(found, Unmeasurable) and bool(np.any(found.unassigned))
        window = None if listed else found
        return {True: every, False: cls(population, policy, pair, unassigned=False, window=window)}

    def over(self, earlier: int) -> GroupPair:
        """Return the population over the window and so many before it."""
        if earlier not in self._over:
            parts = [read() for _, read in self._pair.earlier[:earlier]]
            longer = replace(self._pair, current=self._pair.current.with_people_of(parts))
            found = group_pair(self._population, self._policy, longer, unassigned=self._unassigned)
            assert not isinstance(found, Unmeasurable)  # noqa: S101  # the baseline is the same
            self._over[earlier] = found
        return self._over[earlier]

    def measured(self, measure: GroupMeasure, window: GroupPair) -> Mapping[str, Result]:
        """Return a measure of every group, over more windows where one is not enough.

        Args:
            measure: What to measure.
            window: The population in the window alone.
        """
        alone = measure.measure(window)
        small = [name for name in window.groups if name in alone and _too_small(alone[name])]
        most = len(self._pair.earlier)
        # Whom to hold others against is chosen anew in each window where it is the best off.
        if not small or not most or window.against is HeldAgainst.BEST_OFF:
            return alone
        found = cache(lambda earlier: measure.measure(self.over(earlier)))
        reached = {
            name: self._least(name, found, most)
            for name in small
            if not _too_small(found(most)[name])
        }
        if not reached:
            return {
                **alone,
                **{name: self._never(alone[name], found(most)[name]) for name in small},
            }
        family = len(reached) + sum(isinstance(result, Estimate) for result in alone.values())
        results = dict(measure.measure(replace(window, family=family)))
        for name in small:
            if name in reached:
                longer = replace(self.over(reached[name]), family=family)
                results[name] = self._told(measure.measure(longer)[name], reached[name])
            else:
                results[name] = self._never(alone[name], found(most)[name])
        return _adjusted(results)

    def _least(self, name: str, found: _Found, most: int) -> int:
        """Return the fewest earlier windows with which a group is large enough.

        Groups grow with every window, so it is found by halving.
        """
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _too_small(found(middle)[name]) else (low, middle)
        return high

    def _told(self, result: Result, earlier: int) -> Result:
        window = self._pair.window
        begin = self._pair.earlier[earlier - 1][0].start
        days = (window.end - begin) / timedelta(days=1)
        said = f"over {earlier + 1} windows from {begin:%Y-%m-%d} on"
        if isinstance(result, Unmeasurable):
            return replace(result, explanation=f"{said}, {result.explanation}")
        detail = {**result.detail, STRETCH_WINDOWS: float(earlier + 1), STRETCH_DAYS: days}
        return replace(result, detail=detail, note=", ".join(filter(None, (result.note, said))))

    def _never(self, alone: Result, longest: Result) -> Result:
        """Return why even the longest stretch is too short, or why more windows do not help."""
        if not isinstance(alone, Unmeasurable) or not isinstance(longest, Unmeasurable):
            return alone
        if alone.explanation == longest.explanation:  # it is the baseline that is too small
            return alone
        told = self._told(longest, len(self._pair.earlier))
        return told if isinstance(told, Unmeasurable) else alone


def stretched(readings: Iterable[Reading]) -> bool:
    """Return whether some group of a window was too small in it, and earlier windows were asked."""
    return any(
        reading.subject.population
        and not (reading.subject.reference or reading.subject.stratum)
        and (_too_small(reading.result) or _over_several(reading.result))
        for reading in readings
    )


def _over_several(result: Result) -> bool:
    return isinstance(result, Estimate) and STRETCH_WINDOWS in result.detail


def _too_small(result: Result) -> bool:
    # A group without any row in the window has nothing new to say.
    return isinstance(result, Unmeasurable) and result.reason in _TOO_SMALL and result.n > 0


def _adjusted(results: Mapping[str, Result]) -> Mapping[str, Result]:
    """Return results whose p-values are adjusted over all of them."""
    tested = [
        (name, result, result.p_value)
        for name, result in results.items()
        if isinstance(result, Estimate) and result.p_value is not None
    ]
    if not tested:
        return results
    adjusted = holm(np.array([p_value for _, _, p_value in tested])).tolist()
    return {
        **results,
        **{
            name: replace(result, p_adjusted=p_adjusted)
            for (name, result, _), p_adjusted in zip(tested, adjusted, strict=True)
        },
    }
