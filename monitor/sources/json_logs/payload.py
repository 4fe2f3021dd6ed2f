"""Payloads of requests and responses as rows of named values."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import prod
from typing import Any

from monitor.sources.json_logs.frames import framed
from monitor.sources.json_logs.record import Body, Half, Reason, RecordError

Value = bool | int | float | str | None
Row = dict[str, Value]

MOST_COLUMNS = 5_000
"""Columns of a row; a payload with more is a picture or a text, not features."""

PREDICTION = "prediction"

_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_INT64 = 2**63
_LONGEST = 20  # digits of a number of 64 bits, with its sign


def number_or_text(text: str) -> Value:
    """Return what a value of a CSV means: nothing, a number, or a text (also ``007``)."""
    text = text.strip()
    if not text:
        return None
    if text.lower() == "nan":
        return float("nan")
    if not _NUMBER.fullmatch(text):
        return text
    if not _WHOLE.fullmatch(text):
        return float(text)
    # What is too long for a whole number is an id, and its last digits matter.
    return text if len(text) > _LONGEST or not _fits(int(text)) else int(text)


def _fits(number: int) -> bool:
    return -_INT64 <= number < _INT64


def request_rows(body: Body, names: Sequence[str]) -> list[Row]:
    """Return the features of each instance of a request.

    Args:
        body: The payload.
        names: Names of features that come by position; ``feature_0``… for those without one.

    Raises:
        RecordError: The payload has no instances that can be told apart.
    """
    payload = body.value
    if isinstance(payload, dict) and _has_tensors(payload.get("inputs")):
        return _tensor_rows(payload["inputs"], names, "feature")
    return [_named(item, names, "feature") for item in _instances(payload, Half.REQUEST)]


def response_rows(body: Body) -> list[Row]:
    """Return the predictions of each instance of a response.

    Raises:
        RecordError: The payload is an error, or has no predictions that can be told apart.
    """
    payload = body.value
    if isinstance(payload, dict):
        code = payload.get("error_code")  # a number may be one of the predictions
        error = payload.get("error", code if isinstance(code, str) else None)
        if "error" in payload or error is not None:
            raise RecordError(Reason.ERROR_RESPONSE, f"the response is an error: {error!r}")
    if isinstance(payload, dict) and isinstance(payload.get("outputs"), list):
        return [_as_predictions(row) for row in _tensor_rows(payload["outputs"], (), PREDICTION)]
    found = _instances(payload, Half.RESPONSE)
    return [_as_predictions(_named(item, (), PREDICTION)) for item in found]


def response_version(body: Body) -> Mapping[str, str]:
    """Return the model and its version, where the response names them."""
    payload = body.value if isinstance(body.value, dict) else {}
    named = {"model": payload.get("model_name"), "model_version": payload.get("model_version")}
    return {name: value for name, value in named.items() if isinstance(value, str) and value}


_LISTS = {Half.REQUEST: ("instances", "features", "inputs"), Half.RESPONSE: ("predictions",)}


def _has_tensors(inputs: Any) -> bool:
    """Return whether ``inputs`` are those of the open inference protocol, and not MLflow's rows."""
    rows = isinstance(inputs, list) and inputs and isinstance(inputs[0], list | int | float | str)
    return isinstance(inputs, list) and not rows


def _instances(payload: Any, half: Half) -> Sequence[Any]:
    table = framed(payload)
    if table is not None:
        return table
    if isinstance(payload, dict):
        for key in _LISTS[half]:
            if isinstance(payload.get(key), list):
                listed: list[Any] = payload[key]
                single = key == "features" and not any(map(_is_nested, listed))
                return [listed] if single else listed
        return [payload]
    if isinstance(payload, list):
        if half is Half.REQUEST and payload and not any(map(_is_nested, payload)):
            return [payload]  # the values of one instance
        return payload
    return [payload]


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | dict)


