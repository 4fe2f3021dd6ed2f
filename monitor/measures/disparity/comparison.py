"""Each group of a population against another: who can be compared, and how sure it is."""

from collections.abc import Callable

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.limit import HeldAgainst
from monitor.measures.disparity.rate import LEVEL, Counts, Harm, Rate, side_of
from monitor.measures.measure import GroupPair
from monitor.profile.grid import BoolArray, FloatArray, IntArray
from monitor.uncertainty.interval import Interval
from monitor.uncertainty.multiplicity import holm
from monitor.uncertainty.two_sample import same_proportion

REST, BEST_OFF = "(rest)", "(best off)"
"""What stands for the reference group where it is not one group for ever."""

Tables = tuple[IntArray, IntArray, IntArray, IntArray]
"""Rows counted, and among which, of each group and of what it is held against."""

LEAST_SHARE = 0.02
"""A group with a smaller share of the rows is not taken for the best off."""


class Comparison(Struct, frozen=True):
    """The groups that can be held against another, tested as one family.

    All arrays have the shape (compared groups,).

    Attributes:
        rate: What is compared.
        groups: Indices of the groups that can be compared.
        positive: Rows counted of each.
        known: Rows that they are counted among.
        reference_positive: Rows counted of what each is held against.
        reference_known: Rows that they are counted among.
        p_value: Of equal rates, Fisher's or z.
        p_adjusted: The same after Holm over the family.
        sd: The difference of the rates in pooled standard errors.
        tests: How many tests the family has.
        note: Which group the others are held against, where it is not the same one for ever.
        own: Index of that group, which has no comparison; None where it is the same one for ever.
    """

    rate: Rate
    groups: IntArray
    positive: IntArray
    known: IntArray
    reference_positive: IntArray
    reference_known: IntArray
    p_value: FloatArray
    p_adjusted: FloatArray
    sd: FloatArray
    tests: int
    note: str = ""
    own: int | None = None

    def only(self, kept: BoolArray) -> "Comparison":
        """Return some of the comparisons, as members of the same family."""
        return replace(
            self,
            **{
                name: getattr(self, name)[kept]
                for name in (
                    "groups",
                    "positive",
                    "known",
                    "reference_positive",
                    "reference_known",
                    "p_value",
                    "p_adjusted",
                    "sd",
                )
            },
        )

    @property
    def tables(self) -> Tables:
        """Return the four counts of each comparison, as intervals and tests take them."""
        return self.positive, self.known, self.reference_positive, self.reference_known

    @property
    def rates(self) -> tuple[FloatArray, FloatArray]:
        """Return the rate of each group, and of what it is held against."""
        return self.positive / self.known, self.reference_positive / self.reference_known

    @property
    def expected(self) -> FloatArray:
        """Return each group's rows counted at the rate that it and its reference pool."""
        pooled = (self.positive + self.reference_positive) / (self.known + self.reference_known)
        return np.asarray(self.known * pooled, np.float64)

    def detail(self, place: int) -> dict[str, float]:
        """Return what the comparisons of one group have in common.

        ``sd``; ``positive`` and ``expected`` rows; ``shortfall``, the rows that are missing to the
        pooled rate (below 0: those in excess).
        """
        expected, positive = float(self.expected[place]), int(self.positive[place])
        return {
            "sd": float(self.sd[place]),
            "positive": positive,
            "expected": expected,
            "shortfall": expected - positive,
        }

    def estimates(
        self,
        pair: GroupPair,
        values: FloatArray,
        interval: Callable[..., Interval],
        method: str,
        unchanged: float,
    ) -> dict[str, Estimate]:
        """Return what each comparison amounts to.

        Args:
            pair: The population.
            values: shape (compared groups,).
            interval: From the four counts and a level; an end that is not finite is none.
            method: How it was made.
            unchanged: The value of a group that is held against itself.
        """
        tests = max(self.tests, pair.family, 1)
        levels = np.array([[LEVEL], [1 - pair.band.alpha / tests]])
        low, high = interval(*self.tables, levels)
        now, then = self.rates
        found = {
            pair.groups[group]: Estimate(
                float(values[place]),
                n=int(self.known[place]),
                n_reference=int(self.reference_known[place]),
                low=float(low[0, place]),
                high=_finite(high[0, place]),
                level=LEVEL,
                method=method,
                then=float(then[place]),
                now=float(now[place]),
                p_value=float(self.p_value[place]),
                p_adjusted=float(self.p_adjusted[place]),
                family_low=float(low[1, place]),
                family_high=_finite(high[1, place]),
                detail=self.detail(place),
                note=self.note,
            )
            for place, group in enumerate(self.groups.tolist())
        }
        if self.own is not None:
            found[pair.groups[self.own]] = self._of_itself(pair, unchanged)
        return found

    def _of_itself(self, pair: GroupPair, unchanged: float) -> Estimate:
        """Return what the group that is best off is, held against itself: alike, for certain."""
        now = self.rate.counted(pair)
        place = self.own or 0
        own, rows = int(now.events[place]), int(now.rows[place])
        return Estimate(
            unchanged,
            n=rows,
            n_reference=rows,
            low=unchanged,
            high=unchanged,
            method="held against itself",
            then=own / rows,
            now=own / rows,
            p_value=1.0,
            p_adjusted=1.0,
            family_low=unchanged,
            family_high=unchanged,
            detail={"positive": own},
            note=self.note,
        )


