"""What a quantity of groups is that is no rate: of each group, and of one against another."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from msgspec import Struct

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.domain.field import Effect
from monitor.domain.limit import Band, HeldAgainst
from monitor.measures.disparity.comparison import LEAST_SHARE
from monitor.measures.disparity.rate import LEVEL, Harm, side_of
from monitor.measures.group_scores import ScoresOfGroups
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.profile.grid import Grid, IntArray
from monitor.uncertainty.multiplicity import holm

Ends = tuple[float, float | None]
"""Of an interval; None for an upper end without bound."""


class Sample(Struct, frozen=True):
    """What is known of a quantity of one group, or of several together.

    Attributes:
        value: The quantity.
        rows: Rows that it rests on.
        data: What intervals and tests of it take.
        detail: Further numbers of it.
    """

    value: float
    rows: int
    data: Any
    detail: Mapping[str, float]


class Kind(Struct, frozen=True):
    """How quantities of one kind are held against each other.

    Attributes:
        suffix: What is appended to the metric's id: it is a ratio or a difference.
        unchanged: Its value when groups are alike.
        lower: Its smallest possible value; None when unbounded.
        upper: Its largest possible value.
        value: Of two values.
        interval: Of one sample, at a level.
        against: Of two, at a level.
        test: Of two: p-value of both being alike, and the standard errors between them.
        method: How intervals are made.
        method_against: How those of two are made.
    """

    suffix: str
    unchanged: float
    lower: float | None
    upper: float | None
    value: Callable[[float, float], float]
    interval: Callable[[Sample, float], Ends]
    against: Callable[[Sample, Sample, float], Ends]
    test: Callable[[Sample, Sample], tuple[float, float]]
    method: str
    method_against: str

    @property
    def divides(self) -> bool:
        """Return whether it is a ratio."""
        return self.suffix == "_ratio"


class Quantity(Struct, frozen=True):
    """A quantity of a group that is no rate.

    Attributes:
        about: What people need to know of its level.
        kind: How it is held against that of others.
        sample: Of some groups together, given their name; the reason where it is none. It takes the
            size rules of the band.
        harm: Which side harms a group, by what a positive decision does to a person.
        applies: Whether a model with this grid has the quantity at all.
        source: Where interval and test of two come from.
    """

    about: Description
    kind: Kind
    sample: Callable[[ScoresOfGroups, IntArray, str, Band], Sample | Unmeasurable]
    harm: Mapping[Effect, Harm]
    applies: Callable[[Grid], bool]
    source: str


def measures_of_quantity(quantity: Quantity) -> tuple[GroupMeasure, ...]:
    """Return a quantity's level and its ratio or difference, in this order."""
    about, kind = quantity.about, quantity.kind
    word = "ratio" if kind.divides else "difference"
    of_two = Description(
        id=about.id + kind.suffix,
        family=Family.DISPARITY,
        title=f"{word} of the {about.title}",
        unit=about.unit,
        unchanged=kind.unchanged,
        lower=kind.lower,
        upper=kind.upper,
        symmetric=False,
        source=quantity.source,
    )
    return tuple(
        GroupMeasure(
            described,
            partial(measure, quantity),
            unassigned=False,
            applies=quantity.applies,
            metric=about.id,
        )
        for measure, described in ((level, about), (against, of_two))
    )


NO_RULES = Band(min_rows=0, min_expected=0.0)
"""The size rules of a level: whatever has a number is listed."""


def level(quantity: Quantity, pair: GroupPair) -> Mapping[str, Result]:
    """Return a quantity of each group, however small, with its interval; ``then`` in the baseline."""
    if pair.scores is None:
        return dict.fromkeys(pair.groups, _not_counted())
    results: dict[str, Result] = {}
    for place, name in enumerate(pair.groups):
        groups = np.array([place])
        now = quantity.sample(pair.scores, groups, name, NO_RULES)
        if isinstance(now, Unmeasurable):
            results[name] = now
            continue
        then = None
        if pair.scores_then is not None:
            then = quantity.sample(pair.scores_then, groups, name, NO_RULES)
        before = then if isinstance(then, Sample) else None
        low, high = quantity.kind.interval(now, LEVEL)
        results[name] = Estimate(
            now.value,
            n=now.rows,
            n_reference=before.rows if before else 0,
            low=low,
            high=high,
            level=LEVEL,
            method=quantity.kind.method,
            then=before.value if before else None,
            now=now.value,
            detail=now.detail,
        )
    return results


class _Held(Struct, frozen=True):
    """A group that can be held against another: its place, its sample, that of the other."""

    place: int
    own: Sample
    other: Sample


