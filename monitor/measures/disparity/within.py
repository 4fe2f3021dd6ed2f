"""Each group of a population against another within the strata of a factor: who can be compared."""

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.limit import HeldAgainst
from monitor.measures.disparity.comparison import Comparison, compare
from monitor.measures.disparity.rate import Rate
from monitor.measures.measure import GroupPair, Strata
from monitor.profile.grid import BoolArray, FloatArray, IntArray
from monitor.uncertainty.multiplicity import holm
from monitor.uncertainty.stratified import association

NOT_KNOWN = 2
"""The last strata: of rows whose stratum is unknown, and of those it was not registered for."""


class Tables(NamedTuple):
    """Rows counted, and among which, of groups and of what each is held against, by stratum.

    Arrays of shape (groups, strata), or (strata,) for one group.
    """

    positive: IntArray
    known: IntArray
    reference_positive: IntArray
    reference_known: IntArray

    @property
    def comparable(self) -> BoolArray:
        """Return which strata have rows of both."""
        return np.asarray((self.known > 0) & (self.reference_known > 0))

    @property
    def expected(self) -> FloatArray:
        """Return the group's rows counted at the rate that both pool, by stratum."""
        rows = np.maximum(self.known + self.reference_known, 1)
        return np.asarray(self.known * (self.positive + self.reference_positive) / rows)

    def where(self, strata: BoolArray) -> "Tables":
        """Return the same without the rows of other strata."""
        return Tables(*(np.where(strata, part, 0) for part in self))

    def of(self, groups: "int | IntArray | BoolArray") -> "Tables":
        """Return the tables of some groups, or of one."""
        return Tables(*(part[groups] for part in self))


class Within(Struct, frozen=True):
    """The groups that can be compared within strata, tested as one family.

    Attributes:
        strata: The factor and the names of its strata.
        marginal: The same groups, compared over all rows at once.
        every: Tables of the groups over all strata; the last two are rows whose stratum is not
            known, which are compared with nobody.
        tables: The same without the rows that are compared with nobody.
        whole: shape (groups, strata), rows counted, and among which, of all groups together.
        p_value: shape (groups,), of equal rates within every stratum.
        p_adjusted: shape (groups,), the same after Holm.
        tests: How many tests the family has.
    """

    strata: Strata
    marginal: Comparison
    every: Tables
    tables: Tables
    whole: tuple[IntArray, IntArray]
    p_value: FloatArray
    p_adjusted: FloatArray
    tests: int

    def only(self, kept: BoolArray) -> "Within":
        """Return some of the comparisons, as members of the same family."""
        return replace(
            self,
            marginal=self.marginal.only(kept),
            every=self.every.of(kept),
            tables=self.tables.of(kept),
            p_value=self.p_value[kept],
            p_adjusted=self.p_adjusted[kept],
        )


def compare_within(pair: GroupPair, rate: Rate) -> tuple[Within, dict[str, Unmeasurable]]:
    """Return the comparisons within strata that can be made now, and why the others cannot.

    A group that cannot be compared over all rows cannot be within strata. Of the others, the rows in
    strata that hold rows of both must be as many as a comparison over all rows takes.

    Raises:
        ValueError: The groups are not counted by a factor.
    """
    if pair.strata is None:
        raise ValueError(f"{pair.population} is not counted by a factor")
    strata = pair.strata
    marginal, reasons = compare(pair, rate)
    whole = rate.count(strata.table)
    every = _tables(whole, marginal, pair)
    known = np.arange(len(strata.names)) < len(strata.names) - NOT_KNOWN
    tables = every.where(every.comparable & known)
    kept = np.zeros(len(marginal.groups), np.bool_)
    for place, group in enumerate(marginal.groups.tolist()):
        small = _too_few(tables.of(place), every.of(place), pair, pair.groups[group], rate)
        kept[place] = small is None
        if small is not None:
            reasons[pair.groups[group]] = small
    p_value = np.zeros(0)
    if kept.any():
        p_value = association(*tables.of(kept)).p_value
    nothing = np.zeros(len(kept))
    found = Within(strata, marginal, every, tables, whole, nothing, nothing, int(kept.sum()))
    return replace(found.only(kept), p_value=p_value, p_adjusted=holm(p_value)), reasons


def _tables(whole: tuple[IntArray, IntArray], marginal: Comparison, pair: GroupPair) -> Tables:
    events, rows = whole
    groups = marginal.groups
    if pair.against is HeldAgainst.REST:
        others = events.sum(axis=0) - events[groups], rows.sum(axis=0) - rows[groups]
    else:
        one = pair.reference_group if marginal.own is None else marginal.own
        others = (
            np.broadcast_to(events[one], events[groups].shape),
            np.broadcast_to(rows[one], rows[groups].shape),
        )
    return Tables(events[groups], rows[groups], *others)


def _too_few(
    tables: Tables, every: Tables, pair: GroupPair, name: str, rate: Rate
) -> Unmeasurable | None:
    factor = pair.strata.factor if pair.strata else ""
    rows, others = int(tables.known.sum()), int(tables.reference_known.sum())
    if not rows:
        return Unmeasurable(
            Absence.UNDEFINED,
            f"no stratum of {factor} has rows of both {name} and what it is held against",
            int(every.known.sum()),
            int(every.reference_known.sum()),
        )
    expected = float(tables.expected.sum())
    least = pair.band.min_expected
    short = [
        f"{count:.3g} expected {kind} where {least:g} are needed"
        for kind, count in ((rate.event, expected), (rate.other, rows - expected))
        if 0 < count < least
    ]
    fewest, whose = min((rows, name), (others, "what it is held against"))
    if fewest < pair.band.min_rows:
        short.insert(0, f"{fewest} rows of {whose} where {pair.band.min_rows} are needed")
    if not short:
        return None
    return Unmeasurable(
        Absence.INSUFFICIENT_DATA,
        f"the strata of {factor} that have rows of both hold {' and '.join(short)} ({name}: {rows} of "
        f"its {int(every.known.sum())} rows)",
        rows,
        others,
    )
