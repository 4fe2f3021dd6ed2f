"""Share of each group that scores above the median of all."""

import numpy as np

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import Counts, Harm, Rate
from monitor.measures.group_scores import ScoresOfGroups
from monitor.measures.measure import GroupPair
from monitor.profile.grid import IntArray


class ScoringRate(Rate, frozen=True):
    """A share of the rows with a finite score, from their cells rather than from decisions and labels.

    It counts rows that score above the cell in which the median of all rows of the window lies, those
    of unknown membership too. Rows of that cell are ties, and not counted: of a score of few values
    that is LL144's "above the sample's median" to the row, of a continuous one fewer than half of all
    are counted by at most the rows of one cell, which the reading names.
    """

    @property
    def labels(self) -> bool:
        """Return False: it rests on scores only."""
        return False

    def counted(self, pair: GroupPair, *, then: bool = False) -> Counts:
        """Return the rows above the median and the rows with a score; none where scores were not counted."""
        table = pair.reference if then else pair.current
        scores = pair.scores_then if then else pair.scores
        every = np.asarray(table.sum(axis=(1, 2)), np.int64)
        if scores is None:
            nothing = np.zeros_like(every)
            return Counts(self, nothing, nothing, every, nothing)
        cells = scores.rows.sum(axis=(1, 2))
        above = cells[:, median_cell(scores) + 1 :].sum(axis=1)
        return Counts(self, above, np.asarray(cells.sum(axis=1)), every, np.zeros_like(every))

    def unknown(self, pair: GroupPair) -> tuple[int, int] | None:
        """Return the same of the rows of unknown membership."""
        if pair.scores is None:
            return None
        cells = pair.scores.unassigned.sum(axis=(0, 1))
        return int(cells[median_cell(pair.scores) + 1 :].sum()), int(cells.sum())

    def unavailable(self, pair: GroupPair) -> str:
        """Return that scores were not counted by group, if so."""
        if pair.scores is not None:
            return ""
        return "scores were not counted by group when the window was profiled"


def median_cell(scores: ScoresOfGroups) -> int:
    """Return the cell that holds the lower median of all rows; the first without rows."""
    below: IntArray = np.cumsum(scores.every)
    return int(np.searchsorted(below, (int(below[-1]) + 1) // 2))


RATE = ScoringRate(
    id="scoring_rate",
    title="share of scores above the median",
    event="scores above the median",
    other="scores up to the median",
    among="a finite score",
    numerator=frozenset(),
    denominator=frozenset(),
    harm={Effect.FAVOURABLE: Harm.LOW, Effect.HARMFUL: Harm.HIGH},
    source="6 RCNY 5-301 (2023)",
)
"""High scores are taken to lead to positive decisions."""

MEASURES = measures_of(RATE)
