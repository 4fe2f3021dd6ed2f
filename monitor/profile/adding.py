"""Rows counted, and numbers added up, by the place that each belongs to.

What np.bincount and np.add.at return, in a third and two thirds of their time, and without Python's
lock, for which threads that read different columns would wait: adding up by place is the product of
a matrix of one column with the number 1. The compiled function behind scipy's matrices is called as
it is, because making a matrix takes as long as the product.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from monitor.loading import bare
from monitor.profile.grid import FloatArray, IntArray

_AT_ONCE = 131_072
"""Rows that are counted by one call: as many ones are kept."""

_ONES = np.ones(_AT_ONCE, np.int64)
_ONE_ROW, _ONE_TIME = np.ones(1, np.int64), np.ones(1)


def _add_by_numpy(
    _rows: int,
    _columns: int,
    _ends: IntArray,
    places: IntArray,
    numbers: Any,
    _factor: Any,
    totals: Any,
) -> None:
    """Do what scipy's function does with a matrix of one column and the number 1."""
    np.add.at(totals, places, numbers)


def _multiplication() -> Callable[..., None]:
    try:
        with bare("scipy.sparse"):
            from scipy.sparse._sparsetools import csc_matvec  # noqa: PLC0415  # while it is bare
    except ImportError:  # it is scipy's own affair where it is
        return _add_by_numpy
    return csc_matvec


_add = _multiplication()


class Places(NamedTuple):
    """Where rows belong; looked through once, because who adds does not look whether they exist.

    Attributes:
        of: shape (rows,), from 0 to ``size - 1``.
        size: How many places there are.
    """

    of: IntArray
    size: int

    @classmethod
    def checked(cls, places: IntArray, size: int) -> Self:
        """Return places.

        Raises:
            IndexError: One is none of them.
        """
        places = np.ascontiguousarray(places, np.int64)
        if len(places) and int(places.view(np.uint64).max()) >= size:  # none is negative either
            raise IndexError(f"places from {places.min()} to {places.max()}, of {size}")
        return cls(places, size)

    def rows(self) -> IntArray:
        """Return the rows at each place."""
        rows = np.zeros(self.size, np.int64)
        for begin in range(0, len(self.of), _AT_ONCE):
            some = self.of[begin : begin + _AT_ONCE]
            ends = np.array([0, len(some)])
            _add(self.size, 1, ends, some, _ONES[: len(some)], _ONE_ROW, rows)
        return rows

    def add_rows(self, rows: IntArray, totals: IntArray) -> None:
        """Add so many rows at each place to those that are there.

        Args:
            rows: shape (rows,).
            totals: shape (size,), contiguous; changed.

        Raises:
            ValueError: There are more or fewer numbers than rows, or totals than places.
        """
        if len(rows) != len(self.of) or len(totals) != self.size:
            given = f"{len(rows)} numbers and {len(totals)} totals"
            raise ValueError(f"{given} for {len(self.of)} of {self.size} places")
        rows = np.ascontiguousarray(rows, np.int64)
        _add(self.size, 1, np.array([0, len(rows)]), self.of, rows, _ONE_ROW, totals)

    def sums(self, numbers: FloatArray, begin: int = 0, end: int | None = None) -> FloatArray:
        """Return the sum of the numbers at each place, added one after the other.

        Args:
            numbers: shape (rows,).
            begin: The first row that is meant.
            end: The row after the last; None for all.

        Raises:
            ValueError: There are more or fewer numbers than places.
        """
        if len(numbers) != len(self.of):
            raise ValueError(f"{len(numbers)} numbers for {len(self.of)} places")
        sums = np.zeros(self.size)
        some = self.of[begin:end]
        values = np.ascontiguousarray(numbers[begin:end], np.float64)
        _add(self.size, 1, np.array([0, len(some)]), some, values, _ONE_TIME, sums)
        return sums


def rows_at(places: IntArray, size: int) -> IntArray:
    """Return the rows at each of so many places.

    Args:
        places: shape (rows,), from 0 to ``size - 1``.
        size: How many places there are.

    Raises:
        IndexError: A place is none of them.
    """
    return Places.checked(places, size).rows()


def sums_at(places: IntArray, numbers: FloatArray, size: int) -> FloatArray:
    """Return the sum of the numbers at each of so many places, added one after the other.

    Args:
        places: shape (rows,), from 0 to ``size - 1``.
        numbers: shape (rows,).
        size: How many places there are.

    Raises:
        IndexError: A place is none of them.
        ValueError: There are more or fewer numbers than places.
    """
    return Places.checked(places, size).sums(numbers)
