"""Embeddings: what is kept of vectors is their norm, and moments of 64 random projections."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import shake_256
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct

from monitor.profile.buffers import doubles, integers, valid
from monitor.profile.grid import BoolArray, FloatArray, IntArray, VectorGrid

PROJECTIONS = 64
"""Projections of each vector: their moments fit in 33 KB whatever the dimension."""

CLIP = 5.0
"""Robust standard deviations beyond which a projection is cut, so that one broken vector moves a mean
by no more than five deviations over the rows, and a correlation of a hundred rows by no more than .2;
its norm is counted as it is."""

BLOCK_VALUES = 1 << 20
"""Numbers that are projected at a time."""

TRACKED_DIMENSIONS = 8
"""Lengths of vectors that a draft keeps apart before the most frequent one is taken."""

_NORM_BITS = 14
_GRID_BITS = 24  # the last digits of a projection depend on how a processor adds
_NORMAL_IQR = 1.3489795003921634  # interquartile range of the standard normal


@lru_cache(maxsize=16)
def projections(dimension: int) -> FloatArray:
    """Return the random directions for vectors of a dimension, the same on every machine.

    Each entry is ±1/√dimension, its sign a bit of SHAKE-256 of the dimension.

    Returns:
        Shape (dimension, `PROJECTIONS`).

    Source:
        D. Achlioptas (2003), J. Computer and System Sciences 66, 671-687.
    """
    seed = f"modelmon projections of {dimension}".encode()
    bits = np.unpackbits(
        np.frombuffer(shake_256(seed).digest(dimension * PROJECTIONS // 8), np.uint8)
    )
    signs: FloatArray = np.where(bits.reshape(dimension, PROJECTIONS), 1.0, -1.0)
    signs /= np.sqrt(dimension)
    signs.setflags(write=False)
    return signs


class VectorCounts(Struct):
    """An embedding of one window: sums over its vectors' projections on a `VectorGrid`.

    With ``y = (projection − center) / scale``, cut at ±`CLIP`:

    Attributes:
        sums: shape (64,), sums of y.
        products: shape (64, 64), sums of y yᵀ.
        cubes: shape (64,), sums of y³.
        fourths: shape (64,), sums of y⁴.
        n: Vectors.
        null: Rows that are null.
        not_vectors: Rows whose value is no list of numbers.
        wrong_dimension: Rows with a vector of another dimension than the baseline's.
        not_finite: Rows whose vector has a null, a NaN or an infinity in it.
        absent: Rows of files that do not have the column.
        clipped: Projections that were cut.
    """

    sums: FloatArray
    products: FloatArray
    cubes: FloatArray
    fourths: FloatArray
    n: int = 0
    null: int = 0
    not_vectors: int = 0
    wrong_dimension: int = 0
    not_finite: int = 0
    absent: int = 0
    clipped: int = 0

    @classmethod
    def empty(cls) -> "VectorCounts":
        """Return the counts of no rows."""
        square = np.zeros((PROJECTIONS, PROJECTIONS))
        return cls(np.zeros(PROJECTIONS), square, np.zeros(PROJECTIONS), np.zeros(PROJECTIONS))

    @property
    def invalid(self) -> int:
        """Return the rows with a value that is no usable vector."""
        return self.not_vectors + self.wrong_dimension + self.not_finite

    @property
    def rows(self) -> int:
        """Return all rows."""
        return self.n + self.null + self.invalid + self.absent

    def without(self, part: "VectorCounts") -> "VectorCounts":
        """Return the vectors that are not in a part of these; no more than the vectors."""
        return VectorCounts(
            self.sums - part.sums,
            self.products - part.products,
            self.cubes - part.cubes,
            self.fourths - part.fourths,
            self.n - part.n,
        )

    def merge(self, other: "VectorCounts") -> None:
        """Add another window's counts on the same grid."""
        self.sums += other.sums
        self.products += other.products
        self.cubes += other.cubes
        self.fourths += other.fourths
        self.n += other.n
        self.null += other.null
        self.not_vectors += other.not_vectors
        self.wrong_dimension += other.wrong_dimension
        self.not_finite += other.not_finite
        self.absent += other.absent
        self.clipped += other.clipped


def count_vectors(counts: VectorCounts, grid: VectorGrid, column: Any) -> FloatArray:
    """Add the vectors of a column, and return their norms.

    Returns:
        Shape (rows,), NaN where a row has no usable vector.
    """
    norms = []
    for lists in _all_lists(column):
        counts.null += lists.null
        counts.not_vectors += lists.not_vectors
        of_size = lists.there & (lists.sizes == grid.dimension)
        counts.wrong_dimension += int(np.count_nonzero(lists.there & ~of_size))
        found = np.full(len(lists.there), np.nan)
        for rows, vectors in lists.blocks(of_size, grid.dimension):
            finite = np.isfinite(vectors).all(axis=1)
            counts.not_finite += int(np.count_nonzero(~finite))
            usable = vectors if finite.all() else vectors[finite]
            found[rows[finite]], projected = _projected(usable)
            _add(counts, grid, projected)
        norms.append(found)
    return np.concatenate([np.zeros(0), *norms])


def _add(counts: VectorCounts, grid: VectorGrid, projected: FloatArray) -> None:
    with np.errstate(over="ignore"):  # cut below
        standard = (projected - grid.center) / grid.scale
    counts.clipped += int(np.count_nonzero(np.abs(standard) > CLIP))
    np.clip(standard, -CLIP, CLIP, out=standard)
    counts.n += len(standard)
    counts.sums += standard.sum(axis=0)
    counts.products += standard.T @ standard
    squares = np.square(standard)
    counts.cubes += (squares * standard).sum(axis=0)
    counts.fourths += np.square(squares).sum(axis=0)


