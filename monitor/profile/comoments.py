"""How numeric fields move together: exact sums over pairs of fields of their normal scores.

A number is not summed as it is but as the normal score of its cell, frozen with the grid: a whole
number of steps from -127 to 127. So an outlier is worth no more than the outermost cell, the unit of
a field and any monotone change of its scale do not matter, and sums are integers, the same to the
bit in whatever order rows come.
"""

from collections.abc import Sequence
from math import prod
from threading import local

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitor.profile.grid import IntArray, ScoreArray
from monitor.special import ndtri

MOST_FIELDS = 64
"""Fields that are counted in pairs: the work grows with the square of their number."""

STEPS = 32
"""Steps to one standard deviation: rounding to them adds less than 1e-4 to a variance of 1."""

LARGEST = 127
"""Of a score, in steps: some four standard deviations."""

NOTHING = -128
"""In place of the score of a row that has no finite number."""

_PIECE_ROWS = 512  # at most 1,024: their products add up below 2^24, which singles hold exactly
_BLOCK_ROWS = 32 * _PIECE_ROWS  # calls are long enough for two threads to work side by side
_ONE_THREAD = (1 << 19) - 1  # multiplications: BLAS would wake its threads for a larger product
_ROWS_TOGETHER = 12  # of a product: as few as kernels are still quick at

_Singles = NDArray[np.float32]
_Doubles = NDArray[np.float64]


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


class CoMoments(Struct):
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

    def add(self, blocks: Sequence[ScoreArray], fields: Sequence[int], rows: int) -> None:
        """Add a batch of rows.

        Args:
            blocks: Scores, each of shape (some of the fields, rows), `NOTHING` where a row has no
                number. They are written over.
            fields: The places of the fields, block by block; the others have no number in any row.
            rows: Rows of the batch.
        """
        if not (rows and fields):
            return
        columns = [column for block in blocks for column in block]
        least = np.concatenate([block.min(axis=1) for block in blocks])
        gaps = np.flatnonzero(least == NOTHING).tolist()
        there = np.empty((len(gaps), rows), np.int8)
        for place, known in zip(gaps, there, strict=True):
            np.not_equal(columns[place], NOTHING, out=known.view(np.bool_))
            columns[place] *= known  # 0 where there is no score
        count = len(fields)
        stack = [*blocks, np.ones((1, rows), np.int8), there]
        products = np.zeros((count, count + 1 + len(gaps)))  # whole numbers, as all that follow
        squares = np.zeros((count, len(gaps)))
        both = np.zeros((len(gaps), len(gaps) + 1))
        for begin in range(0, rows, _BLOCK_ROWS):
            block = _BENCH.lay([part[:, begin : begin + _BLOCK_ROWS] for part in stack])
            laid, present = block[:, :count], block[:, count + 1 :]
            products += _own_products(laid, block)
            if gaps:
                both += _dot(present, block[:, count:])
                squares += _dot(np.square(laid, out=laid), present)
        self._add_sums(fields, rows, gaps, products, squares, both[:, 1:])

    def _add_sums(  # noqa: PLR0917  # the parts of one sum
        self,
        fields: Sequence[int],
        rows: int,
        gaps: Sequence[int],
        products: _Doubles,
        squares_there: _Doubles,
        both: _Doubles,
    ) -> None:
        """Add the sums of some fields of a batch.

        Args:
            fields: Their places.
            rows: Rows of the batch.
            gaps: Which of the fields some of the rows are without.
            products: shape (fields, fields + 1 + gaps): sums of the products of scores, of the
                scores, and of them where a field with gaps has one.
            squares_there: shape (fields, gaps), sums of squares where such a field has a score.
            both: shape (gaps, gaps), rows in which two such fields have one.
        """
        count = len(fields)
        counts, sums, squares = (
            np.repeat(part[:, None], count, axis=1)
            for part in (
                np.full(count, float(rows)),
                products[:, count],
                products.diagonal(),
            )
        )
        if gaps:
            counts[:, gaps] = both.diagonal()
            counts[gaps] = counts[:, gaps].T
            counts[np.ix_(gaps, gaps)] = both
            sums[:, gaps] = products[:, count + 1 :]
            squares[:, gaps] = squares_there
        every = np.ix_(fields, fields)
        self.rows[every] += counts.astype(np.int64)
        self.sums[every] += sums.astype(np.int64)
        self.squares[every] += squares.astype(np.int64)
        self.products[every] += products[:, :count].astype(np.int64)


class _Bench(local):
    """Room for a block of rows, of each thread its own and used again for the next block."""

    def __init__(self) -> None:
        self._room = np.empty(0, np.float32)

    def lay(self, blocks: Sequence[ScoreArray]) -> _Singles:
        """Return the columns of some blocks as singles, piece by piece.

        Args:
            blocks: Each of shape (some columns, rows).

        Returns:
            shape (pieces, columns, rows of a piece), 0 beyond the last row.
        """
        rows = blocks[0].shape[1]
        pieces, left = divmod(rows, _PIECE_ROWS)
        shape = (pieces + (left > 0), sum(map(len, blocks)), _PIECE_ROWS)
        if prod(shape) > len(self._room):
            self._room = np.empty(prod(shape), np.float32)
        laid = self._room[: prod(shape)].reshape(shape)
        if left:
            laid[pieces] = 0
        whole, begin = rows - left, 0
        for block in blocks:
            end = begin + len(block)
            cut = block[:, :whole].reshape(len(block), pieces, _PIECE_ROWS)
            laid[:pieces, begin:end] = cut.transpose(1, 0, 2)
            if left:
                laid[pieces, begin:end, :left] = block[:, whole:]
            begin = end
        return laid


_BENCH = _Bench()


def _own_products(laid: _Singles, block: _Singles) -> _Doubles:
    """Return the sums over all rows of the products of a stack's first columns with all of them.

    Those of two of the first are worked out once for both orders.

    Args:
        laid: shape (pieces, first columns, rows of a piece).
        block: shape (pieces, columns, rows of a piece).

    Returns:
        shape (first columns, columns).
    """
    sums = np.empty((laid.shape[1], block.shape[1]))
    for begin in range(0, len(sums), _ROWS_TOGETHER):
        some = slice(begin, min(begin + _ROWS_TOGETHER, len(sums)))
        sums[some, begin:] = _dot(laid[:, some], block[:, begin:])
        sums[some, :begin] = sums[:begin, some].T
    return sums


def _dot(one: _Singles, other: _Singles) -> _Doubles:
    """Return the sums over all rows of the products of two stacks' columns, exactly.

    Each piece is so short that its sums are whole numbers below 2²⁴, which singles hold exactly.

    Args:
        one: shape (pieces, columns, rows of a piece).
        other: shape (pieces, other columns, rows of a piece).

    Returns:
        shape (columns, other columns).
    """
    # Not of all columns with themselves: BLAS is slower at symmetric products.
    few = max(1, _ONE_THREAD // (_PIECE_ROWS * max(1, one.shape[1])))
    sums = np.empty((one.shape[1], other.shape[1]))
    for begin in range(0, other.shape[1], few):
        columns = slice(begin, begin + few)
        pieces = np.matmul(one, other[:, columns].transpose(0, 2, 1))
        np.sum(pieces, axis=0, dtype=np.float64, out=sums[:, columns])
    return sums
