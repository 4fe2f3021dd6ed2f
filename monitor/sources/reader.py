"""A parquet log, read batch by batch: which rows are meant, then one column at a time."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitor.domain.manifest import Rejection
from monitor.domain.policy import SourceSpec
from monitor.domain.window import Window
from monitor.profile.grid import BoolArray, IntArray
from monitor.profile.values import canonical_text, encoded
from monitor.sources.event_time import instants, to_micros
from monitor.sources.footer import leaf_columns, table_schema
from monitor.sources.location import FoundFile, Location
from monitor.sources.ranged import RangedFile, column_ranges

NO_VERSION = "(none)"
"""The version of rows whose version column is null or absent although the policy names one."""

BATCH_ROWS = 131_072
"""Small row groups are read together up to so many rows: a read has a price of its own."""


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
        leaves: Column to the parquet columns that make it up.
        keys: The columns that the file's place gives it.
        kept: Which rows are not deleted; None for all.
        remote: The bytes, when they are fetched range by range.
        together: Columns whose bytes are fetched together.
    """

    def __init__(  # noqa: PLR0917  # one argument a source of rows
        self,
        parquet: Any,
        leaves: Mapping[str, tuple[int, ...]],
        keys: Mapping[str, Any],
        kept: Any = None,
        remote: RangedFile | None = None,
        together: Collection[str] = (),
    ) -> None:
        self._parquet = parquet
        self._leaves = leaves
        self._keys = keys
        self._kept = kept
        self._remote = remote
        self._together = [leaf for name in together for leaf in leaves.get(name, ())]
        self._fetched: Chunk | None = None
        rows = [group.num_rows for group in map(parquet.metadata.row_group, self._groups)]
        self._begins = np.cumsum([0, *rows]).tolist()

    @property
    def columns(self) -> Collection[str]:
        """Return the names of the columns in the file, in their order."""
        return self._leaves.keys()

    def chunks(self, row_groups: Collection[int] | None = None) -> Iterator[Chunk]:
        """Yield row groups, small neighbours together; all of them unless told which."""
        together: list[int] = []
        rows = 0
        for group in self._groups if row_groups is None else row_groups:
            more = self._begins[group + 1] - self._begins[group]
            if together and rows + more > BATCH_ROWS:
                yield from self._chunk(together)
                together, rows = [], 0
            together.append(group)
            rows += more
        yield from self._chunk(together)

    def column(self, chunk: Chunk, name: str) -> Any:
        """Return a column of a chunk, None when the file does not have it.

        A column in the file wins over a folder key of the same name.
        """
        leaves = self._leaves.get(name)
        if leaves is not None:
            self._fetch(chunk)
            table = self._parquet.reader.read_row_groups(
                list(chunk.groups), column_indices=list(leaves), use_threads=False
            )
            column = _without_views(table.column(0))
            return column if self._kept is None else column.filter(self._mask(chunk.groups))
        if name not in self._keys:
            return None
        value = self._keys[name]
        return pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(chunk.rows, np.int32)), pa.array([value.as_py()], value.type)
        )

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
        self._remote.fetch(column_ranges(self._parquet.metadata, chunk.groups, self._together))


@contextmanager
def opened(
    location: Location,
    file: FoundFile,
    texts: Collection[str] = (),
    together: Collection[str] = (),
) -> Iterator[OpenFile]:
    """Open a parquet file.

    Args:
        location: Where it is.
        file: The file.
        texts: Columns whose values are counted, not computed with: where they hold text they are
            read as codes into a dictionary, which is the cheaper half of decoding them.
        together: Columns that are read of most batches: of a large remote file their bytes are
            fetched together.
    """
    with location.open(file) as handle:
        metadata = pq.read_metadata(handle)
        schema = table_schema(metadata, location.names)
        leaves = leaf_columns(schema)
        coded = [
            leaves[name][0]
            for name in texts
            if name in leaves and _is_text(schema.field(schema.names.index(name)).type)
        ]
        parquet = pq.ParquetFile(
            handle,
            metadata=metadata,
            read_dictionary=coded,
            coerce_int96_timestamp_unit="us",  # nanoseconds would wrap round outside 1677-2262
            page_checksum_verification=True,
        )
        yield OpenFile(
            parquet,
            leaves,
            location.keys(file.path),
            location.kept(file.path),
            handle if isinstance(handle, RangedFile) else None,
            together,
        )


@dataclass(frozen=True)
class LogView:
    """A window of a log: which rows are meant, of which version; travels to worker processes.

    Attributes:
        location: Where the log is.
        spec: Its bookkeeping columns.
        start: First microsecond of the window.
        end: First microsecond after it.
    """

    location: Location
    spec: SourceSpec
    start: int
    end: int

    @classmethod
    def of(cls, location: Location, spec: SourceSpec, window: Window) -> "LogView":
        """Return the view of a window."""
        return cls(location, spec, to_micros(window.start), to_micros(window.end))

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
        return column.filter(pa.array(self.mask))


@dataclass(frozen=True)
class Batch:
    """The rows of a chunk that are meant.

    Attributes:
        chunk: The row groups.
        inside: shape (rows,), whether the row lies in the window; None when every one does.
        micros: shape (rows,), event times; anything outside the window where there is none.
        versions: Version to its rows in the window.
        rejected: Rows that cannot be placed in time, by reason.
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


def batches(view: LogView, log: OpenFile, row_groups: Collection[int]) -> Iterator[Batch]:
    """Yield the chunks of a log file with the rows that are meant in them."""
    for chunk in log.chunks(row_groups):
        times = instants(log.column(chunk, view.spec.event_time), view.spec.zone)
        inside = times.usable & (view.start <= times.micros) & (times.micros < view.end)
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
    named = [NO_VERSION if text is None else text for text in (*texts, None)]
    versions = list(dict.fromkeys(named))
    codes = np.array([versions.index(name) for name in named])[indices]  # the last is for null
    return {version: inside & (codes == code) for code, version in enumerate(versions)}


def _is_text(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _without_views(column: Any) -> Any:
    """Return text of the view layout, which few of Arrow's functions take, in the plain one."""
    if pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    return column.cast(pa.binary()) if pa.types.is_binary_view(column.type) else column


def _selection(mask: BoolArray, micros: IntArray) -> Selection:
    every = bool(mask.all())
    chosen = micros if every else micros[mask]
    return Selection(len(chosen), None if every else mask, int(chosen.min()), int(chosen.max()))
