"""What the footer of a parquet file says: its columns, its row groups, and their times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from monitor.sources.event_time import instants


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


def footer(metadata: Any, time: str, zone: str, names: Mapping[int, str] | None = None) -> Footer:
    """Return the parts of a footer that are kept.

    Args:
        metadata: pyarrow's FileMetaData.
        time: The column by which row groups are placed in time; "" for none.
        zone: Zone that naive times are local to.
        names: Names of columns by their ids, where a table knows them by ids.
    """
    schema = table_schema(metadata, names)
    leaves = leaf_columns(schema)
    leaf = leaves.get(time, ())
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
    return field.name if known is None else names.get(int(known), f"\0{field.name}")


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