def _named(item: Any, names: Sequence[str], otherwise: str) -> Row:
    if isinstance(item, dict):
        return _checked(_flat("", item))
    values = item if isinstance(item, list) else [item]
    if names and len(values) != len(names):
        raise RecordError(
            Reason.BAD_PAYLOAD, f"{len(values)} values by position, but {len(names)} names"
        )
    if len(values) == 1 and not names and otherwise == PREDICTION:
        return _checked(_flat(PREDICTION, values[0]))
    found = names or [f"{otherwise}_{place}" for place in range(len(values))]
    pairs = zip(found, values, strict=True)
    return _checked(chain.from_iterable(_flat(name, value) for name, value in pairs))


def _as_predictions(row: Row) -> Row:
    return _checked(
        (name if name.startswith(PREDICTION) else f"{PREDICTION}_{name}", value)
        for name, value in row.items()
    )


def _flat(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    """Yield single values: ``name.key`` of an object, ``name_0`` of a list."""
    pending = [(name, value)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict):
            inner = [(f"{name}.{key}" if name else key, item) for key, item in value.items()]
            pending += reversed(inner)
        elif isinstance(value, list):
            pending += reversed([(f"{name}_{place}", item) for place, item in enumerate(value)])
        elif isinstance(value, int) and not _fits(value):
            yield name, str(value)
        else:
            yield name, value


def _checked(values: Iterable[tuple[str, Value]]) -> Row:
    """Return named values as a row, once each has a name of its own."""
    pairs = list(values)
    if len(pairs) > MOST_COLUMNS:
        raise RecordError(Reason.BAD_PAYLOAD, f"{len(pairs):,} values in one instance")
    row = dict(pairs)
    if len(row) < len(pairs):
        (name, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise RecordError(Reason.BAD_PAYLOAD, f"two values would have the name {name!r}")
    return row


def _tensor_rows(tensors: Sequence[Any], names: Sequence[str], otherwise: str) -> list[Row]:
    """Return the rows of the tensors of the open inference protocol (v2)."""
    rows: list[list[tuple[str, Value]]] | None = None
    alone = len(tensors) == 1
    for tensor in tensors:
        name, count, values = _tensor(tensor)
        width = len(values) // count if count else 0
        if rows is None:
            rows = [[] for _ in range(count)]
        if len(rows) != count:
            raise RecordError(Reason.BAD_PAYLOAD, f"the tensor {name!r} has another length")
        if alone and otherwise == PREDICTION:
            name = PREDICTION
        columns = _columns(name, width, names if alone else ())
        for place, row in enumerate(rows):
            row.extend(zip(columns, values[place * width : (place + 1) * width], strict=True))
    if rows is None:
        raise RecordError(Reason.BAD_PAYLOAD, "no tensors")
    return [_checked(row) for row in rows]


def _columns(name: str, width: int, names: Sequence[str]) -> Sequence[str]:
    if names and len(names) != width:
        raise RecordError(Reason.BAD_PAYLOAD, f"{width} values by position, but {len(names)} names")
    if names:
        return names
    return [name] if width == 1 else [f"{name}_{place}" for place in range(width)]


def _tensor(tensor: Any) -> tuple[str, int, list[Value]]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise RecordError(Reason.BAD_PAYLOAD, "a tensor without a name")
    name, shape, data = tensor["name"], tensor.get("shape"), tensor.get("data")
    if not isinstance(data, list):
        raise RecordError(Reason.BAD_PAYLOAD, f"the tensor {name!r} has no data in JSON")
    values = [value for _, value in _flat("", data)]
    if not isinstance(shape, list) or not shape or not all(type(size) is int for size in shape):
        raise RecordError(Reason.BAD_PAYLOAD, f"the tensor {name!r} has no shape")
    if prod(shape) != len(values):
        raise RecordError(
            Reason.BAD_PAYLOAD, f"the tensor {name!r} of shape {shape} has {len(values)} values"
        )
    return name, shape[0], values
