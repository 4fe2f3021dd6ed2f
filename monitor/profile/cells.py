"""Finding the cell of each number without comparing it with every edge.

A number is moved to the scale of its field, ``(number - center) / scale``, and rounded to a single.
Neither step changes the order of two numbers, it can only make them equal. So the leading bits of
the single, which sort it into one of `BUCKETS` buckets, tell of any number how many edges lie in
buckets below its own: the least cell that it can be in. A comparison or two with the edges that
share its bucket settle the rest. The result is that of a binary search, to the last bit, and takes
a tenth of its time on any processor, because it needs no vectorised sort.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]

_BITS = 18
"""Sign, exponent and nine bits of the mantissa: 512 buckets between a power of two and the next."""

BUCKETS = 1 << _BITS
_HALF = BUCKETS // 2
_CROWDED = -1


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
        _, buckets = self._placed(edges)
        ranks = _ranks(buckets.astype(np.int64))
        begins = np.flatnonzero(np.diff(ranks, prepend=-1))  # edges that are the first of theirs
        held = np.diff(begins, append=len(ranks))
        runs = np.diff(ranks, prepend=-1, append=BUCKETS - 1)  # buckets above as many edges
        least = np.repeat(np.arange(len(runs), dtype=np.int16), runs)
        crowded = held > comparisons
        least[ranks[begins[crowded]]] = _CROWDED
        least[_HALF - 1] = least[_HALF]  # minus zero and zero
        self._comparisons = min(comparisons, int(held.max(initial=0)))
        self._any_crowded = bool(crowded.any())
        self._least = np.concatenate([least[_HALF:], least[_HALF - 1 :: -1]])

    def cells(self, numbers: _Floats) -> tuple[_Integers, _Floats]:
        """Return each number's cell, and the numbers on the scale of the field.

        Args:
            numbers: shape (rows,), finite.

        Returns:
            ``searchsorted(edges, numbers, side="right")``, and ``(numbers - center) / scale``,
            which is infinite where that is beyond the largest double.
        """
        standard, buckets = self._placed(numbers)
        cells = self._least.take(buckets).astype(np.intp)
        if self._any_crowded and cells.min(initial=0) < 0:
            rows = np.flatnonzero(cells < 0)
            cells[rows] = np.searchsorted(self._edges, numbers[rows], side="right")
        for _ in range(self._comparisons):
            cells += numbers >= self._above.take(cells)
        return cells, standard

    def _placed(self, numbers: _Floats) -> tuple[_Floats, NDArray[np.uint32]]:
        with np.errstate(over="ignore"):  # infinity is a bucket like any other
            standard = numbers - self._center
            standard /= self._scale
            bits: NDArray[np.uint32] = standard.astype(np.float32).view(np.uint32)
        return standard, bits >> np.uint32(32 - _BITS)


def _ranks(buckets: NDArray[Any]) -> _Integers:
    """Return the places of buckets in the order of the numbers that they hold.

    The sign bit comes first, so the buckets of negative numbers follow those of the others, and
    backwards. Minus zero and zero are equal: their two buckets count as one.
    """
    ranks = np.where(buckets < _HALF, _HALF + buckets, BUCKETS - 1 - buckets)
    ranks[ranks == _HALF - 1] = _HALF
    return ranks
