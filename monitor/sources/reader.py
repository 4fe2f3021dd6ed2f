"""A parquet log, read batch by batch: which rows are meant, then one column at a time."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.manifest import Rejection
from monitor.domain.policy import SourceSpec
from monitor.domain.window import Window
from monitor.profile.buffers import of_numbers, of_truths
from monitor.profile.grid import BoolArray, IntArray
from monitor.profile.instants import LATEST, instants, to_micros
from monitor.sources.codes import check_codes
from monitor.sources.footer import is_signed, read_footer, table_schema
from monitor.sources.layout import Layout, is_nested, layout, without_views
from monitor.sources.location import READ_ERRORS, FoundFile, Location
from monitor.sources.ranged import RangedFile, column_ranges
from monitor.sources.shelf import Reading, Shelf
from monitor.sources.streaming import (
    BUFFER,
    KEPT_PIECES,
    PIECE_ROWS,
    REMOTE_BUFFER,
    Streams,
    give_back,
    paged,
)
from monitor.sources.versions import by_version

BATCH_ROWS = 131_072
"""Small row groups are read together up to so many rows: a read has a price of its own."""

BATCH_BYTES = 2**26
"""And up to so many bytes, before they are compressed, where texts or vectors are read."""

SMALL_CELLS = 2**18
"""Values of a chunk up to which its columns are read at once, for the same reason."""

LARGE_ROWS = 2**19
"""Rows of a row group beyond which it is read piece by piece: whole, it would be held in memory."""

LARGE_BYTES = 2**27
"""Bytes of one of its columns beyond which it is, where texts or vectors are read."""

_WIDTH = 8  # bytes of a double


class Chunk(Struct, frozen=True):
    """Some row groups of a file that are read together, or a piece of a large one.

    Attributes:
        groups: Their numbers.
        rows: The rows in them that are not deleted.
        piece: The first row of a piece, and the first after it; None for whole row groups.
    """

    groups: tuple[int, ...]
    rows: int
    piece: tuple[int, int] | None = None


class OpenFile:
    """One open parquet file, read a column of a chunk at a time.

    Args:
        parquet: pyarrow's ParquetFile.
        plainly: Opens it again, to read every column as values.
        streams: Its columns, piece by piece.
        columns: Its columns, with the names that they have in the table.
        keys: The columns that the file's place gives it.
        kept: Which rows are not deleted; None for all.
        remote: The bytes, when they are fetched range by range, and the footer among them.
        together: Columns that most chunks are asked for.
        reading: Through what columns of whole row groups are decoded.
        signed: Whether columns may be encrypted.
    """

    def __init__(  # noqa: PLR0917  # one argument a source of rows
        self,
        parquet: Any,
        plainly: Callable[[], Any],
        streams: Callable[[], Streams],
        columns: Layout,
        keys: Mapping[str, Any],
        kept: Any = None,
        remote: tuple[RangedFile, bytes] | None = None,
        together: Collection[str] = (),
        reading: Callable[..., Any] | None = None,
        *,
        signed: bool = False,
    ) -> None:
        self._parquet = parquet
        self._plainly = plainly
        self._make_streams = streams
        self._layout = columns
        self._leaves = columns.leaves
        self._reading = reading
        self._signed = signed
        self._asked: set[str] = set()
        self.keys = keys
        self._kept = kept
        self._remote: RangedFile | None = None
        self._footer = b""
        if remote is not None:
            self._remote, self._footer = remote
        self._together = [leaf for name in together for leaf in self._leaves.get(name, ())]
        self._bulky = any(
            is_nested(columns.kinds[name]) or name in columns.texts
            for name in together
            if name in columns.kinds
        )
        self._at_once = sorted({*self._together}.intersection(columns.plain))
        self._fetched: tuple[int, ...] | None = None
        self._held: tuple[tuple[int, ...], Mapping[int, Any]] = ((), {})
        rows = [group.num_rows for group in map(parquet.metadata.row_group, self._groups)]
        self._begins = np.cumsum([0, *rows]).tolist()

    @property
    def columns(self) -> Collection[str]:
        """Return the names of the columns in the file, in their order."""
        return self._leaves.keys()

    @property
    def fields(self) -> Sequence[tuple[str, str]]:
        """Return names and logical types of the columns in the file, in their order."""
        return self._layout.fields

    def check_rest(self) -> None:
        """Decode the columns of a small file that nothing was asked of.

        Damage beside the columns that are read says that the file is torn or rewritten, and what
        was read of it cannot be trusted either. That is worth a look where it is cheap; of a
        large file nothing is read but what is counted.

        Raises:
            OSError: Something in the file is damaged; so for the other `READ_ERRORS`.
        """
        if self._begins[-1] > BATCH_ROWS or self._signed:  # others' columns may be encrypted
            return
        asked = {leaf for name in self._asked for leaf in self._leaves[name]}
        rest = [leaf for leaf in self._layout.plain if leaf not in asked]
        for group in self._groups:
            if rest:
                self._read([group], rest)

    def chunks(self, row_groups: Collection[int] | None = None) -> Iterator[Chunk]:
        """Yield row groups, small neighbours together; all of them unless told which."""
        together: list[int] = []
        rows = size = 0
        for group in self._groups if row_groups is None else row_groups:
            more = self._begins[group + 1] - self._begins[group]
            larger = self._parquet.metadata.row_group(group).total_byte_size if self._bulky else 0
            if more > LARGE_ROWS or larger > LARGE_BYTES:
                yield from self._chunk(together)
                together, rows, size = [], 0, 0
                yield from self._pieces(group, more)
                continue
            if together and (rows + more > BATCH_ROWS or size + larger > BATCH_BYTES):
                yield from self._chunk(together)
                together, rows, size = [], 0, 0
            together.append(group)
            rows += more
            size += larger
        yield from self._chunk(together)

    def column(self, chunk: Chunk, name: str) -> Any:
        """Return a column of a chunk, None when the file does not have it.

        A column in the file wins over a folder key of the same name.

        Raises:
            pa.ArrowInvalid: It has more or fewer rows than the footer says, or codes beyond its
                dictionary; Arrow lets both pass, and reads where no value is.
        """
        leaves = self._leaves.get(name)
        if leaves is not None:
            self._asked.add(name)
            decode = partial(self._whole, chunk, name, leaves)
            if self._reading is None or chunk.piece is not None:
                column = decode()
            else:
                column = self._reading(chunk.groups, name, decode)
            return (
                column
                if self._kept is None
                else column.filter(self._mask(chunk.groups, chunk.piece))
            )
        if name not in self.keys:
            return None
        codes = of_numbers(np.zeros(chunk.rows, np.int32))
        return pa.DictionaryArray.from_arrays(codes, pa.repeat(self.keys[name], 1))

    @property
    def _groups(self) -> Collection[int]:
        return range(self._parquet.metadata.num_row_groups)

    @cached_property
    def _streams(self) -> Streams:
        return self._make_streams()

    def _pieces(self, group: int, rows: int) -> Iterator[Chunk]:
        """Yield a large row group in pieces; whole if none of its columns is too large for that."""
        step = PIECE_ROWS
        if self._bulky:
            widest = self._streams.widest(group, self._together)
            if rows <= LARGE_ROWS and widest <= LARGE_BYTES:
                yield from self._chunk([group])
                return
            step = max(1, min(step, rows * BATCH_BYTES // max(widest, 1)))
        for number, begin in enumerate(range(0, rows, step), 1):
            yield from self._chunk([group], (begin, min(begin + step, rows)))
            if not number % KEPT_PIECES:
                give_back()

    def _chunk(
        self, groups: Collection[int], piece: tuple[int, int] | None = None
    ) -> Iterator[Chunk]:
        rows = self._rows(groups, piece)
        if self._kept is not None and rows:
            rows = self._mask(groups, piece).true_count
        if rows:
            yield Chunk(tuple(groups), rows, piece)

    def _rows(self, groups: Collection[int], piece: tuple[int, int] | None) -> int:
        """Return the rows of some row groups, or of a piece of one, with those that are deleted."""
        if piece is not None:
            return piece[1] - piece[0]
        return sum(self._begins[group + 1] - self._begins[group] for group in groups)

    def _mask(self, groups: Collection[int], piece: tuple[int, int] | None) -> Any:
        """Return which rows of some row groups, or of a piece of one, are not deleted."""
        parts = [self._kept[self._begins[group] : self._begins[group + 1]] for group in groups]
        return pa.concat_arrays(parts if piece is None else [parts[0][slice(*piece)]])

    def _fetch(self, chunk: Chunk) -> None:
        """Fetch what is read of a chunk at once, when it is the first column of it."""
        if self._remote is None or chunk.groups == self._fetched:
            return
        self._fetched = chunk.groups
        self._remote.fetch(column_ranges(self._footer, chunk.groups, self._together))

    def size(self, chunk: Chunk) -> int:
        """Return about how many bytes of memory the columns of a chunk take that are asked for."""
        groups = map(self._parquet.metadata.row_group, chunk.groups)
        written = sum(int(group.total_byte_size) for group in groups)
        return max(written, chunk.rows * len(self._together) * _WIDTH)

    def _whole(self, chunk: Chunk, name: str, leaves: Sequence[int]) -> Any:
        """Return a column of a chunk with its deleted rows, once it is what the footer says."""
        self._fetch(chunk)
        rows = self._rows(chunk.groups, chunk.piece)
        column = None
        if chunk.piece is not None:
            column = self._piece(name, leaves, chunk.groups[0], chunk.piece)
        elif rows * len(self._at_once) <= SMALL_CELLS:
            column = self._small(chunk).get(leaves[0])
        if column is None:
            column = self._read(chunk.groups, leaves).column(0)
        if len(column) != rows:
            raise pa.ArrowInvalid(
                f"column {name!r} has {len(column)} rows where the footer says {rows}"
            )
        if name in self._layout.views:
            column = without_views(column)
        if pa.types.is_dictionary(column.type):
            for part in column.chunks:
                check_codes(part)
        return column

    def _piece(self, name: str, leaves: Sequence[int], group: int, piece: tuple[int, int]) -> Any:
        """Return a piece of a column, once the column is as long as the footer says."""
        rows = self._begins[group + 1] - self._begins[group]
        values = self._streams.values(group, leaves[0])
        if values != rows and not is_nested(self._layout.kinds[name]):
            raise pa.ArrowInvalid(f"column {name!r} has {values} values in {rows} rows")
        return self._streams.read(group, leaves, piece)

    def _small(self, chunk: Chunk) -> Mapping[int, Any]:
        """Return columns of a small chunk by leaf; none of a damaged one.

        Where one column is damaged each is read by itself, so that those which are not can be used.
        """
        if self._remote is not None:
            return {}
        if self._held[0] != chunk.groups:
            self._held = (chunk.groups, {})
            with suppress(*READ_ERRORS):
                table = self._read(chunk.groups, self._at_once)
                self._held = (chunk.groups, dict(zip(self._at_once, table.columns, strict=True)))
        return self._held[1]

    def _read(self, groups: Collection[int], leaves: Collection[int]) -> Any:
        which = {"column_indices": list(leaves), "use_threads": False}
        try:
            return self._parquet.reader.read_row_groups(list(groups), **which)
        except OSError as error:
            if "Not yet implemented" not in str(error):
                raise
            # Arrow makes no codes of text in delta encodings: all columns as values, then.
            self._parquet = self._plainly()
            return self._parquet.reader.read_row_groups(list(groups), **which)


@contextmanager
def opened(
    location: Location,
    file: FoundFile,
    texts: Collection[str] | None = (),
    together: Collection[str] = (),
    reading: Reading | None = None,
) -> Iterator[OpenFile]:
    """Open a parquet file.

    Args:
        location: Where it is.
        file: The file.
        texts: Columns whose values are counted, not computed with: where they hold text they are
            read as codes into a dictionary, which is the cheaper half of decoding them and does
            not write out for every row what the file has once. None for every column.
        together: Columns that are read of most batches: of a large remote file their bytes are
            fetched together.
        reading: Through what columns are decoded; None: as often as they are asked for.
    """
    with location.open(file) as handle:
        metadata, written = read_footer(handle)
        columns = layout(table_schema(metadata, location.names))
        coded = [
            columns.leaves[name][0] for name in columns.texts if texts is None or name in texts
        ]
        how = {
            "metadata": metadata,
            "coerce_int96_timestamp_unit": "us",  # nanoseconds would wrap outside 1677-2262
            "page_checksum_verification": True,
            "pre_buffer": False,  # a column at a time needs no threads that fetch ahead
        }
        parquet = partial(pq.ParquetFile, handle, **how)
        buffer = REMOTE_BUFFER if isinstance(handle, RangedFile) else BUFFER
        yield OpenFile(
            parquet(read_dictionary=coded),
            parquet,
            lambda: Streams(partial(paged, handle, buffer_size=buffer, **how), coded, written),
            columns,
            location.keys(file.path),
            location.kept(file.path),
            (handle, written) if isinstance(handle, RangedFile) else None,
            together,
            None if reading is None else partial(reading, file),
            signed=is_signed(metadata, written),
        )


class LogView(Struct, frozen=True, eq=False):
    """A window of a log: which rows are meant, of which version; travels to worker processes.

    Attributes:
        location: Where the log is.
        spec: Its bookkeeping columns.
        start: First microsecond of the window.
        end: First microsecond after it.
        latest: Last microsecond that an event time may have: the present and the skew of clocks.
        shelf: Columns that were decoded already.
    """

    location: Location
    spec: SourceSpec
    start: int
    end: int
    latest: int = LATEST
    shelf: Shelf = field(default_factory=Shelf)

    @classmethod
    def of(
        cls, location: Location, spec: SourceSpec, window: Window, latest: int = LATEST
    ) -> "LogView":
        """Return the view of a window."""
        return cls(location, spec, to_micros(window.start), to_micros(window.end), latest)

    @property
    def bookkeeping(self) -> tuple[str, ...]:
        """Return the columns that say which rows are meant."""
        return (self.spec.event_time, *filter(None, [self.spec.version]))


class Selection(Struct, frozen=True):
    """The rows of a batch that belong to one version and lie in the window.

    Attributes:
        rows: How many.
        mask: shape (batch rows,); None when it is all of them.
        first: Earliest event time, microseconds.
        last: Latest event time, microseconds.
    """

    rows: int
    mask: BoolArray | None
    first: int
    last: int

    def of(self, column: Any) -> Any:
        """Return the selected values of a column of the batch; None stays None."""
        if column is None or self.mask is None:
            return column
        return column.filter(of_truths(self.mask))

    def times(self, micros: IntArray) -> IntArray:
        """Return the selected event times of a batch."""
        return micros if self.mask is None else micros[self.mask]

    def kept(self, kept: BoolArray, micros: IntArray) -> "Selection | None":
        """Return the rows of the selection that are kept; None when none is."""
        mask = kept if self.mask is None else self.mask & kept
        return _selection(mask, micros) if mask.any() else None


class Batch(Struct, frozen=True):
    """The rows of a chunk that are meant.

    Attributes:
        chunk: The row groups.
        inside: shape (rows,), whether the row lies in the window; None when every one does.
        micros: shape (rows,), event times; anything outside the window where there is none.
        versions: Version to its rows in the window.
        rejected: Rows that cannot be placed in time, and rows left out, by reason.
    """

    chunk: Chunk
    inside: BoolArray | None
    micros: IntArray
    versions: Mapping[str, Selection]
    rejected: Counter[str]

    @property
    def selected(self) -> int:
        """Return the rows in the window."""
        return sum(selection.rows for selection in self.versions.values())

    def without(self, rows: IntArray, reason: Rejection) -> "Batch":
        """Return the batch with some of its rows rejected.

        Args:
            rows: Places in the chunk of rows that were selected.
            reason: Why.
        """
        if not len(rows):
            return self
        kept = np.ones(self.chunk.rows, np.bool_)
        kept[rows] = False
        versions = {
            version: left
            for version, selection in self.versions.items()
            if (left := selection.kept(kept, self.micros)) is not None
        }
        rejected = self.rejected + Counter({reason: len(rows)})
        return replace(self, versions=versions, rejected=rejected)


def batches(view: LogView, log: OpenFile, row_groups: Collection[int]) -> Iterator[Batch]:
    """Yield the chunks of a log file with the rows that are meant in them."""
    for chunk in log.chunks(row_groups):
        yield batch_of(view, log, chunk)


def batch_of(view: LogView, log: OpenFile, chunk: Chunk) -> Batch:
    """Return a chunk of a log file with the rows that are meant in it."""
    times = instants(log.column(chunk, view.spec.event_time), view.spec.zone)
    future = times.usable & (times.micros > view.latest)
    inside = times.usable & (view.start <= times.micros) & (times.micros < view.end) & ~future
    versions = {
        version: _selection(mask, times.micros)
        for version, mask in by_version(
            view.spec, lambda: log.column(chunk, view.spec.version), inside
        ).items()
        if mask.any()
    }
    rejected: Counter[str] = Counter()
    if times.missing:
        rejected[Rejection.NO_EVENT_TIME] = times.missing
    if times.bad:
        rejected[Rejection.BAD_EVENT_TIME] = times.bad
    if future.any():
        rejected[Rejection.FUTURE_EVENT_TIME] = int(future.sum())
    return Batch(chunk, None if inside.all() else inside, times.micros, versions, rejected)


def _selection(mask: BoolArray, micros: IntArray) -> Selection:
    every = bool(mask.all())
    chosen = micros if every else micros[mask]
    return Selection(len(chosen), None if every else mask, int(chosen.min()), int(chosen.max()))
