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
from monitor.sources.footer import leaf_columns
from monitor.sources.location import FoundFile, Location, hive_keys

NO_VERSION = "(none)"
"""The version of rows whose version column is null or absent although the policy names one."""

BATCH_ROWS = 131_072
"""Small row groups are read together up to so many rows: a read has a price of its own."""


@dataclass(frozen=True)
class Chunk:
    """Some row groups of a file that are read together."""

    groups: tuple[int, ...]
    rows: int


class OpenFile:
    """One open parquet file, read a column of a chunk at a time."""

    def __init__(self, path: str, parquet: Any) -> None:
        self._parquet = parquet
        self._leaves = leaf_columns(parquet.metadata.schema.to_arrow_schema())
        self._keys = hive_keys(path)

    @property
    def columns(self) -> Collection[str]:
        """Return the names of the columns in the file, in their order."""
        return self._leaves.keys()

    def chunks(self, row_groups: Collection[int] | None = None) -> Iterator[Chunk]:
        """Yield row groups, small neighbours together; all of them unless told which."""
        metadata = self._parquet.metadata
        groups: list[int] = []
        rows = 0
        for group in range(metadata.num_row_groups) if row_groups is None else row_groups:
            more = metadata.row_group(group).num_rows
            if groups and rows + more > BATCH_ROWS:
                yield Chunk(tuple(groups), rows)
                groups, rows = [], 0
            groups.append(group)
            rows += more
        if rows:
            yield Chunk(tuple(groups), rows)

    def column(self, chunk: Chunk, name: str) -> Any:
        """Return a column of a chunk, None when the file does not have it.

        A column in the file wins over a folder key of the same name.
        """
        leaves = self._leaves.get(name)
        if leaves is not None:
            table = self._parquet.reader.read_row_groups(
                list(chunk.groups), column_indices=list(leaves), use_threads=False
            )
            return table.column(0)
        if name not in self._keys:
            return None
        value = pa.array([self._keys[name]], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(chunk.rows, np.int32)), value)


@contextmanager
def opened(location: Location, file: FoundFile, texts: Collection[str] = ()) -> Iterator[OpenFile]:
    """Open a parquet file.

    Args:
        location: Where it is.
        file: The file.
        texts: Columns whose values are counted, not computed with: where they hold text they are
            read as codes into a dictionary, which is the cheaper half of decoding them.
    """
    with location.open(file) as handle:
        metadata = pq.read_metadata(handle)
        schema = metadata.schema.to_arrow_schema()
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
        yield OpenFile(file.path, parquet)


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
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _selection(mask: BoolArray, micros: IntArray) -> Selection:
    every = bool(mask.all())
    chosen = micros if every else micros[mask]
    return Selection(len(chosen), None if every else mask, int(chosen.min()), int(chosen.max()))
