"""A parquet log, read batch by batch: which rows are meant, then one column at a time."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitor.domain.manifest import Rejection
from monitor.domain.policy import SourceSpec
from monitor.domain.window import Window
from monitor.engine.counting import OTHER_VERSIONS
from monitor.profile.buffers import of_numbers, of_truths, stored
from monitor.profile.counts import value_name
from monitor.profile.grid import BoolArray, IntArray
from monitor.profile.instants import LATEST, instants, to_micros
from monitor.profile.values import canonical_text, encoded
from monitor.sources.footer import is_signed, read_footer, table_schema
from monitor.sources.layout import Layout, is_nested, layout
from monitor.sources.location import READ_ERRORS, FoundFile, Location
from monitor.sources.ranged import RangedFile, column_ranges

NO_VERSION = "(none)"
"""The version of rows whose version column is null or absent although the policy names one."""

TOLD_VERSIONS = 200
"""Versions of one batch that are told apart."""

BATCH_ROWS = 131_072
"""Small row groups are read together up to so many rows: a read has a price of its own."""

BATCH_BYTES = 2**26
"""And up to so many bytes, before they are compressed, where texts or vectors are read."""

SMALL_CELLS = 2**18
"""Values of a chunk up to which its columns are read at once, for the same reason."""

_WIDTH = 8  # bytes of a double


@dataclass(frozen=True)
class Chunk:
    """Some row groups of a file that are read together.

    Attributes:
        groups: Their numbers.
        rows: The rows in them that are not deleted.
    """

    groups: tuple[int, ...]
    rows: int


class OpenFile:
    """One open parquet file, read a column of a chunk at a time.

    Args:
        parquet: pyarrow's ParquetFile.
        plainly: Opens it again, to read every column as values.
        columns: Its columns, with the names that they have in the table.
        keys: The columns that the file's place gives it.
        kept: Which rows are not deleted; None for all.
        remote: The bytes, when they are fetched range by range, and the footer among them.
        together: Columns that most chunks are asked for.
        signed: Whether columns may be encrypted.
    """

    def __init__(  # noqa: PLR0917  # one argument a source of rows
        self,
        parquet: Any,
        plainly: Callable[[], Any],
        columns: Layout,
        keys: Mapping[str, Any],
        kept: Any = None,
        remote: tuple[RangedFile, bytes] | None = None,
        together: Collection[str] = (),
        *,
        signed: bool = False,
    ) -> None:
        self._parquet = parquet
        self._plainly = plainly
        self._layout = columns
        self._leaves = columns.leaves
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
        self._fetched: Chunk | None = None
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
            self._fetch(chunk)
            column = self._whole(chunk, name, leaves)
            return column if self._kept is None else column.filter(self._mask(chunk.groups))
        if name not in self.keys:
            return None
        codes = of_numbers(np.zeros(chunk.rows, np.int32))
        return pa.DictionaryArray.from_arrays(codes, pa.repeat(self.keys[name], 1))

    @property
    def _groups(self) -> Collection[int]:
        return range(self._parquet.metadata.num_row_groups)

    def _chunk(self, groups: Collection[int]) -> Iterator[Chunk]:
        rows = sum(self._begins[group + 1] - self._begins[group] for group in groups)
        if self._kept is not None and rows:
            rows = self._mask(groups).true_count
        if rows:
            yield Chunk(tuple(groups), rows)

    def _mask(self, groups: Collection[int]) -> Any:
        """Return which rows of some row groups are not deleted."""
        parts = [self._kept[self._begins[group] : self._begins[group + 1]] for group in groups]
        return pa.concat_arrays(parts)

    def _fetch(self, chunk: Chunk) -> None:
        """Fetch what is read of a chunk at once, when it is the first column of it."""
        if self._remote is None or chunk == self._fetched:
            return
        self._fetched = chunk
        self._remote.fetch(column_ranges(self._footer, chunk.groups, self._together))

    def size(self, chunk: Chunk) -> int:
        """Return about how many bytes of memory the columns of a chunk take that are asked for."""
        groups = map(self._parquet.metadata.row_group, chunk.groups)
        written = sum(int(group.total_byte_size) for group in groups)
        return max(written, chunk.rows * len(self._together) * _WIDTH)

    def _whole(self, chunk: Chunk, name: str, leaves: Sequence[int]) -> Any:
        """Return a column of a chunk with its deleted rows, once it is what the footer says."""
        rows = sum(self._begins[group + 1] - self._begins[group] for group in chunk.groups)
        column = self._small(chunk, rows).get(leaves[0])
        if column is None:
            column = self._read(chunk.groups, leaves).column(0)
        if len(column) != rows:
            raise pa.ArrowInvalid(
                f"column {name!r} has {len(column)} rows where the footer says {rows}"
            )
        if name in self._layout.views:
            column = _without_views(column)
        if pa.types.is_dictionary(column.type):
            for part in column.chunks:
                _check_codes(part)
        return column

    def _small(self, chunk: Chunk, rows: int) -> Mapping[int, Any]:
        """Return columns of a small chunk by leaf; none of a large or a damaged one.

        Where one column is damaged each is read by itself, so that those which are not can be used.
        """
        if rows * len(self._at_once) > SMALL_CELLS or self._remote is not None:
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
    """
    with location.open(file) as handle:
        metadata, written = read_footer(handle)
        columns = layout(table_schema(metadata, location.names))
        coded = [
            columns.leaves[name][0] for name in columns.texts if texts is None or name in texts
        ]
        parquet = partial(
            pq.ParquetFile,
            handle,
            metadata=metadata,
            coerce_int96_timestamp_unit="us",  # nanoseconds would wrap round outside 1677-2262
            page_checksum_verification=True,
        )
        yield OpenFile(
            parquet(read_dictionary=coded),
            parquet,
            columns,
            location.keys(file.path),
            location.kept(file.path),
            (handle, written) if isinstance(handle, RangedFile) else None,
            together,
            signed=is_signed(metadata, written),
        )


