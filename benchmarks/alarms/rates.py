"""Shares of runs, with how many runs they rest on."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from monitor.uncertainty.proportion import wilson


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    hits: int
    runs: int

    @classmethod
    def of(cls, outcomes: Iterable[bool]) -> "Rate":
        """Return how many of the outcomes are true."""
        every = list(outcomes)
        return cls(sum(every), len(every))

    @property
    def share(self) -> float:
        """Return the share, 0 to 1."""
        return self.hits / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % Wilson interval."""
        ends = wilson(self.hits, self.runs)
        return float(ends.low), float(ends.high)

    def __str__(self) -> str:
        """Return the share, its interval and the runs, for a table."""
        low, high = self.interval
        bounds = f"{percent(low)}–{percent(high)}".replace(" %", "")
        return f"{percent(self.share)} ({bounds}; {self.runs:,})"


def percent(share: float) -> str:
    """Return a share as people write it: no digits that the number does not have."""
    size = 100 * share
    return f"{size:.0f} %" if size == 0 or size >= 9.95 else f"{size:.1f} %"


@dataclass(frozen=True)
class Delays:
    """Windows until an alarm, the first changed one being number 1.

    Attributes:
        found: The delay of each run whose change was found.
        runs: All runs.
        watched: The windows that were looked at after the change.
    """

    found: tuple[int, ...]
    runs: int
    watched: int

    def __str__(self) -> str:
        """Return the median delay and the share found, for a table."""
        rate = Rate(len(self.found), self.runs)
        if 2 * len(self.found) < self.runs:
            return f"not found within {self.watched} in most ({percent(rate.share)}; {self.runs})"
        missed = self.runs - len(self.found)
        middle = median([*self.found, *[self.watched + 1] * missed])
        return f"{middle:g} ({percent(rate.share)} within {self.watched}; {self.runs})"
