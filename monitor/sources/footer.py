"""What the footer of a parquet file says: its columns, its row groups, and their times."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from monitor.sources.event_time import instants

NOT_IN_TABLE = "\0"
"""Begins the name of a column that the table has no longer."""

_LONGEST_TYPE = 200  # a struct may have thousands of fields


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group.

    Attributes:
        rows: Its rows.
        bounds: Its earliest and latest time, microseconds since 1970 UTC; None when the footer
            does not say.
    """

    rows: int
    bounds: tuple[int, int] | None = None

    def may_hold(self, start: int, end: int) -> bool:
        """Return whether it may hold rows of ``[start, end)``."""
        if not self.rows or self.bounds is None:
            return bool(self.rows)
        return self.bounds[0] < end and start <= self.bounds[1]


@dataclass(frozen=True, slots=True)
class Footer:
    """The little of a footer that planning a scan needs."""

    columns: frozenset[str]
    groups: tuple[RowGroup, ...]
    etag: str = ""

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


def is_signed(handle: Any, metadata: Any) -> bool:
    """Return whether a footer is signed, as it is where columns of the file may be encrypted.

    Asking pyarrow for anything about an encrypted column's chunk, even for its encoding, ends the
    process; nothing else tells that a file with a plain footer has such columns. A signature
    follows the footer that it signs, and is counted in the length at the end of the file.

    Args:
        handle: The file, open for random access.
        metadata: pyarrow's FileMetaData.
    """
    handle.seek(-8, io.SEEK_END)
    length = int.from_bytes(handle.read(4), "little")
    return bool(length != metadata.serialized_size)


def footer(
    metadata: Any,
    time: str,
    zone: str,
    names: Mapping[int, str] | None = None,
    *,
    signed: bool = False,
) -> Footer:
    """Return the parts of a footer that are kept.

    Args:
        metadata: pyarrow's FileMetaData.
        time: The column by which row groups are placed in time; "" for none.
        zone: Zone that naive times are local to.
        names: Names of columns by their ids, where a table knows them by ids.
        signed: Whether columns may be encrypted: their times are then not looked for.
    """
    schema = table_schema(metadata, names)
    leaves = leaf_columns(schema)
    leaf = () if signed else leaves.get(time, ())
    kind = schema.field(schema.names.index(time)).type if leaf else None
    groups = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        bounds = _bounds(group.column(leaf[0]), kind, zone) if leaf else None
        groups.append(RowGroup(group.num_rows, bounds))
    return Footer(frozenset(leaves), tuple(groups))


def table_schema(metadata: Any, names: Mapping[int, str] | None) -> Any:
    """Return a file's schema with the names that its columns have in the table now.

    A table that knows columns by ids may have renamed one since the file was written, or dropped
    it and made another of the same name. A column that the table has no longer keeps its place
    under a name that no configuration can hold.
    """
    schema = metadata.schema.to_arrow_schema()
    if names is None:
        return schema
    return pa.schema([field.with_name(_name(field, names)) for field in schema])


def _name(field: Any, names: Mapping[int, str]) -> str:
    known = (field.metadata or {}).get(b"PARQUET:field_id")
    # A file that the table took in as it was has no ids: its columns are known by their names.
    return field.name if known is None else names.get(int(known), f"{NOT_IN_TABLE}{field.name}")


def leaf_columns(schema: Any) -> Mapping[str, tuple[int, ...]]:
    """Return the indices of the parquet columns that make up each top-level column.

    Looked up by place, not by dotted path: a name may hold dots itself. Of several columns of one
    name the first is meant.
    """
    columns: dict[str, tuple[int, ...]] = {}
    begin = 0
    for column in schema:
        end = begin + _leaves(column.type)
        columns.setdefault(column.name, tuple(range(begin, end)))
        begin = end
    return columns


def first_types(schema: Any) -> Mapping[str, Any]:
    """Return the type of each top-level column; of several columns of one name the first's."""
    kinds: dict[str, Any] = {}
    for column in schema:
        kinds.setdefault(column.name, column.type)
    return kinds


def logical_type(kind: Any) -> str:
    """Return what a type means, without how it is stored; "" for a column of nulls alone.

    Codes into a dictionary are what they stand for, long text is text, and the unit of a
    timestamp does not matter while it is told whether it has a zone.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return logical_type(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return logical_type(kind.value_type)
    if pa.types.is_null(kind):
        return ""
    if pa.types.is_timestamp(kind):
        return "timestamp with zone" if kind.tz else "timestamp without zone"
    if pa.types.is_date(kind):
        return "date"
    text = str(kind).removeprefix("large_").removesuffix("_view")
    return text if len(text) <= _LONGEST_TYPE else f"{text[:_LONGEST_TYPE]}…"


def _leaves(kind: Any) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        return _leaves(kind.storage_type)
    if not pa.types.is_nested(kind):
        return 1
    return sum(_leaves(kind.field(place).type) for place in range(kind.num_fields))


def _bounds(chunk: Any, kind: Any, zone: str) -> tuple[int, int] | None:
    """Return the earliest and latest time of a column chunk by its statistics."""
    statistics = chunk.statistics
    timed = pa.types.is_timestamp(kind) or pa.types.is_date32(kind)
    if not timed or statistics is None or not statistics.has_min_max:
        return None
    raw = [statistics.min_raw, statistics.max_raw]
    if not all(isinstance(bound, int) for bound in raw):  # int96 has no order of its own
        return None
    storage = pa.int32() if pa.types.is_date32(kind) else pa.int64()
    bounds: Any = instants(pa.array(np.array(raw), storage).view(kind), zone).micros
    return int(bounds[0]), int(bounds[1])
