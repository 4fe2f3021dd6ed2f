"""Bounds that the model owner sets, in each measure's own unit."""

from enum import StrEnum

from msgspec import Struct


class Limit(Struct, frozen=True):
    """A tolerated size of a measure.

    A reading is beyond a bound when a test says that the truth is, or for a measure without a test
    when its whole interval is: a small window, whose interval is wide, does not alarm on noise. A
    measure without an interval is judged on its value.

    Attributes:
        warning: Beyond this the finding is a warning; None for never.
        critical: Beyond this it is critical; None for never.
        min_rows: Fewer rows than this in the window, or in the baseline, give ``unknown``.
    """

    warning: float | None
    critical: float | None
    min_rows: int = 50

    @property
    def bounds(self) -> bool:
        """Return whether there is a bound at all."""
        return self.warning is not None or self.critical is not None


class Band(Struct, frozen=True):
    """The tolerated band of what sets two groups apart: by default of the ratio of their rates.

    Only the side that harms the group is judged: a rate of a harmful decision that is too high, a
    rate of a favourable one that is too low.

    Attributes:
        low: Lower bound, in the measure's unit (of a ratio the four-fifths benchmark by default).
        high: Upper bound.
        min_difference: A difference in rates smaller than this is never beyond the band.
        alpha: Family-wise error of the tests over the groups of one population.
        min_rows: Fewer rows than this in a group give ``insufficient_data``.
        min_expected: Fewer expected outcomes of either kind than this in a group give the same.
    """

    low: float = 0.8
    high: float = 1.25
    min_difference: float = 0.01
    alpha: float = 0.05
    min_rows: int = 30
    min_expected: float = 5.0


class HeldAgainst(StrEnum):
    """What the groups of a population are held against where it names no reference group."""

    LARGEST = "largest"
    """The group with most decisions in the registered baseline, for as long as that stands."""
    REST = "rest"
    """All other groups of known membership together."""
    BEST_OFF = "best_off"
    """The group that fares best in the window: the highest rate, the lowest where a high one
    harms. It may be another one in the next window."""
