"""How numeric fields move together: exact sums over pairs of fields of their normal scores.

A number is not summed as it is but as the normal score of its cell, frozen with the grid: a whole
number of steps from -127 to 127. So an outlier is worth no more than the outermost cell, the unit of
a field and any monotone change of its scale do not matter, and sums are integers, the same to the
bit in whatever order rows come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from monitor.profile.grid import IntArray, ScoreArray

MOST_FIELDS = 64
"""Fields that are counted in pairs: the work grows with the square of their number."""

STEPS = 32
"""Steps to one standard deviation: rounding to them adds less than 1e-4 to a variance of 1."""

LARGEST = 127
"""Of a score, in steps: some four standard deviations."""

NOTHING = -128
"""In place of the score of a row that has no finite number."""

_BLOCK_ROWS = 4096
_PIECE_ROWS = 256  # at most 1,024: their products add up below 2^24, which singles hold exactly
_ONE_THREAD = 1 << 18  # multiplications: BLAS would wake its threads for a larger product

_Singles = NDArray[np.float32]


def normal_scores(rows: IntArray) -> ScoreArray:
    """Return the normal score of each cell: the normal quantile of its middle rank.

    ``Φ⁻¹((rows below + half of the rows within) / all rows)`` in steps of ``1 / STEPS``, at most
    `LARGEST` of them; cells beyond all rows are at half a row from the end. 0 everywhere without
    rows.

    Args:
        rows: shape (cells,), rows of the baseline in each cell.

    Source:
        B. L. van der Waerden (1952), Indagationes Mathematicae 14, 453-458.
    """
    total = int(rows.sum())
    if not total:
        return np.zeros(len(rows), np.int8)
    middle = np.cumsum(rows) - rows / 2
    ranks = np.clip(middle / total, 0.5 / total, 1 - 0.5 / total)
    return np.clip(np.rint(ndtri(ranks) * STEPS), -LARGEST, LARGEST).astype(np.int8)


@dataclass(slots=True)
class CoMoments:
    """Sums of the scores of pairs of fields, over the rows in which both have a number.

    Every row counts for the pairs that it is complete for, so one field that is often missing
    costs the others nothing. Fields are in the order of the grid's ``scores``.

    Attributes:
        rows: shape (fields, fields), rows in which both fields have a finite number; symmetric.
        sums: shape (fields, fields), sums of the first field's scores over these rows.
        squares: shape (fields, fields), sums of their squares.
        products: shape (fields, fields), sums of the products of both scores; symmetric.
    """

    rows: IntArray
    sums: IntArray
    squares: IntArray
    products: IntArray

    @classmethod
    def empty(cls, fields: int) -> "CoMoments":
        """Return the sums of no rows."""
        rows, sums, squares, products = np.zeros((4, fields, fields), np.int64)
        return cls(rows, sums, squares, products)

    @property
    def fields(self) -> int:
        """Return the number of fields."""
        return len(self.rows)

    def merge(self, other: "CoMoments") -> None:
        """Add the sums of other rows on the same grid."""
        self.rows += other.rows
        self.sums += other.sums
        self.squares += other.squares
        self.products += other.products

    def add(self, scores: Sequence[ScoreArray | None], rows: int) -> None:
        """Add a batch of rows.

        Args:
            scores: Of each field, shape (rows,), `NOTHING` where a row has no number; None where
                none has one.
            rows: Rows of the batch.
        """
        bench = _Bench(self.fields)
        for begin in range(0, rows, _BLOCK_ROWS):
            size = min(_BLOCK_ROWS, rows - begin)
            for place, column in enumerate(scores):
                bench.lay(place, None if column is None else column[begin : begin + size])
            self._add_block(bench, size)

    def _add_block(self, bench: "_Bench", rows: int) -> None:
        """Add the block of rows that lies on the bench."""
        gaps = bench.spread(rows)
        every = _dot(bench.scores, bench.scores_and_ones)  # BLAS is slower at symmetric products
        self.products += every[:, :-1]
        counts, sums, squares = (
            np.repeat(part[:, None], self.fields, axis=1)
            for part in (np.full(self.fields, rows), every[:, -1], every.diagonal())
        )
        if len(gaps):
            there = bench.there(gaps)
            both = _dot(there, there)
            counts[:, gaps] = both.diagonal()
            counts[gaps] = counts[:, gaps].T
            counts[np.ix_(gaps, gaps)] = both
            sums[:, gaps] = _dot(bench.scores, there)
            np.square(bench.scores, out=bench.scores)
            squares[:, gaps] = _dot(bench.scores, there)
        self.rows += counts
        self.sums += sums
        self.squares += squares


class _Bench:
    """Room for a block of rows, used again for the next.

    Attributes:
        scores_and_ones: shape (pieces, fields + 1, rows of a piece): scores, 0 where there is
            none, and a row of ones.
        scores: Those without the ones.
    """

    def __init__(self, fields: int) -> None:
        pieces = _BLOCK_ROWS // _PIECE_ROWS
        self._steps = np.empty((fields, _BLOCK_ROWS), np.int8)
        self._there = np.empty((fields, _BLOCK_ROWS), np.bool_)
        self.scores_and_ones = np.ones((pieces, fields + 1, _PIECE_ROWS), np.float32)
        self.scores = self.scores_and_ones[:, :-1]

    def lay(self, place: int, scores: ScoreArray | None) -> None:
        """Lay the scores of a field on the bench; there are none beyond its rows."""
        rows = 0 if scores is None else len(scores)
        if scores is not None:
            self._steps[place, :rows] = scores
        self._steps[place, rows:] = NOTHING

    def spread(self, rows: int) -> IntArray:
        """Make singles of what lies on the bench; return the fields that some rows are without."""
        np.not_equal(self._steps, NOTHING, out=self._there)
        np.multiply(self._steps, self._there.view(np.int8), out=self._steps)
        np.copyto(self.scores, self._by_piece(self._steps))
        return np.flatnonzero(~self._there[:, :rows].all(axis=1))

    def there(self, fields: IntArray) -> _Singles:
        """Return 1 where some fields have a score, else 0: shape (pieces, fields, rows of one)."""
        return self._by_piece(self._there[fields]).astype(np.float32)

    @staticmethod
    def _by_piece(laid: NDArray[Any]) -> NDArray[Any]:
        return laid.reshape(len(laid), _BLOCK_ROWS // _PIECE_ROWS, _PIECE_ROWS).transpose(1, 0, 2)


def _dot(one: _Singles, other: _Singles) -> IntArray:
    """Return the sums over all rows of the products of two stacks' fields, exactly.

    Each piece is so short that its sums are whole numbers below 2²⁴, which singles hold exactly.

    Args:
        one: shape (pieces, fields, rows of a piece).
        other: shape (pieces, other fields, rows of a piece).

    Returns:
        shape (fields, other fields).
    """
    few = max(1, _ONE_THREAD // (_PIECE_ROWS * one.shape[1]))
    parts = []
    for begin in range(0, other.shape[1], few):
        pieces = np.matmul(one, other[:, begin : begin + few].transpose(0, 2, 1))
        parts.append(pieces.sum(axis=0, dtype=np.float64))
    return np.asarray(np.concatenate(parts, axis=1).astype(np.int64))
