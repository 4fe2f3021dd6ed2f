"""What the footer of a parquet file says: its columns, its row groups, and their times."""

import io
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from monitor.profile.buffers import of_numbers
from monitor.profile.instants import instants
from monitor.sources.layout import NOT_IN_TABLE, layout
from monitor.sources.thrift import Shape, read_struct

_MAGIC = b"PAR1"
_ENDING = 8  # the footer's length, and the magic bytes
_READ_AT_ONCE = 64 * 2**10
_LONGEST = 32 * 2**20  # bytes; some hundred thousand column chunks, and parsed thirty times as much

# Numbers of fields in parquet.thrift, and what is wanted of them.
_ROW_GROUPS, _COLUMNS, _METADATA, _PATH, _STATISTICS = 4, 1, 3, 3, 12
_OLD_MAX, _OLD_MIN, _NULLS, _MAX, _MIN = 1, 2, 3, 5, 6
_OF_STATISTICS: Shape = {
    **dict.fromkeys((_OLD_MAX, _OLD_MIN, _MAX, _MIN), bytes),
    _NULLS: int,
}
_OF_COLUMN: Shape = {_STATISTICS: _OF_STATISTICS}
_OF_FILE: Shape = {_ROW_GROUPS: ({_COLUMNS: ({_METADATA: _OF_COLUMN},)},)}

_PATH_OF_ONE = b"\x19\x18"  # field 3, a list; of one text
_LONGEST_PATH = 0x7F  # the length of a longer name takes more than a byte

_DIGITS = 32  # of a digest, in hex: 128 bits

Statistics = Mapping[int, Any]


class RowGroup(Struct, frozen=True):
    """A row group.

    Attributes:
        rows: Its rows.
        bounds: Its earliest and latest time, microseconds since 1970 UTC; None when the footer
            does not say.
    """

    rows: int
    bounds: tuple[int, int] | None = None


class Footer(Struct, frozen=True):
    """The little of a footer that planning a scan needs.

    Attributes:
        columns: Names of the columns.
        groups: The row groups.
        etag: Of the object that the file is; "" where it is none.
        digest: Of the footer.
        repeated: Names that several columns have.
    """

    columns: frozenset[str]
    groups: tuple[RowGroup, ...]
    etag: str = ""
    digest: str = ""
    repeated: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        """Return the rows of the file."""
        return sum(group.rows for group in self.groups)

    def begins_after(self, latest: int) -> bool:
        """Return whether there are rows, and every one is known to be later than an instant."""
        groups = [group for group in self.groups if group.rows]
        return bool(groups) and all(
            group.bounds is not None and group.bounds[0] > latest for group in groups
        )


def footer(
    handle: Any,
    time: str,
    zone: str,
    names: Mapping[int, str] | None = None,
    *,
    timeless: bool = False,
) -> Footer:
    """Return the parts of a file's footer that are kept.

    pyarrow parses the footer and answers for the schema and the rows. It is not asked about column
    chunks: its accessors end the process, without an exception, where statistics are too short,
    where size statistics do not fit the schema, and where a column is encrypted under a plain
    footer. Those bytes are read here.

    Args:
        handle: The open file.
        time: The column by which row groups are placed in time; "" for none.
        zone: Zone that naive times are local to.
        names: Names of columns by their ids, where a table knows them by ids.
        timeless: Whether rows without a time count: where there may be some the footer does not
            say of when the rows are.

    Raises:
        pa.ArrowException: The file is not parquet, or its footer contradicts itself.
    """
    metadata, data = read_footer(handle)
    schema = table_schema(metadata, names)
    columns = layout(schema)
    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows:
        raise pa.ArrowInvalid(
            f"the footer says {metadata.num_rows} rows, and of its row groups {rows[:5]}"
        )
    bounds: list[tuple[int, int] | None] = [None] * len(rows)
    if time in columns.leaves and data:
        place = schema.names.index(time)
        kind = schema.field(place).type
        if pa.types.is_timestamp(kind) or pa.types.is_date32(kind):
            written = _arrow_schema(metadata).names[place]
            statistics = _statistics(data, written, columns.leaves[time][0], len(rows))
            whole = not (timeless and schema.field(place).nullable)
            bounds = [
                _bounds(each, kind, zone) if whole or each.get(_NULLS) == 0 else None
                for each in statistics
            ]
    groups = tuple(RowGroup(*each) for each in zip(rows, bounds, strict=True))
    repeated: frozenset[str] = frozenset()
    if len(columns.names) < len(schema.names):
        repeated = frozenset(name for name, times in Counter(schema.names).items() if times > 1)
    digest = sha256(data).hexdigest()[:_DIGITS]
    return Footer(columns.names, groups, digest=digest, repeated=repeated)