def against(quantity: Quantity, pair: GroupPair) -> Mapping[str, Result]:
    """Return a quantity of each group against that of its reference, with interval and test.

    At 95 %, and jointly over the population's compared groups at ``1 − α`` (Bonferroni); p-values
    are adjusted by Holm, and by Bonferroni over all pairs where the reference is the group that is
    best off. ``then`` is the reference's quantity, ``now`` the group's; ``detail`` has ``sd``, the
    standard errors between them.

    Unmeasurable: too few rows of the group, or of its reference; one group only; scores that were
    not counted by group.
    """
    if pair.scores is None:
        return dict.fromkeys(_others(pair), _not_counted())
    if len(pair.groups) == 1:
        why = f"{pair.groups[0]} is the only group: there is none to hold it against"
        return {pair.groups[0]: Unmeasurable(Absence.UNDEFINED, why)}
    held, results, best = _held(quantity, pair, pair.scores)
    tests = len(held) if best is None else (len(held) + 1) * len(held) // 2
    tested = [quantity.kind.test(item.own, item.other) for item in held]
    p_values = [p_value for p_value, _ in tested]
    adjusted = holm(p_values) if best is None else np.minimum(np.array(p_values) * tests, 1.0)
    joint = 1 - pair.band.alpha / max(tests, 1)
    for item, (p_value, z), p_adjusted in zip(held, tested, adjusted, strict=True):
        low, high = quantity.kind.against(item.own, item.other, LEVEL)
        family_low, family_high = quantity.kind.against(item.own, item.other, joint)
        results[pair.groups[item.place]] = Estimate(
            quantity.kind.value(item.own.value, item.other.value),
            n=item.own.rows,
            n_reference=item.other.rows,
            low=low,
            high=high,
            level=LEVEL,
            method=quantity.kind.method_against,
            then=item.other.value,
            now=item.own.value,
            p_value=p_value,
            p_adjusted=float(p_adjusted),
            family_low=family_low,
            family_high=family_high,
            detail={"sd": z, **item.own.detail},
            note="" if best is None else f"against {pair.groups[best]}",
        )
    return results


def _others(pair: GroupPair) -> list[str]:
    fixed = pair.against is HeldAgainst.LARGEST and len(pair.groups) > 1
    return [
        name for place, name in enumerate(pair.groups) if not fixed or place != pair.reference_group
    ]


def _held(
    quantity: Quantity, pair: GroupPair, scores: ScoresOfGroups
) -> tuple[list[_Held], dict[str, Result], int | None]:
    """Return what can be compared, why the rest cannot, and which group is best off if that is asked."""
    own = [
        pair.leaves_out(place) or quantity.sample(scores, np.array([place]), name, pair.band)
        for place, name in enumerate(pair.groups)
    ]
    best = _best_off(quantity, pair, own)
    fixed = pair.reference_group if pair.against is HeldAgainst.LARGEST else best
    held: list[_Held] = []
    results: dict[str, Result] = {}
    for place, (name, sample) in enumerate(zip(pair.groups, own, strict=True)):
        if place == fixed:
            continue
        if isinstance(sample, Unmeasurable):
            results[name] = sample
            continue
        other = _other(quantity, pair, scores, place) if fixed is None else own[fixed]
        reason = _no_reference(quantity, sample, other)
        if reason is not None:
            results[name] = reason
        elif isinstance(other, Sample):
            held.append(_Held(place, sample, other))
    return held, results, best


def _other(
    quantity: Quantity, pair: GroupPair, scores: ScoresOfGroups, place: int
) -> Sample | Unmeasurable:
    """Return what all other groups have together, or that none of them is best off."""
    if pair.against is HeldAgainst.BEST_OFF:
        return Unmeasurable(Absence.NO_DATA, f"no group has {LEAST_SHARE:.0%} of the rows")
    every = np.arange(len(pair.groups))
    rest = f"the rest beside {pair.groups[place]}"
    return quantity.sample(scores, every[every != place], rest, pair.band)


def _no_reference(
    quantity: Quantity, sample: Sample, other: Sample | Unmeasurable
) -> Unmeasurable | None:
    """Return why a group cannot be held against another, or None."""
    if isinstance(other, Unmeasurable):
        why = f"what it is held against cannot be used: {other.explanation}"
        return Unmeasurable(Absence.REFERENCE_UNAVAILABLE, why, sample.rows, other.n)
    if quantity.kind.divides and other.value == 0:
        why = (
            f"what it is held against has a {quantity.about.title} of 0: there is none to divide by"
        )
        return Unmeasurable(Absence.UNDEFINED, why, sample.rows, other.rows)
    return None


def _best_off(quantity: Quantity, pair: GroupPair, own: list[Sample | Unmeasurable]) -> int | None:
    if pair.against is not HeldAgainst.BEST_OFF:
        return None
    least = LEAST_SHARE * sum(item.rows for item in own if isinstance(item, Sample))
    able = [
        (place, item.value)
        for place, item in enumerate(own)
        if isinstance(item, Sample) and item.rows >= least
    ]
    if not able:
        return None
    choose = min if side_of(quantity.harm, pair.effect) is Harm.HIGH else max
    return choose(able, key=lambda item: item[1])[0]


def _not_counted() -> Unmeasurable:
    why = "scores were not counted by group when the window was profiled"
    return Unmeasurable(Absence.NO_DATA, why)
