"""Groups whose true rates are known: equal ones, and ones that differ by a known ratio."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.profile.grid import IntArray

RACES = (797, 408, 390, 119, 616, 41, 213)
"""Applicants by race in the worked example of the rules of New York City's Local Law 144."""

INTERSECTIONS = (412, 205, 226, 87, 321, 24, 115, 385, 190, 164, 32, 295, 17, 98)
"""The same by race and sex."""


@dataclass(frozen=True)
class Scenario:
    """Groups, the first of which is the one that others are held against.

    Attributes:
        told: What is drawn, in words.
        rows: Rows of each group in a window.
        rate: True rate of the reference group.
        ratio: True rate of the last group over it; every other group has the reference's rate.
        promise: Largest share of windows that may alarm, or smallest that must.
    """

    told: str
    rows: tuple[int, ...]
    rate: float
    ratio: float = 1.0
    promise: float = 0.05

    @property
    def null(self) -> bool:
        """Return whether nothing is there to be found."""
        return self.ratio > 0.8  # within the four-fifths benchmark

    def draw(self, windows: int, seed: int) -> IntArray:
        """Return positive decisions, shape (windows, groups)."""
        rates = np.full(len(self.rows), self.rate)
        rates[-1] *= self.ratio
        rng = np.random.default_rng([seed, *self.rows, round(1000 * self.rate * self.ratio)])
        return rng.binomial(self.rows, rates, (windows, len(self.rows)))


NULL = (
    Scenario("two groups of 1,000", (1000, 1000), 0.2),
    Scenario("7 groups, the sizes of LL144's races", RACES, 0.5),
    Scenario("14 groups, the sizes of LL144's crossings", INTERSECTIONS, 0.5),
    Scenario("2,000 / 200 / 50 / 20 / 10", (2000, 200, 50, 20, 10), 0.2),
    Scenario("20,000 / 2,000 / 500 / 200, a rare outcome", (20000, 2000, 500, 200), 0.03),
    Scenario("20,000 and 20,000, inside the band", (20000, 20000), 0.3, 0.85),
)
"""Windows in which no group is treated beyond the band."""

FOUND = (
    Scenario("2,000 and 200", (2000, 200), 0.3, 0.6, 0.9),
    Scenario("10,000 and 1,000", (10000, 1000), 0.2, 0.7, 0.9),
    Scenario("500 and 50", (500, 50), 0.3, 0.5, 0.0),
)
"""Windows in which the last group is; the last of them is there to tell what few rows can show."""


@dataclass(frozen=True)
class Change:
    """A baseline and a window of two groups.

    Attributes:
        told: What is drawn, in words.
        before: Rows of the two groups in the baseline.
        now: Rows of the two groups in the window.
        rate: True rate of the reference group, then and now.
        ratios: True ratio of the other group's rate to it, then and now.
    """

    told: str
    before: tuple[int, int]
    now: tuple[int, int]
    rate: float
    ratios: tuple[float, float] = (1.0, 1.0)

    def draw(self, windows: int, seed: int) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
        """Yield the positive decisions of a baseline and of a window, so many times."""
        rng = np.random.default_rng([seed, *self.before, *self.now, round(1000 * self.ratios[1])])
        for _ in range(windows):
            yield (
                rng.binomial(self.before, (self.rate, self.rate * self.ratios[0])).tolist(),
                rng.binomial(self.now, (self.rate, self.rate * self.ratios[1])).tolist(),
            )


CHANGES = (
    Change("1,000 / 100, then and now; nothing changed", (1000, 100), (1000, 100), 0.2),
    Change("20,000 / 2,000, then 1,000 / 100; nothing changed", (20000, 2000), (1000, 100), 0.2),
    Change("5,000 / 500 of a rare outcome; nothing changed", (5000, 500), (5000, 500), 0.03),
    Change(
        "5,000 / 500, then and now; nothing changed, the ratio is 0.7",
        (5000, 500),
        (5000, 500),
        0.2,
        (0.7, 0.7),
    ),
    Change(
        "5,000 / 500; the ratio fell from 0.8 to 0.6", (5000, 500), (5000, 500), 0.2, (0.8, 0.6)
    ),
    Change(
        "50,000 / 5,000; the ratio fell from 0.8 to 0.6",
        (50000, 5000),
        (50000, 5000),
        0.2,
        (0.8, 0.6),
    ),
)
"""Baselines and windows, in most of which nothing changed."""