def _projected(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return norms and projections of finite vectors, shape (rows, dimension).

    A norm is kept to 14 binary digits: vectors that were normalised to length 1 then all have that
    one norm, and not the noise of their rounding.
    """
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    largest[largest == 0] = 1.0
    scaled = vectors / largest[:, np.newaxis]  # neither squares nor sums can overflow
    with np.errstate(over="ignore"):
        norms = np.sqrt(np.square(scaled).sum(axis=1)) * largest
        projected = (scaled @ projections(vectors.shape[1])) * largest[:, np.newaxis]
    return _rounded(norms, _NORM_BITS), projected


def _rounded(numbers: FloatArray, bits: int) -> FloatArray:
    """Return numbers kept to so many binary digits."""
    digits, exponents = np.frexp(numbers)
    return np.asarray(np.ldexp(np.round(np.ldexp(digits, bits)), exponents - bits))


class VectorDraft:
    """Gathers what a `VectorGrid` needs from a sample of the baseline's vectors."""

    def __init__(self) -> None:
        self._found: dict[int, list[tuple[FloatArray, FloatArray]]] = {}

    def add(self, column: Any) -> None:
        """Take in a batch."""
        for lists in _all_lists(column):
            for size in np.unique(lists.sizes[lists.there]).tolist():
                if not size or (size not in self._found and len(self._found) >= TRACKED_DIMENSIONS):
                    continue
                for _, vectors in lists.blocks(lists.there & (lists.sizes == size), size):
                    finite = vectors[np.isfinite(vectors).all(axis=1)]
                    self._found.setdefault(size, []).append(_projected(finite))

    def grid(self) -> VectorGrid:
        """Return dimension, centers and scales; dimension 0 when there was no vector."""
        dimension = self._dimension
        if not dimension:
            return VectorGrid(0, np.zeros(PROJECTIONS), np.ones(PROJECTIONS))
        sample = np.concatenate([projected for _, projected in self._found[dimension]])
        with np.errstate(over="ignore", invalid="ignore"):
            low, center, high = np.quantile(
                sample, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf"
            )
            scale = (high - low) / _NORMAL_IQR
            spread = sample.std(axis=0)
        scale = np.where((scale > 0) & np.isfinite(scale), scale, spread)
        usable = (scale > 0) & np.isfinite(scale)
        finite = np.isfinite(center)
        return VectorGrid(
            dimension,
            _rounded(np.where(finite, center, 0.0), _GRID_BITS),
            _rounded(np.where(usable, scale, 1.0), _GRID_BITS),
        )

    def norms(self) -> FloatArray:
        """Return the norms of the sample's vectors of the chosen dimension."""
        found = self._found.get(self._dimension, [])
        return np.concatenate([np.zeros(0), *(norms for norms, _ in found)])

    @property
    def _dimension(self) -> int:
        rows = {size: sum(len(norms) for norms, _ in found) for size, found in self._found.items()}
        return (
            max(rows, key=lambda size: (rows[size], size), default=0) if any(rows.values()) else 0
        )


class _Lists(Struct, frozen=True):
    """Lists of numbers as they lie in memory.

    Attributes:
        values: All their numbers, a pyarrow array.
        begins: shape (rows,), where each list begins.
        sizes: shape (rows,), how many numbers it has.
        there: shape (rows,), whether there is a list.
        null: Rows that are null.
        not_vectors: Rows that hold something else.
    """

    values: Any
    begins: IntArray
    sizes: IntArray
    there: BoolArray
    null: int
    not_vectors: int

    def blocks(self, chosen: BoolArray, size: int) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yield places and vectors of chosen rows, all of one size, some at a time."""
        places = np.flatnonzero(chosen)
        ends = self.begins[places] + size
        begin = 0
        while begin < len(places):
            most = int(ends[begin]) - size + BLOCK_VALUES
            end = max(int(np.searchsorted(ends, most, side="right")), begin + 1)
            rows = places[begin:end]
            first, last = int(ends[begin]) - size, int(ends[end - 1])
            begin = end
            held = self.values.slice(first, last - first).cast(pa.float64(), safe=False)
            numbers = doubles(held)
            if last - first == len(rows) * size:
                yield rows, numbers.reshape(len(rows), size)
                continue
            where = (self.begins[rows] - first)[:, np.newaxis] + np.arange(size)
            yield rows, numbers[where]


def _all_lists(column: Any) -> Iterator[_Lists]:
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        if len(chunk):
            yield _lists(chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk)


def _lists(chunk: Any) -> _Lists:
    kind, rows = chunk.type, len(chunk)
    there = valid(chunk)
    fixed = pa.types.is_fixed_size_list(kind)
    listed = fixed or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not listed or not (
        pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
    ):
        nothing = np.zeros(rows, np.int64)
        null = chunk.null_count
        return _Lists(None, nothing, nothing, np.zeros(rows, np.bool_), null, rows - null)
    if fixed:
        begins = (chunk.offset + np.arange(rows, dtype=np.int64)) * kind.list_size
        sizes = np.full(rows, kind.list_size, np.int64)
    else:
        offsets = integers(chunk.offsets, 0)
        begins, sizes = offsets[:-1], np.diff(offsets)
    return _Lists(chunk.values, begins, sizes, there, chunk.null_count, 0)
