"""Payloads that name their columns once and bring rows, or columns, beside the names."""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.sources.json_logs.record import Reason, RecordError

_TENSOR = 2  # dimensions: rows and columns


def framed(payload: Any) -> Sequence[Any] | None:
    """Return the instances of a payload that is a table; None when it is none.

    Tables are MLflow's ``dataframe_split``, ``dataframe_records`` and ``inputs`` by column, and
    Seldon's ``data`` with ``names`` and ``ndarray`` or ``tensor``.

    Raises:
        RecordError: It is one, and names and values do not fit.
    """
    if not isinstance(payload, dict):
        return None
    split, records, inputs, data = (
        payload.get(key) for key in ("dataframe_split", "dataframe_records", "inputs", "data")
    )
    if isinstance(split, dict):
        return _named(split.get("columns"), split.get("data"))
    if isinstance(records, list):
        return records
    if isinstance(inputs, dict):
        return _turned(inputs)
    if isinstance(data, dict) and ("ndarray" in data or "tensor" in data):
        return _named(data.get("names"), data["ndarray"] if "ndarray" in data else _shaped(data))
    return None


def _named(names: Any, rows: Any) -> Sequence[Any]:
    if not isinstance(rows, list):
        raise RecordError(Reason.BAD_PAYLOAD, "a table without rows")
    if not names:
        return rows
    if not isinstance(names, list) or len({str(name) for name in names}) < len(names):
        raise RecordError(Reason.BAD_PAYLOAD, f"the columns are not named once each: {names!r}")
    for row in rows:
        if not isinstance(row, list) or len(row) != len(names):
            raise RecordError(Reason.BAD_PAYLOAD, f"a row that has not {len(names)} values")
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


def _turned(columns: Mapping[str, Any]) -> Sequence[Any]:
    """Return rows of columns; a single row where no column is a list."""
    if not any(isinstance(column, list) for column in columns.values()):
        return [columns]
    lengths = {len(col) if isinstance(col, list) else -1 for col in columns.values()}
    if len(lengths) > 1:
        raise RecordError(Reason.BAD_PAYLOAD, "the columns of inputs have several lengths")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _shaped(data: Mapping[str, Any]) -> Any:
    tensor = data["tensor"] if isinstance(data["tensor"], dict) else {}
    shape, values = tensor.get("shape"), tensor.get("values")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise RecordError(Reason.BAD_PAYLOAD, "a tensor without a shape")
    if len(shape) != _TENSOR or not isinstance(values, list):
        raise RecordError(Reason.BAD_PAYLOAD, "a tensor that is not of rows and columns")
    rows, width = shape
    if rows * width != len(values):
        raise RecordError(
            Reason.BAD_PAYLOAD, f"a tensor of shape {shape} with {len(values)} values"
        )
    return [values[place * width : (place + 1) * width] for place in range(rows)]