@dataclass(frozen=True)
class LogView:
    """A window of a log: which rows are meant, of which version; travels to worker processes.

    Attributes:
        location: Where the log is.
        spec: Its bookkeeping columns.
        start: First microsecond of the window.
        end: First microsecond after it.
        latest: Last microsecond that an event time may have: the present and the skew of clocks.
    """

    location: Location
    spec: SourceSpec
    start: int
    end: int
    latest: int = LATEST

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


@dataclass(frozen=True)
class Selection:
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


@dataclass(frozen=True)
class Batch:
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
        times = instants(log.column(chunk, view.spec.event_time), view.spec.zone)
        future = times.usable & (times.micros > view.latest)
        inside = times.usable & (view.start <= times.micros) & (times.micros < view.end) & ~future
        versions = {
            version: _selection(mask, times.micros)
            for version, mask in _by_version(view.spec, log, chunk, inside).items()
            if mask.any()
        }
        rejected: Counter[str] = Counter()
        if times.missing:
            rejected[Rejection.NO_EVENT_TIME] = times.missing
        if times.bad:
            rejected[Rejection.BAD_EVENT_TIME] = times.bad
        if future.any():
            rejected[Rejection.FUTURE_EVENT_TIME] = int(future.sum())
        yield Batch(chunk, None if inside.all() else inside, times.micros, versions, rejected)


def _by_version(
    spec: SourceSpec, log: OpenFile, chunk: Chunk, inside: BoolArray
) -> dict[str, BoolArray]:
    if not spec.version:
        return {spec.default_version: inside}
    if not inside.any():
        return {}
    column = log.column(chunk, spec.version)
    if column is None:
        return {NO_VERSION: inside}
    indices, values = encoded(column)
    texts = [canonical_text(value) for value in values]
    named = [NO_VERSION if text is None else value_name(text) for text in (*texts, None)]
    if len(set(named)) > TOLD_VERSIONS:
        named = _with_others(named, indices)
    versions = list(dict.fromkeys(named))
    if len(values) == 1 and indices.min() == 0:
        return {versions[0]: inside}
    codes = np.array([versions.index(name) for name in named]).take(indices)  # the last: null
    return {version: inside & (codes == code) for code, version in enumerate(versions)}


def _with_others(named: list[str], indices: IntArray) -> list[str]:
    """Return the names of versions with all but the most frequent as one.

    A column of ids that passes for one of versions would cost a mask for each of its values.
    """
    rows: Counter[str] = Counter()
    for name, count in zip(named, np.bincount(indices % len(named)).tolist(), strict=False):
        rows[name] += count
    told = sorted(rows, key=lambda name: (-rows[name], name))[:TOLD_VERSIONS]
    kept = frozenset(told)
    return [name if name in kept else OTHER_VERSIONS for name in named]


def _check_codes(column: Any) -> None:
    """Make sure that each code of a column has a text, and that the texts are texts.

    Raises:
        pa.ArrowInvalid: One has none, or is none.
    """
    column.dictionary.validate(full=True)
    codes, texts = stored(column.indices), len(column.dictionary)
    unsigned = codes.view(f"u{codes.itemsize}")  # in which those below zero are very large
    if len(codes) and not unsigned.max() < texts:
        column.validate(full=True)  # three times as dear; beyond may be what stands for null


def _without_views(column: Any) -> Any:
    """Return text of the view layout, which few of Arrow's functions take, in the plain one."""
    if pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    return column.cast(pa.binary()) if pa.types.is_binary_view(column.type) else column


def _selection(mask: BoolArray, micros: IntArray) -> Selection:
    every = bool(mask.all())
    chosen = micros if every else micros[mask]
    return Selection(len(chosen), None if every else mask, int(chosen.min()), int(chosen.max()))
