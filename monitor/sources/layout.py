"""What the schema of a parquet file says of its columns."""

from collections.abc import Mapping, Sequence
from threading import local
from typing import Any

import pyarrow as pa
from msgspec import Struct

from monitor.profile.counts import value_name

NOT_IN_TABLE = "\0"
"""Begins the name of a column that the table has no longer."""

_LONGEST_TYPE = 200  # a struct may have thousands of fields


class Layout(Struct, frozen=True):
    """The columns of a file.

    Attributes:
        schema: pyarrow's schema, with the names that columns have in the table.
        leaves: Name to the indices of the parquet columns that make it up.
        kinds: Name to type.
        names: The names.
        fields: Names and logical types, in their order, as they are told.
        plain: Indices of the parquet columns that are a column by themselves.
        texts: Names of the columns of text.
        views: Names of the columns of the view layout.
    """

    schema: Any
    leaves: Mapping[str, tuple[int, ...]]
    kinds: Mapping[str, Any]
    names: frozenset[str]
    fields: Sequence[tuple[str, str]]
    plain: Sequence[int]
    texts: frozenset[str]
    views: frozenset[str]

    @classmethod
    def of(cls, schema: Any) -> "Layout":
        """Return the layout of a file with a schema."""
        leaves, kinds = leaf_columns(schema), first_types(schema)
        fields = [
            (value_name(column.name), logical_type(column.type))
            for column in schema
            if not column.name.startswith(NOT_IN_TABLE)
        ]
        plain = [
            leaf for name, kind in kinds.items() if not is_nested(kind) for leaf in leaves[name]
        ]
        return cls(
            schema,
            leaves,
            kinds,
            frozenset(leaves),
            fields,
            plain,
            frozenset(name for name, kind in kinds.items() if is_text(kind)),
            frozenset(name for name, kind in kinds.items() if is_view(kind)),
        )


class _Last(local):
    """The layout that a thread has made last."""

    layout: Layout | None = None


_LAST = _Last()


def layout(schema: Any) -> Layout:
    """Return the layout of a file with a schema; that of the last file if it is of the same one.

    The files of a log are mostly alike, and of a small one this would cost as much as its rows.
    """
    last = _LAST.layout
    if last is None or not last.schema.equals(schema):
        last = _LAST.layout = Layout.of(schema)
    return last


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


def is_nested(kind: Any) -> bool:
    """Return whether values of a type are made of others."""
    return bool(pa.types.is_nested(kind))


def is_text(kind: Any) -> bool:
    """Return whether a type is one of text."""
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_view(kind: Any) -> bool:
    """Return whether a type is one of the view layout, which few of Arrow's functions take."""
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))


def without_views(column: Any) -> Any:
    """Return text of the view layout, which few of Arrow's functions take, in the plain one."""
    if pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    return column.cast(pa.binary()) if pa.types.is_binary_view(column.type) else column


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
