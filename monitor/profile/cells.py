"""Finding the cell of each number without comparing it with every edge.

A number is moved to the scale of its field, ``(number - center) / scale``, and rounded to a single.
Neither step changes the order of two numbers, it can only make them equal. So the leading bits of
the single, which sort it into one of `BUCKETS` buckets, tell of any number how many edges lie in
buckets below its own: the least cell that it can be in. Where edges share the bucket, a comparison or
two with them settle the rest. The result is that of a binary search, to the last bit, and takes
a tenth of its time on any processor, because it needs no vectorised sort.
"""

from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]

_BITS = 18
"""Sign, exponent and nine bits of the mantissa: 512 buckets between a power of two and the next."""

BUCKETS = 1 << _BITS
_HALF = BUCKETS // 2
_CROWDED = np.iinfo(np.int16).min
_FEW = 8
"""Of so many numbers one may lie near an edge, and only such are compared with edges; else all are."""


class Room(local):
    """Memory for a block of numbers, of each thread its own and used again for the next block.

    Memory that is new to a process costs more than all that is done in it here; and the calls that
    write to given memory are as long as the block, in which another thread can go on.

    Attributes:
        rows: Numbers that there is room for.
        singles: shape (rows,), and the four below.
        least: Cells as they stand in a table.
        cells: Cells.
        standard: Numbers on the scale of their field.
        edges: Edges that numbers are compared with.
        above: Whether they are above them.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._make(0)

    def take(self, rows: int) -> None:
        """Make sure that there is room for so many numbers."""
        if rows > self.rows:
            self._make(rows)

    def _make(self, rows: int) -> None:
        self.rows = rows
        self.singles = np.empty(rows, np.float32)
        self.least = np.empty(rows, np.int16)
        self.cells = np.empty(rows, np.intp)
        self.standard = np.empty(rows)
        self.edges = np.empty(rows)
        self.above = np.empty(rows, np.bool_)


class CellTable:
    """The cells of a numeric grid, found by table.

    Args:
        edges: shape (k,), strictly increasing, finite.
        center: What lies in the middle of the finest buckets.
        scale: Their unit; positive.
        comparisons: Edges of one bucket that every number is compared with; numbers in a bucket
            with more edges are searched for.
    """

    def __init__(self, edges: _Floats, center: float, scale: float, comparisons: int) -> None:
        self._edges = edges
        self._center = center
        self._scale = scale
        self._above = np.append(edges, np.inf)
        room = Room()
        room.take(len(edges))
        _, buckets = self._placed(edges, room)
        ranks = _ranks(buckets.astype(np.int64))
        begins = np.flatnonzero(np.diff(ranks, prepend=-1))  # edges that are the first of theirs
        held = np.diff(begins, append=len(ranks))
        runs = np.diff(ranks, prepend=-1, append=BUCKETS - 1)  # buckets above as many edges
        least = np.repeat(np.arange(len(runs), dtype=np.int16), runs)
        shared = ranks[begins]  # buckets with edges
        least[shared] = ~least[shared]
        least[shared[held > comparisons]] = _CROWDED
        least[_HALF - 1] = least[_HALF]  # minus zero and zero
        self._crowded = bool((held > comparisons).any())
        self._comparisons = min(comparisons, int(held.max(initial=0)))
        self._least = np.concatenate([least[_HALF:], least[_HALF - 1 :: -1]])

    def cells(self, numbers: _Floats, room: Room | None = None) -> tuple[_Integers, _Floats]:
        """Return each number's cell, and the numbers on the scale of the field.

        Args:
            numbers: shape (rows,), finite.
            room: Where the result is, until it is used again; None for memory of its own.

        Returns:
            ``searchsorted(edges, numbers, side="right")``, and ``(numbers - center) / scale``,
            which is infinite where that is beyond the largest double.
        """
        room = room or Room()
        rows = len(numbers)
        room.take(rows)
        standard, buckets = self._placed(numbers, room)
        # With "wrap" the results are written where they belong, soonest; no bucket is beyond the table.
        least = self._least.take(buckets, out=room.least[:rows], mode="wrap")
        cells = room.cells[:rows]
        near = np.less(least, 0, out=room.above[:rows])
        some = int(np.count_nonzero(near))
        if some * _FEW > rows:
            self._settle_all(numbers, least, cells, room)
        else:
            np.copyto(cells, least)
            if some:
                self._settle(numbers, least, cells, np.flatnonzero(near))
        return cells, standard

    def _settle(
        self, numbers: _Floats, least: NDArray[np.int16], cells: _Integers, rows: _Integers
    ) -> None:
        """Compare some of the numbers with the edges of their buckets."""
        numbers, least = numbers[rows], least[rows]
        found = np.invert(least).astype(np.intp)
        if self._crowded and (crowded := least == _CROWDED).any():
            found[crowded] = np.searchsorted(self._edges, numbers[crowded], side="right")
        for _ in range(self._comparisons):
            found += numbers >= self._above.take(found)
        cells[rows] = found

    def _settle_all(
        self, numbers: _Floats, least: NDArray[np.int16], cells: _Integers, room: Room
    ) -> None:
        """Compare all numbers with the edges at the end of their cells."""
        edges, above = room.edges[: len(numbers)], room.above[: len(numbers)]
        crowded = np.flatnonzero(least == _CROWDED) if self._crowded else ()
        np.bitwise_xor(least, least >> 15, out=least)  # those below zero inverted
        np.copyto(cells, least)
        if len(crowded):
            cells[crowded] = np.searchsorted(self._edges, numbers[crowded], side="right")
        for _ in range(self._comparisons):
            self._above.take(cells, out=edges, mode="wrap")
            np.greater_equal(numbers, edges, out=above)
            np.add(cells, above, out=cells)

    def _placed(self, numbers: _Floats, room: Room) -> tuple[_Floats, NDArray[np.uint32]]:
        rows = len(numbers)
        standard, singles = room.standard[:rows], room.singles[:rows]
        with np.errstate(over="ignore"):  # infinity is a bucket like any other
            np.subtract(numbers, self._center, out=standard)
            np.divide(standard, self._scale, out=standard)
            np.copyto(singles, standard, casting="same_kind")
        buckets: NDArray[np.uint32] = singles.view(np.uint32)
        return standard, np.right_shift(buckets, np.uint32(32 - _BITS), out=buckets)


def _ranks(buckets: NDArray[Any]) -> _Integers:
    """Return the places of buckets in the order of the numbers that they hold.

    The sign bit comes first, so the buckets of negative numbers follow those of the others, and
    backwards. Minus zero and zero are equal: their two buckets count as one.
    """
    ranks = np.where(buckets < _HALF, _HALF + buckets, BUCKETS - 1 - buckets)
    ranks[ranks == _HALF - 1] = _HALF
    return ranks
