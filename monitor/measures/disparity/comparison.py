"""Each group of a population against its reference group: who can be compared, and how sure it is."""

from dataclasses import dataclass

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.limit import Band
from monitor.measures.measure import GroupPair
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.profile.grid import FloatArray, IntArray
from monitor.uncertainty.multiplicity import holm
from monitor.uncertainty.two_sample import same_proportion

LEVEL = 0.95
"""Of the intervals that hold for one group by itself."""


@dataclass(frozen=True)
class Decisions:
    """Decisions of every group.

    Attributes:
        positive: shape (groups,), rows with a positive decision.
        known: shape (groups,), rows whose decision is known.
    """

    positive: IntArray
    known: IntArray

    @classmethod
    def of(cls, table: IntArray) -> "Decisions":
        """Return the decisions in a table of groups × decisions × labels."""
        rows = table.sum(axis=2)
        return cls(rows[:, POSITIVE], rows[:, NEGATIVE] + rows[:, POSITIVE])

    @property
    def pooled(self) -> float:
        """Return the share of positive decisions over all groups; 0 without rows."""
        known = int(self.known.sum())
        return int(self.positive.sum()) / known if known else 0.0

    def too_small(self, group: int, name: str, band: Band) -> Unmeasurable | None:
        """Return why a group cannot be compared, or None when it is large enough.

        It takes ``band.min_rows`` rows, and ``band.min_expected`` expected decisions of either kind
        at the pooled rate. A kind that no group at all received is not asked for.
        """
        rows, positive = int(self.known[group]), int(self.positive[group])
        if rows == 0:
            return Unmeasurable(Absence.NO_DATA, f"no row of {name} has a known decision")
        expected = rows * self.pooled
        short = [
            f"{count:.3g} expected {kind} decisions where {band.min_expected:g} are needed"
            for kind, count in (("positive", expected), ("negative", rows - expected))
            if 0 < count < band.min_expected
        ]
        if rows < band.min_rows:
            short.insert(0, f"{rows} rows where {band.min_rows} are needed")
        if not short:
            return None
        return Unmeasurable(
            Absence.INSUFFICIENT_DATA,
            f"{name} ({positive} positive of {rows}) has " + " and ".join(short),
            rows,
        )


@dataclass(frozen=True)
class Comparison:
    """The groups that can be held against the reference group, tested as one family.

    All arrays have the shape (compared groups,).

    Attributes:
        groups: Indices of the groups that can be compared.
        positive: Positive decisions of each.
        known: Known decisions of each.
        reference_positive: Positive decisions of the reference group.
        reference_known: Known decisions of the reference group.
        p_value: Of equal rates, Fisher's or z.
        p_adjusted: The same after Holm over the compared groups.
        sd: The difference of the rates in pooled standard errors.
    """

    groups: IntArray
    positive: IntArray
    known: IntArray
    reference_positive: int
    reference_known: int
    p_value: FloatArray
    p_adjusted: FloatArray
    sd: FloatArray

    @property
    def expected(self) -> FloatArray:
        """Return each group's positive decisions at the rate that it and the reference pool."""
        pooled = (self.positive + self.reference_positive) / (self.known + self.reference_known)
        return self.known * pooled

    def detail(self, place: int) -> dict[str, float]:
        """Return what the comparisons of one group have in common.

        ``sd``; ``positive`` and ``expected`` decisions; ``shortfall``, the positive decisions that
        are missing to the pooled rate (below 0: those in excess).
        """
        expected, positive = float(self.expected[place]), int(self.positive[place])
        return {
            "sd": float(self.sd[place]),
            "positive": positive,
            "expected": expected,
            "shortfall": expected - positive,
        }


def compare(pair: GroupPair) -> tuple[Comparison, dict[str, Unmeasurable]]:
    """Return the comparisons that can be made now, and why the others cannot, by group.

    The reference group itself is in neither, unless it is the only group: then there is nothing
    to compare, and it says so.
    """
    now, reference = Decisions.of(pair.current), pair.reference_group
    reasons: dict[str, Unmeasurable] = {}
    able: list[int] = []
    others = [group for group in range(len(pair.groups)) if group != reference]
    if not others:
        only = pair.groups[reference]
        rows = int(now.known[reference])
        reasons[only] = Unmeasurable(
            Absence.UNDEFINED, f"{only} is the only group: there is none to hold it against", rows
        )
    unavailable = now.too_small(reference, pair.groups[reference], pair.band)
    for group in others:
        name, rows = pair.groups[group], int(now.known[group])
        if rows and unavailable is not None:
            reasons[name] = Unmeasurable(
                Absence.REFERENCE_UNAVAILABLE,
                f"the reference group cannot be used: {unavailable.explanation}",
                rows,
                unavailable.n,
            )
        elif (small := now.too_small(group, name, pair.band)) is not None:
            reasons[name] = small
        else:
            able.append(group)
    return _compared(now, np.array(able, np.int64), reference), reasons


def _compared(now: Decisions, groups: IntArray, reference: int) -> Comparison:
    positive, known = now.positive[groups], now.known[groups]
    reference_positive, reference_known = int(now.positive[reference]), int(now.known[reference])
    nothing = np.zeros(0)
    p_value, p_adjusted, sd = nothing, nothing, nothing
    if len(groups):
        test = same_proportion(positive, known, reference_positive, reference_known)
        p_value, sd, p_adjusted = test.p_value, test.z, holm(test.p_value)
    return Comparison(
        groups, positive, known, reference_positive, reference_known, p_value, p_adjusted, sd
    )
