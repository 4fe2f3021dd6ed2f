"""What a rate of a group is: which rows it counts among which, and which side of it harms."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from msgspec import Struct

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Effect, ObservedWhen
from monitor.domain.limit import Band
from monitor.measures.measure import GroupPair
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.profile.grid import IntArray

Cells = frozenset[tuple[int, int]]
"""Cells of a table of decisions × labels."""

LEVEL = 0.95
"""Of the intervals that hold for one group by itself."""


class Harm(StrEnum):
    """Which side of a rate harms the group that has it."""

    LOW = "low"
    HIGH = "high"
    EITHER = "either"
    """Each side can be said to harm: neither is let pass."""


def side_of(harm: Mapping[Effect, Harm], effect: Effect | None) -> Harm:
    """Return the side that harms a group.

    Args:
        harm: The side, by what a positive decision does to a person.
        effect: What it does; None for a model without decisions, where either side may harm unless
            it is the same one whatever a decision would do.
    """
    if effect is not None:
        return harm[effect]
    sides = set(harm.values())
    return sides.pop() if len(sides) == 1 else Harm.EITHER


def cells(decisions: tuple[int, ...], labels: tuple[int, ...]) -> Cells:
    """Return the cells of some decisions and some labels."""
    return frozenset((decision, label) for decision in decisions for label in labels)


DECIDED = NEGATIVE, POSITIVE
LABELLED = NEGATIVE, POSITIVE
ANY_LABEL = NEGATIVE, POSITIVE, UNKNOWN
ANY_DECISION = NEGATIVE, POSITIVE, UNKNOWN


class Rate(Struct, frozen=True):
    """A share of a group's rows, from its counts by decision and label.

    Attributes:
        id: Name of the metric; its ratio, difference and change are called after it.
        title: A few words for tables.
        event: What it counts, in the plural.
        other: What it counts besides, in the denominator only.
        among: What a row has that is in the denominator.
        numerator: Cells that it counts.
        denominator: Cells that it counts among; they hold the numerator's.
        harm: Which side harms a group, by what a positive decision does to a person.
        source: Where the definition comes from.
    """

    id: str
    title: str
    event: str
    other: str
    among: str
    numerator: Cells
    denominator: Cells
    harm: Mapping[Effect, Harm]
    source: str

    @property
    def labels(self) -> bool:
        """Return whether it rests on labels."""
        return all(label != UNKNOWN for _, label in self.denominator)

    def count(self, table: IntArray) -> tuple[IntArray, IntArray]:
        """Return the rows counted, and the rows that they are counted among.

        Args:
            table: shape (…, 3 decisions, 3 labels), rows.

        Returns:
            Two arrays of shape (…).
        """
        return _sum(table, self.numerator), _sum(table, self.denominator)

    def counted(self, pair: GroupPair, *, then: bool = False) -> "Counts":
        """Return the counts of each group in the window, or in the baseline."""
        return Counts.of(pair.reference if then else pair.current, self)

    def unknown(self, pair: GroupPair) -> tuple[int, int] | None:
        """Return the same of the window's rows of unknown membership; None where nobody counted them."""
        if pair.unassigned is None:
            return None
        events, rows = self.count(pair.unassigned)
        return int(events), int(rows)

    def unavailable(self, pair: GroupPair) -> str:
        """Return why no group has the rate, whatever was counted; "" if it can be taken."""
        return self.not_observed(pair.observed)

    def not_observed(self, observed: ObservedWhen | None) -> str:
        """Return why a rate cannot be taken where labels follow one decision only; "" if it can.

        Of the other decision's rows no label will ever be known: what counts among them would be
        of the few that are known by chance or error.
        """
        if observed is None or not self.labels:
            return ""
        unseen = NEGATIVE if observed is ObservedWhen.POSITIVE else POSITIVE
        if all(decision != unseen for decision, _ in self.denominator):
            return ""
        return (
            f"labels are observed after {observed} decisions only: the {self.title} counts rows "
            "of the other decision, whose labels nobody sees"
        )


def _sum(table: IntArray, of: Cells) -> IntArray:
    total = np.zeros(table.shape[:-2], np.int64)
    for decision, label in sorted(of):
        total += table[..., decision, label]
    return total


class Counts(Struct, frozen=True):
    """A rate's counts of every group of a population.

    Attributes:
        rate: What is counted.
        events: shape (groups,), rows counted.
        rows: shape (groups,), rows that they are counted among.
        every: shape (groups,), all rows, whatever is known of them.
        labelled: shape (groups,), rows with a known label.
    """

    rate: Rate
    events: IntArray
    rows: IntArray
    every: IntArray
    labelled: IntArray

    @classmethod
    def of(cls, table: IntArray, rate: Rate) -> "Counts":
        """Return the counts in a table of groups × decisions × labels."""
        every = np.asarray(table.sum(axis=(-2, -1)), np.int64)
        labelled = np.asarray(table[..., list(LABELLED)].sum(axis=(-2, -1)), np.int64)
        return cls(rate, *rate.count(table), every, labelled)

    def rest(self) -> "Counts":
        """Return, for each group, the counts of all others together."""
        parts = self.events, self.rows, self.every, self.labelled
        return Counts(self.rate, *(np.asarray(part.sum() - part, np.int64) for part in parts))

    @property
    def pooled(self) -> float:
        """Return the rate over all groups; 0 without rows."""
        rows = int(self.rows.sum())
        return int(self.events.sum()) / rows if rows else 0.0

    def missing(self, group: int, name: str) -> Unmeasurable | None:
        """Return why a group has no rate at all, or None when it has rows to count among."""
        if self.rows[group]:
            return None
        if not self.every[group]:
            return Unmeasurable(Absence.NO_DATA, f"{name} has no rows")
        if self.rate.labels and not self.labelled[group]:
            every = int(self.every[group])
            return Unmeasurable(
                Absence.NO_LABELS, f"none of the {every} rows of {name} has a label"
            )
        reason = Absence.UNDEFINED if self.rate.labels else Absence.NO_DATA
        return Unmeasurable(reason, f"no row of {name} has {self.rate.among}")

    def too_small(self, group: int, name: str, band: Band) -> Unmeasurable | None:
        """Return why a group cannot be compared, or None when it is large enough.

        It takes ``band.min_rows`` rows in the rate's own denominator, and ``band.min_expected``
        expected rows of either kind at the pooled rate. A kind that no group at all has is not
        asked for.
        """
        if (missing := self.missing(group, name)) is not None:
            return missing
        rows, events = int(self.rows[group]), int(self.events[group])
        expected = rows * self.pooled
        short = [
            f"{count:.3g} expected {kind} where {band.min_expected:g} are needed"
            for kind, count in ((self.rate.event, expected), (self.rate.other, rows - expected))
            if 0 < count < band.min_expected
        ]
        if rows < band.min_rows:
            short.insert(0, f"{rows} rows where {band.min_rows} are needed")
        if not short:
            return None
        return Unmeasurable(
            Absence.INSUFFICIENT_DATA,
            f"{name} ({events} {self.rate.event} of {rows}) has " + " and ".join(short),
            rows,
        )
