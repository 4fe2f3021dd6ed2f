"""Records of KServe's inference logger, and of Seldon's, which is alike.

Three forms are read, each of which is a request or a response and says so by its type:

- a CloudEvent in its structured form: ``id, type, time, data`` or ``data_base64``, and the
  extensions ``inferenceservicename``, ``endpoint``…
- a CloudEvent in its binary form, as sinks write it: ``headers`` with ``ce-id, ce-type, ce-time``,
  and ``body`` or ``data``
- what the logger itself stores in a bucket: ``Id, ReqType, Bytes`` (base64), without a time
"""

from collections.abc import Mapping
from typing import Any

from monitor.sources.json_logs.record import (
    Body,
    Half,
    Mapped,
    Message,
    Reason,
    RecordError,
    decoded,
    instant,
    looked_up,
    parsed,
)

_TYPE = "org.kubeflow.serving.inference."
_SELDON = "io.seldon.serving.inference."
_IDS = ("ce-id", "id", "Id")
_SELDON_IDS = ("ce-requestid", "requestid")  # there each half is an event with an id of its own
_ABOUT = {
    "model": ("inferenceservicename", "ce-inferenceservicename", "InferenceService"),
    "endpoint": ("endpoint", "ce-endpoint", "Endpoint"),
}


def kserve_message(record: Any, mapped: Mapped) -> Message:
    """Return what a record of the logger says.

    Raises:
        RecordError: It is none of the three forms.
    """
    if not isinstance(record, dict):
        raise RecordError(Reason.UNKNOWN_RECORD, "not an object")
    headers = record.get("headers")
    known = (
        {str(key).lower(): value for key, value in headers.items()}
        if isinstance(headers, dict)
        else {}
    )
    flat: Mapping[str, Any] = {**record, **known}
    kind = _first(flat, "type", "ce-type", "ReqType")
    half = _half(kind)
    own = _SELDON_IDS if kind.startswith(_SELDON) else _IDS
    found = looked_up(record, mapped.id) if mapped.id else _first(flat, *own)
    if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
        raise RecordError(Reason.NO_ID, "no id")
    timed = mapped.event_time
    time = looked_up(record, timed) if timed else _first(flat, "ce-time", "time")
    about = {name: _first(flat, *keys) for name, keys in _ABOUT.items()}
    return Message(
        str(found),
        {half: Body(_payload(record))},
        None if time is None else instant(time, mapped),
        {name: value for name, value in about.items() if isinstance(value, str) and value},
    )


def _first(record: Mapping[str, Any], *keys: str) -> Any:
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _half(kind: Any) -> Half:
    for half in Half:
        if kind in {_TYPE + half, _SELDON + half}:
            return half
    raise RecordError(
        Reason.UNKNOWN_RECORD, f"its type is {kind!r}, not {_TYPE}request or {_TYPE}response"
    )


def _payload(record: Mapping[str, Any]) -> Any:
    if record.get("Bytes") is not None:
        return parsed(decoded(record["Bytes"]))
    if record.get("data_base64") is not None:
        return parsed(decoded(record["data_base64"]))
    payload = _first(record, "data", "body")
    if payload is None:
        raise RecordError(Reason.BAD_PAYLOAD, "no payload")
    return parsed(payload) if isinstance(payload, str) else payload
