"""What a statistic returns: a number with its interval, or the reason why there is none."""

from collections.abc import Mapping
from enum import StrEnum
from math import isfinite

from msgspec import Struct, field


class Estimate(Struct, frozen=True):
    """A finite number with its interval, method and sample sizes.

    Attributes:
        value: The number, in the measure's unit; never NaN, never infinite.
        n: Rows of the window that it rests on.
        n_reference: Rows of the baseline or of the reference group that it rests on.
        low: Lower end of the interval at ``level``; None when the measure has none.
        high: Upper end; None when the measure has none or it is unbounded above.
        level: Confidence level of the interval.
        method: How value and interval were made, for instance ``koopman score``.
        then: The quantity in the baseline (or the reference group), where it has one.
        now: The quantity in the window (or the group), where it has one.
        p_value: Of the measure's own test, unadjusted; None when it has none.
        p_adjusted: The same after adjustment within its family of comparisons.
        family_low: Lower end of the interval that holds jointly over its family.
        family_high: Upper end of the joint interval.
        detail: Further finite numbers by name (degrees of freedom, effective n, …).
        note: What it is the number of, where the subject does not say it (the pair of fields that
            changed most); "" otherwise.
    """

    value: float
    n: int
    n_reference: int = 0
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    then: float | None = None
    now: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    family_low: float | None = None
    family_high: float | None = None
    detail: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a number that is none: the caller owes an `Unmeasurable` instead."""
        numbers = (
            self.value,
            self.low,
            self.high,
            self.then,
            self.now,
            self.p_value,
            self.p_adjusted,
            self.family_low,
            self.family_high,
            *self.detail.values(),
        )
        if any(number is not None and not isfinite(number) for number in numbers):
            raise ValueError(f"an Estimate holds finite numbers only: {self}")


class Absence(StrEnum):
    """Why there is no number."""

    NO_DATA = "no_data"
    """The window, the column or the group has no rows."""
    INSUFFICIENT_DATA = "insufficient_data"
    """There are rows, but too few for this measure."""
    UNDEFINED = "undefined"
    """The quantity does not exist for these data (0/0, one class only, a single group)."""
    MISSING_COLUMN = "missing_column"
    """The log does not have the column."""
    NO_LABELS = "no_labels"
    """Labels have not arrived, or none are configured."""
    NO_BASELINE = "no_baseline"
    """Nothing registered to compare with."""
    REFERENCE_UNAVAILABLE = "reference_unavailable"
    """The reference group is absent or too small, or no reference can be made of stored windows."""
    LEFT_OUT = "left_out"
    """The policy leaves the group out of comparisons, and says why."""


class Unmeasurable(Struct, frozen=True):
    """Why there is no number, in a word for machines and a sentence for people."""

    reason: Absence
    explanation: str
    n: int = 0
    n_reference: int = 0


Result = Estimate | Unmeasurable