def read_footer(handle: Any) -> tuple[Any, bytes]:
    """Return pyarrow's FileMetaData, and the bytes that say the same.

    Args:
        handle: The open file; of most files one read is enough.

    Raises:
        pa.ArrowException: The file is not parquet.
    """
    handle.seek(0, io.SEEK_END)
    size = handle.tell()
    data = _read_from(handle, max(0, size - _READ_AT_ONCE))
    length = int.from_bytes(data[-_ENDING : -len(_MAGIC)], "little")
    if data[-len(_MAGIC) :] != _MAGIC or not 0 < length <= size - _ENDING:
        return pq.read_metadata(handle), b""  # which is going to say what is wrong
    if length > _LONGEST:
        raise pa.ArrowInvalid(
            f"its footer claims {length:,} bytes, and no more than {_LONGEST:,} are read: write "
            "fewer row groups or columns a file, or less metadata"
        )
    if length > len(data) - _ENDING:
        data = _read_from(handle, size - _ENDING - length)
    ending = data[-_ENDING - length :]
    return pq.read_metadata(pa.BufferReader(ending)), ending[:length]


def _read_from(handle: Any, place: int) -> bytes:
    handle.seek(place)
    return bytes(handle.read())


def _statistics(data: bytes, name: str, leaf: int, groups: int) -> list[Statistics]:
    """Return the statistics of a top-level column in each row group; empty where it has none.

    Walking a footer costs twenty microseconds a column chunk, so the column is searched for by its
    path. Unless that is there once a row group, the footer is walked.
    """
    written = name.encode()
    path = _PATH_OF_ONE + bytes([min(len(written), _LONGEST_PATH)]) + written
    if len(written) <= _LONGEST_PATH and data.count(path) == groups:
        found, rest = [], 0
        for _ in range(groups):
            rest = data.index(path, rest) + len(path)
            found.append(read_struct(data, _OF_COLUMN, rest, _PATH))
    else:
        row_groups = read_struct(data, _OF_FILE).get(_ROW_GROUPS, [])
        columns = [group.get(_COLUMNS, []) for group in row_groups]
        if len(columns) != groups or any(leaf >= len(each) for each in columns):
            raise pa.ArrowInvalid("a row group of the footer lacks a column")
        found = [each[leaf].get(_METADATA, {}) for each in columns]
    return [each.get(_STATISTICS, {}) for each in found]


def is_signed(metadata: Any, data: bytes) -> bool:
    """Return whether a footer is signed, as it is where columns of the file may be encrypted.

    Nothing else tells that a file with a plain footer has such columns. A signature follows the
    footer that it signs.

    Args:
        metadata: pyarrow's FileMetaData.
        data: The bytes that it was parsed from.
    """
    return bool(len(data) != metadata.serialized_size)


def _arrow_schema(metadata: Any) -> Any:
    # Not metadata.schema: the two would hold each other, and a footer that the collector has to find
    # is there for hundreds of files more.
    return pq.ParquetSchema(metadata).to_arrow_schema()


def table_schema(metadata: Any, names: Mapping[int, str] | None) -> Any:
    """Return a file's schema with the names that its columns have in the table now.

    A table that knows columns by ids may have renamed one since the file was written, or dropped
    it and made another of the same name. A column that the table has no longer keeps its place
    under a name that no configuration can hold.
    """
    schema = _arrow_schema(metadata)
    if names is None:
        return schema
    return pa.schema([field.with_name(_name(field, names)) for field in schema])


def _name(field: Any, names: Mapping[int, str]) -> str:
    known = (field.metadata or {}).get(b"PARQUET:field_id")
    # A file that the table took in as it was has no ids: its columns are known by their names.
    return field.name if known is None else names.get(int(known), f"{NOT_IN_TABLE}{field.name}")


def _bounds(statistics: Statistics, kind: Any, zone: str) -> tuple[int, int] | None:
    """Return the earliest and latest time of a column chunk, None when its statistics do not say.

    Statistics of another width than the type's say nothing (int96 has no order of its own), and
    neither do those whose minimum is above their maximum.
    """
    width = kind.bit_width // 8
    raw = [
        int.from_bytes(written, "little", signed=True)
        for key, old in ((_MIN, _OLD_MIN), (_MAX, _OLD_MAX))
        if len(written := statistics.get(key, statistics.get(old, b""))) == width
    ]
    if len(raw) < len((_MIN, _MAX)) or raw[0] > raw[1]:
        return None
    storage = np.int32 if pa.types.is_date32(kind) else np.int64
    bounds: Any = instants(of_numbers(np.array(raw, storage)).view(kind), zone).micros
    return int(bounds[0]), int(bounds[1])
