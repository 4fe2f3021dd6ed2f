"""The mergeable state of a profile: integer counts, and sums where sums are kept."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from monitor.profile.grid import FloatArray, IntArray, NumericGrid

SAMPLE_SIZE = 512
"""Distinct values a `ValueSample` keeps: enough to name the strays, small enough to store."""

MAX_NAME = 200
"""Characters of a value's name that are kept; longer ones are cut and marked with their digest."""


class NumericCounts(Struct):
    """A numeric field of one window on a `NumericGrid`.

    Attributes:
        cells: shape (cells,), rows.
        sums: shape (cells,), sums of ``(value - center) / scale`` in each cell.
        squares: Sum of ``((value - center) / scale) ** 2``.
        null: Rows that are null.
        nan: Rows that are NaN.
        positive_infinite: Rows that are +inf.
        negative_infinite: Rows that are -inf.
        invalid: Rows whose value is not a number (another type).
        absent: Rows of files that do not have the column.
        zeros: Finite rows equal to zero.
        negatives: Finite rows below zero.
        low: Smallest finite value; +inf while there is none.
        high: Largest finite value; -inf while there is none.
    """

    cells: IntArray
    sums: FloatArray
    squares: float = 0.0
    null: int = 0
    nan: int = 0
    positive_infinite: int = 0
    negative_infinite: int = 0
    invalid: int = 0
    absent: int = 0
    zeros: int = 0
    negatives: int = 0
    low: float = np.inf
    high: float = -np.inf

    @classmethod
    def empty(cls, grid: NumericGrid) -> "NumericCounts":
        """Return the counts of no rows."""
        return cls(np.zeros(grid.cells, np.int64), np.zeros(grid.cells))

    @property
    def n(self) -> int:
        """Return the rows with a finite number."""
        return int(self.cells.sum())

    @property
    def infinite(self) -> int:
        """Return the rows that are +inf or -inf."""
        return self.positive_infinite + self.negative_infinite

    @property
    def missing(self) -> int:
        """Return the rows without a usable value: null, NaN, invalid, or no such column."""
        return self.null + self.nan + self.invalid + self.absent

    @property
    def rows(self) -> int:
        """Return all rows."""
        return self.n + self.infinite + self.missing

    def merge(self, other: "NumericCounts") -> None:
        """Add another window's counts on the same grid."""
        self.cells += other.cells
        self.sums += other.sums
        self.squares += other.squares
        self.null += other.null
        self.nan += other.nan
        self.positive_infinite += other.positive_infinite
        self.negative_infinite += other.negative_infinite
        self.invalid += other.invalid
        self.absent += other.absent
        self.zeros += other.zeros
        self.negatives += other.negatives
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)