def _finite(end: float) -> float | None:
    return float(end) if np.isfinite(end) else None


def compare(pair: GroupPair, rate: Rate) -> tuple[Comparison, dict[str, Unmeasurable]]:
    """Return the comparisons that can be made now, and why the others cannot, by group.

    One reference group is in neither, unless it is the only group: then there is nothing to
    compare, and it says so.
    """
    now = rate.counted(pair)
    if unseen := rate.unavailable(pair):
        others = [name for place, name in enumerate(pair.groups) if place != pair.reference_group]
        absent = Unmeasurable(Absence.UNDEFINED, unseen)
        return _compared(now, [], 0), dict.fromkeys(others or pair.groups, absent)
    if len(pair.groups) == 1:
        only, rows = pair.groups[0], int(now.rows[0])
        why = f"{only} is the only group: there is none to hold it against"
        return _compared(now, [], 0), {only: Unmeasurable(Absence.UNDEFINED, why, rows)}
    if pair.against is HeldAgainst.REST:
        return _against_the_rest(pair, now)
    if pair.against is HeldAgainst.BEST_OFF:
        return _against_the_best_off(pair, now)
    return _against_one(pair, now)


def _against_one(pair: GroupPair, now: Counts) -> tuple[Comparison, dict[str, Unmeasurable]]:
    reference = pair.reference_group
    reasons: dict[str, Unmeasurable] = {}
    able: list[int] = []
    unavailable = _unfit(pair, now, reference)
    for group, name in enumerate(pair.groups):
        if group == reference:
            continue
        if now.missing(group, name) is None and unavailable is not None:
            reasons[name] = _unavailable("the reference group", int(now.rows[group]), unavailable)
        elif (unfit := _unfit(pair, now, group)) is not None:
            reasons[name] = unfit
        else:
            able.append(group)
    return _compared(now, able, reference), reasons


def _unfit(pair: GroupPair, now: Counts, group: int) -> Unmeasurable | None:
    """Return why a group is not compared: it is left out, or too small."""
    return pair.leaves_out(group) or now.too_small(group, pair.groups[group], pair.band)


def _unavailable(what: str, rows: int, why: Unmeasurable) -> Unmeasurable:
    return Unmeasurable(
        Absence.REFERENCE_UNAVAILABLE,
        f"{what} cannot be used: {why.explanation}",
        rows,
        why.n,
    )


