"""Row groups that are too large to be read whole, read piece by piece."""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow._parquet import ParquetReader

from monitor.sources.thrift import Shape, read_struct

BUFFER = 2**16
"""Bytes of a column that are asked of a local file at once."""

REMOTE_BUFFER = 2**20
"""And of an object store, where a request has a price of its own."""

MOST_TEXTS = 2**18
"""Texts of a dictionary beyond which the rest of a column is read as values.

Arrow hands out with every piece what the dictionary has come to: of texts that hardly repeat that is
all of them, again and again.
"""

# Numbers of fields in parquet.thrift, and what is wanted of them.
_ROW_GROUPS, _COLUMNS, _METADATA, _VALUES, _BYTES = 4, 1, 3, 5, 6
_OF_CHUNK: Shape = dict.fromkeys((_VALUES, _BYTES), int)
_OF_FILE: Shape = {_ROW_GROUPS: ({_COLUMNS: ({_METADATA: _OF_CHUNK},)},)}

PIECE_ROWS = 2**15
"""Rows of a piece: of each column one is held while the next is read."""


KEPT_PIECES = 4
"""Pieces after which memory is given back: after each it would cost as much as their reading."""


def paged(handle: Any, **how: Any) -> Any:
    """Return pyarrow's reader of a file, which reads column chunks page by page.

    What it holds of many columns lives long, between what lives for the length of a batch. The C
    library's allocator cannot give back the gaps, and would hold twice as much; jemalloc can. Only
    values are allocated by this pool: pages and dictionaries are by Arrow's default one, which
    `monitor.libraries` chooses.

    Args:
        handle: The open file.
        how: Arguments of its ``open``.
    """
    held = "jemalloc" in pa.supported_memory_backends()
    pool = pa.jemalloc_memory_pool() if held else pa.default_memory_pool()
    reader = ParquetReader(pool)
    reader.open(handle, use_memory_map=False, **how)
    return reader


def give_back() -> None:
    """Give memory back to the system that the C library keeps in the gaps between what is in use.

    It does so by itself only at the end of its heap, where the buffer of a column may lie that
    grew a moment ago. Of a library that cannot be asked nothing is.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Streams:
    """The columns of one row group at a time, each read on from where it was.

    Args:
        opening: Opens the file; told which parquet columns are read as codes into a dictionary.
        coded: Those columns.
        footer: The bytes of its footer.
    """

    def __init__(self, opening: Callable[..., Any], coded: Sequence[int], footer: bytes) -> None:
        self._opening = opening
        self._coded = coded
        self._sizes = _sizes(footer)
        self._open: dict[bool, Any] = {}
        self._group = -1
        self._streams: dict[int, _Stream] = {}

    def widest(self, group: int, leaves: Sequence[int]) -> int:
        """Return the most bytes that one of some columns has in a row group, uncompressed."""
        chunks = self._of_group(group)
        return max((chunks[leaf][1] for leaf in leaves if leaf < len(chunks)), default=0)

    def read(self, group: int, leaves: Sequence[int], rows: tuple[int, int]) -> Any:
        """Return some rows of a column as a pyarrow ChunkedArray.

        Rows before those that were read last are read from the beginning again, once: from then on
        the last piece of the column is kept.

        Args:
            group: The row group; those of another one are forgotten.
            leaves: The parquet columns that make up the column.
            rows: The first row of the row group, and the first that is not meant.

        Raises:
            pa.ArrowInvalid: The column has more values than the row group has rows, or fewer.
        """
        if group != self._group:
            self._group, self._streams = group, {}
        stream = self._streams.get(leaves[0])
        if stream is None:
            stream = self._streams[leaves[0]] = _Stream(self._batches, group, leaves)
        return stream.read(*rows)

    def values(self, group: int, leaf: int) -> int:
        """Return the values of a parquet column in a row group, nulls too, as its footer has it."""
        chunks = self._of_group(group)
        return chunks[leaf][0] if leaf < len(chunks) else 0

    def _of_group(self, group: int) -> Sequence[tuple[int, int]]:
        return self._sizes[group] if group < len(self._sizes) else ()

    def _batches(
        self, group: int, leaves: Sequence[int], rows: int, *, coded: bool
    ) -> Iterator[Any]:
        if coded not in self._open:
            self._open[coded] = self._opening(read_dictionary=self._coded if coded else None)
        which = {"column_indices": list(leaves), "use_threads": False}
        for batch in self._open[coded].iter_batches(rows, [group], **which):
            yield batch.column(0)


class _Stream:
    """One column of a row group."""

    def __init__(self, batches: Any, group: int, leaves: Sequence[int]) -> None:
        self._batches = batches
        self._group = group
        self._leaves = leaves
        self._coded = True
        self._keeps = False
        self._last: tuple[tuple[int, int], Any] | None = None
        self._begin()

    def read(self, begin: int, end: int) -> Any:
        """Return the rows from one to before another; fewer where the column ends."""
        if self._last is not None and self._last[0] == (begin, end):
            return self._last[1]
        if begin < self._at:
            self._keeps = True
            self._begin()
        try:
            column = self._taken(begin, end)
        except OSError as error:
            if "Not yet implemented" not in str(error) or not self._coded:
                raise
            # Arrow makes no codes of text in delta encodings: as values, then.
            self._coded = False
            self._begin()
            column = self._taken(begin, end)
        if self._keeps:
            self._last = ((begin, end), column)
        if _texts(column) > MOST_TEXTS:
            self._coded = False
            self._begin()
        return column

    def _begin(self) -> None:
        """Begin with the first row again."""
        self._at = 0
        self._rest: Any = None
        self._reading: Iterator[Any] | None = None

    def _taken(self, begin: int, end: int) -> Any:
        found = []
        while self._at < end and (batch := self._next(end - begin)) is not None:
            first, after = max(begin - self._at, 0), min(end - self._at, len(batch))
            if first < after:
                found.append(batch.slice(first, after - first))
            self._rest = batch.slice(after) if after < len(batch) else None
            self._at += after
        return pa.chunked_array(found) if found else pa.chunked_array([], pa.null())

    def _next(self, rows: int) -> Any:
        """Return what follows of the column; None at its end."""
        if self._rest is not None:
            return self._rest
        if self._reading is None:
            self._reading = self._batches(self._group, self._leaves, rows, coded=self._coded)
        return next(self._reading, None)


def _texts(column: Any) -> int:
    """Return how many texts the last codes of a column are into; 0 where it has values."""
    if not pa.types.is_dictionary(column.type) or not column.num_chunks:
        return 0
    return len(column.chunk(column.num_chunks - 1).dictionary)


def _sizes(footer: bytes) -> Sequence[Sequence[tuple[int, int]]]:
    """Return values and bytes of each column chunk, by row group."""
    groups = read_struct(footer, _OF_FILE).get(_ROW_GROUPS, [])
    return [
        [
            (column.get(_METADATA, {}).get(_VALUES, 0), column.get(_METADATA, {}).get(_BYTES, 0))
            for column in group.get(_COLUMNS, [])
        ]
        for group in groups
    ]
