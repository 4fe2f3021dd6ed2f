"""Rows whose columns and types are known only at the end, as one parquet file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitor.domain.errors import SourceError
from monitor.domain.naming import scalar_text
from monitor.sources.json_logs.payload import Row

PART_ROWS = 20_000
"""Rows in memory at once."""

BOOKKEEPING = {
    "id": pa.string(),
    "event_time": pa.timestamp("us", "UTC"),
    "model": pa.string(),
    "model_version": pa.string(),
    "endpoint": pa.string(),
}
"""Columns that every converted log has, whatever the features are."""

_TYPES = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "str": pa.string(),
}

_EXACT = 2**53  # whole numbers beyond it are longer than a double is exact


class RowWriter:
    """Writes rows in parts, each with the types that it has, then all with those that fit.

    Args:
        folder: A folder for the parts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pending: list[tuple[Mapping[str, Any], Row]] = []
        self._parts: list[Path] = []
        self._kinds: dict[str, set[str]] = {}
        self.rows = 0
        self._missing: dict[str, int] = {}

    def add(self, about: Mapping[str, str | datetime], row: Row) -> None:
        """Take a row: its bookkeeping, and its features and predictions."""
        self._pending.append((about, row))
        self.rows += 1
        if len(self._pending) == PART_ROWS:
            self._write_part()

    @property
    def mixed(self) -> Sequence[str]:
        """Return the columns that are text although not all of their values are."""
        return [
            name for name, kinds in self._kinds.items() if len(kinds) > 1 and _kind(kinds) == "str"
        ]

    def finish(self, target: Path) -> Any:
        """Write all rows to one file, read it again, and return its schema.

        Raises:
            SourceError: What is read is not what was written.
        """
        self._write_part()
        types = {name: _TYPES[_kind(kinds)] for name, kinds in sorted(self._kinds.items())}
        schema = pa.schema([*BOOKKEEPING.items(), *types.items()])
        with pq.ParquetWriter(target, schema) as writer:
            for part in self._parts:
                writer.write_table(_conformed(pq.read_table(part), schema))
                part.unlink()
        self._check(target, schema)
        return schema

    def _write_part(self) -> None:
        if not self._pending:
            return
        names = dict.fromkeys(name for _, row in self._pending for name in row)
        columns: dict[str, Any] = {
            name: pa.array([about.get(name) for about, _ in self._pending], kind)
            for name, kind in BOOKKEEPING.items()
        }
        for name in names:
            values = [row.get(name) for _, row in self._pending]
            kinds = {_kind_of(value) for value in values if value is not None}
            self._kinds.setdefault(name, set()).update(kinds)
            columns[name] = _array(values, _kind(kinds))
        part = self._folder / f"{len(self._parts)}.parquet"
        pq.write_table(pa.table(columns), part)
        self._parts.append(part)
        for name, column in columns.items():
            present = len(column) - column.null_count
            self._missing[name] = self._missing.get(name, 0) + present
        self._pending = []

    def _check(self, target: Path, schema: Any) -> None:
        with pq.ParquetFile(target) as written:
            rows = 0
            present = dict.fromkeys(schema.names, 0)
            for group in range(written.num_row_groups):
                table = written.read_row_group(group)
                rows += table.num_rows
                for name in schema.names:
                    present[name] += table.num_rows - table.column(name).null_count
            same = written.schema_arrow.equals(schema) and rows == self.rows
        wanted = {name: self._missing.get(name, 0) for name in schema.names}
        if not same or present != wanted:
            raise SourceError(f"{target}: what was read again is not what was written")


def _kind_of(value: Any) -> str:
    """Return the kind of a value; whole numbers that a double would change are a kind of their own."""
    long = type(value) is int and abs(value) > _EXACT
    return "long" if long else type(value).__name__


def _kind(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {"int", "long"}:
        return "long"
    return "float" if kinds == {"int", "float"} else "str"


def _array(values: Sequence[Any], kind: str) -> Any:
    if kind == "str":
        values = [None if value is None else scalar_text(value) for value in values]
    return pa.array(values, _TYPES[kind], from_pandas=False)


def _conformed(table: Any, schema: Any) -> Any:
    columns = []
    for item in schema:
        if item.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, item.type))
            continue
        column = table.column(item.name)
        if pa.types.is_string(item.type) and not pa.types.is_string(column.type):
            column = _array(column.to_pylist(), "str")
        columns.append(column.cast(item.type))
    return pa.table(columns, schema=schema)