def value_hash(value: str) -> int:
    """Return 64 bits that rank values the same way on every machine and in every process."""
    return int.from_bytes(blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def value_name(value: str) -> str:
    """Return a value cut to `MAX_NAME` characters, marked with its digest when it was cut."""
    if len(value) <= MAX_NAME:
        return value
    return f"{value[:MAX_NAME]}…#{value_hash(value):016x}"


class ValueSample(Struct):
    """Values that the grid does not know, and how often each came.

    Keeps the `SAMPLE_SIZE` values with the smallest hashes. A value that is in the final sample
    was in every partial one, so its count is exact, and the sample does not depend on the order in
    which rows came or parts were merged. Above that size the number of distinct values is
    estimated from the largest hash kept (k-minimum-values; relative error about
    ``1 / sqrt(SAMPLE_SIZE)``).

    Attributes:
        rows: Rows that held a value unknown to the grid.
        counts: Name of a kept value to its rows.
        full: Whether values have been left out.
    """

    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    full: bool = False

    def add(self, values: Iterable[tuple[str, int]]) -> None:
        """Add values with the rows that held them."""
        for value, rows in values:
            name = value_name(value)
            self.rows += rows
            self.counts[name] = self.counts.get(name, 0) + rows
        self._trim()

    def merge(self, other: "ValueSample") -> None:
        """Add another sample."""
        if not other.rows:  # as of most fields of most windows
            return
        self.rows += other.rows
        self.full = self.full or other.full
        for name, rows in other.counts.items():
            self.counts[name] = self.counts.get(name, 0) + rows
        self._trim()

    @property
    def distinct(self) -> float:
        """Return the (estimated) number of distinct values."""
        if not self.full:
            return float(len(self.counts))
        largest = max(value_hash(name) for name in self.counts)
        return (len(self.counts) - 1) * 2.0**64 / largest

    def most_frequent(self, most: int) -> list[tuple[str, int]]:
        """Return the kept values with most rows, ties by name."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:most]

    def _trim(self) -> None:
        if len(self.counts) > SAMPLE_SIZE:
            kept = sorted(self.counts, key=value_hash)[:SAMPLE_SIZE]
            self.counts = {name: self.counts[name] for name in kept}
            self.full = True


class CategoricalCounts(Struct):
    """A categorical or boolean field of one window on a `CategoricalGrid`.

    Attributes:
        values: shape (len(grid.values),), rows of each value of the baseline.
        other: Rows of values that the baseline may have held but the grid does not list.
        unseen: Rows, and a sample of names, of values that the baseline did not hold.
        null: Rows that are null (or NaN).
        invalid: Rows whose value cannot be read as the field's kind.
        absent: Rows of files that do not have the column.
    """

    values: IntArray
    other: int = 0
    unseen: ValueSample = field(default_factory=ValueSample)
    null: int = 0
    invalid: int = 0
    absent: int = 0

    @property
    def n(self) -> int:
        """Return the rows with a usable value."""
        return int(self.values.sum()) + self.other + self.unseen.rows

    @property
    def missing(self) -> int:
        """Return the rows without a usable value: null, invalid, or no such column."""
        return self.null + self.invalid + self.absent

    @property
    def rows(self) -> int:
        """Return all rows."""
        return self.n + self.missing

    def merge(self, other: "CategoricalCounts") -> None:
        """Add another window's counts on the same grid."""
        self.values += other.values
        self.other += other.other
        self.unseen.merge(other.unseen)
        self.null += other.null
        self.invalid += other.invalid
        self.absent += other.absent


FieldCounts = NumericCounts | CategoricalCounts

NEGATIVE, POSITIVE, UNKNOWN = 0, 1, 2
"""Codes of the decision and label axes of an `OutcomeTable`."""


class OutcomeTable(Struct):
    """Rows by group of each attribute × stratum × decision × label: one sparse table of counts.

    Attributes:
        attributes: Names of the attributes, then of the strata, one axis each.
        shape: Sizes of all axes: those of the attributes, then decision (3), then label (3).
        codes: shape (cells,), sorted mixed-radix codes of the cells that hold rows.
        counts: shape (cells,), rows.
        unmapped: Name of an attribute or stratum to the values that no group was registered for.
    """

    attributes: tuple[str, ...]
    shape: tuple[int, ...]
    codes: IntArray
    counts: IntArray
    unmapped: dict[str, ValueSample]

    @classmethod
    def empty(cls, sizes: Mapping[str, int], decisions: int = 3, labels: int = 3) -> "OutcomeTable":
        """Return the table of no rows over attributes with the given numbers of codes."""
        nothing = np.zeros(0, np.int64)
        return cls(
            tuple(sizes),
            (*sizes.values(), decisions, labels),
            nothing,
            nothing.copy(),
            {name: ValueSample() for name in sizes},
        )

    @property
    def rows(self) -> int:
        """Return all rows."""
        return int(self.counts.sum())

    def add(self, codes: IntArray, counts: IntArray) -> None:
        """Add rows by their mixed-radix codes."""
        every = np.concatenate([self.codes, codes])
        self.codes, place = np.unique(every, return_inverse=True)
        totals = np.zeros(len(self.codes), np.int64)
        np.add.at(totals, place, np.concatenate([self.counts, counts]))
        self.counts = totals

    def merge(self, other: "OutcomeTable") -> None:
        """Add another window's table of the same shape."""
        self.add(other.codes, other.counts)
        for name, sample in other.unmapped.items():
            self.unmapped[name].merge(sample)

    def where(self, attribute: str, code: int) -> "OutcomeTable":
        """Return the table of the rows with one code of an attribute or stratum."""
        place = np.unravel_index(self.codes, self.shape)[self.attributes.index(attribute)]
        kept = place == code
        return replace(self, codes=self.codes[kept], counts=self.counts[kept])

    def margin(self, *attributes: str) -> IntArray:
        """Return a dense table over some attributes, decision and label.

        Args:
            attributes: Names of the axes to keep, in the order wanted.

        Returns:
            Rows, shape (size of each attribute …, 3 decisions, 3 labels), with the last two axes
            in the order `NEGATIVE`, `POSITIVE`, `UNKNOWN`.
        """
        axes = [self.attributes.index(name) for name in attributes]
        axes += [len(self.shape) - 2, len(self.shape) - 1]
        places = np.unravel_index(self.codes, self.shape)
        dense = np.zeros(tuple(self.shape[axis] for axis in axes), np.int64)
        np.add.at(dense, tuple(places[axis] for axis in axes), self.counts)
        return dense