def _against_the_rest(pair: GroupPair, now: Counts) -> tuple[Comparison, dict[str, Unmeasurable]]:
    rest = now.rest()
    reasons: dict[str, Unmeasurable] = {}
    able: list[int] = []
    for group, name in enumerate(pair.groups):
        if (unfit := _unfit(pair, now, group)) is not None:
            reasons[name] = unfit
        elif (small := rest.too_small(group, f"the rest beside {name}", pair.band)) is not None:
            reasons[name] = _unavailable("what it is held against", int(now.rows[group]), small)
        else:
            able.append(group)
    groups = np.array(able, np.int64)
    counted = now.events[groups], now.rows[groups], rest.events[groups], rest.rows[groups]
    return _tested(now.rate, groups, counted), reasons


def best_off(pair: GroupPair, counts: Counts) -> int | None:
    """Return the group that fares best, of those large enough to be held against.

    That is the one with the highest rate; the lowest where a high one harms. It takes the size to
    be compared and `LEAST_SHARE` of the rows. None when no group has them.
    """
    least = LEAST_SHARE * int(counts.rows.sum())
    able = [
        group
        for group in range(len(pair.groups))
        if counts.rows[group] >= least and _unfit(pair, counts, group) is None
    ]
    if not able:
        return None
    rates = counts.events[able] / counts.rows[able]
    best = (
        np.argmin(rates)
        if side_of(counts.rate.harm, pair.effect) is Harm.HIGH
        else np.argmax(rates)
    )
    return able[int(best)]


def _against_the_best_off(
    pair: GroupPair, now: Counts
) -> tuple[Comparison, dict[str, Unmeasurable]]:
    best = best_off(pair, now)
    reasons: dict[str, Unmeasurable] = {}
    able: list[int] = []
    for group, name in enumerate(pair.groups):
        if (unfit := _unfit(pair, now, group)) is not None:
            reasons[name] = unfit
        elif best is None:
            why = f"no group has {LEAST_SHARE:.0%} of the rows and is large enough to be compared"
            reasons[name] = Unmeasurable(Absence.REFERENCE_UNAVAILABLE, why, int(now.rows[group]))
        elif group != best:
            able.append(group)
    if best is None:
        return _compared(now, [], 0), reasons
    compared = _compared(now, able, best)
    return _corrected_for_choosing(pair, now, compared, best), reasons


def _compared(now: Counts, able: list[int], reference: int) -> Comparison:
    groups = np.array(able, np.int64)
    counted = (
        now.events[groups],
        now.rows[groups],
        np.full(len(able), now.events[reference], np.int64),
        np.full(len(able), now.rows[reference], np.int64),
    )
    return _tested(now.rate, groups, counted)


def _tested(rate: Rate, groups: IntArray, tables: Tables) -> Comparison:
    p_value, p_adjusted, sd = np.zeros(0), np.zeros(0), np.zeros(0)
    if len(groups):
        test = same_proportion(*tables)
        p_value, sd, p_adjusted = test.p_value, test.z, holm(test.p_value)
    return Comparison(rate, groups, *tables, p_value, p_adjusted, sd, len(groups))


def _corrected_for_choosing(
    pair: GroupPair, now: Counts, compared: Comparison, best: int
) -> Comparison:
    """Return comparisons adjusted over all pairs: to choose the best is to have looked at them."""
    groups = np.append(compared.groups, best)
    one, other = np.triu_indices(len(groups), 1)
    p_adjusted = np.zeros(0)
    if len(one):
        left, right = groups[one], groups[other]
        test = same_proportion(now.events[left], now.rows[left], now.events[right], now.rows[right])
        p_adjusted = holm(test.p_value)[other == len(groups) - 1]
    return replace(
        compared,
        p_adjusted=p_adjusted,
        tests=len(one),
        note=f"against {pair.groups[best]}",
        own=best,
    )
