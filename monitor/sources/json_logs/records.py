"""Records of any logger that writes a prediction as one JSON object."""

from collections.abc import Mapping
from typing import Any

from monitor.sources.json_logs.record import (
    Body,
    Half,
    Mapped,
    Message,
    Reason,
    RecordError,
    instant,
    looked_up,
    parsed,
)

_MISSING = {Half.REQUEST: Reason.NO_REQUEST, Half.RESPONSE: Reason.NO_RESPONSE}


def records_message(record: Any, mapped: Mapped) -> Message:
    """Return what a record says, whose parts are where the caller says.

    Without a path of the request, every key that no other path names is a feature. Without a path
    of the id, rows have none.

    Raises:
        RecordError: It is no object, or a part is not where it should be.
    """
    if not isinstance(record, dict):
        raise RecordError(Reason.UNKNOWN_RECORD, "not an object")
    time = looked_up(record, mapped.event_time)
    version = looked_up(record, mapped.version) if mapped.version else None
    return Message(
        _id(record, mapped.id) if mapped.id else "",
        {Half.REQUEST: _request(record, mapped), Half.RESPONSE: _response(record, mapped)},
        None if time is None else instant(time, mapped),
        {} if version is None else {"model_version": str(version)},
    )


def _id(record: Mapping[str, Any], path: str) -> str:
    found = looked_up(record, path)
    if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
        raise RecordError(Reason.NO_ID, f"no id at {path}")
    return str(found)


def _request(record: Mapping[str, Any], mapped: Mapped) -> Body:
    if mapped.request:
        return _side(record, mapped.request, Half.REQUEST)
    used = {mapped.id, mapped.event_time, mapped.response, mapped.version}
    return Body([{key: value for key, value in record.items() if key not in used}])


def _response(record: Mapping[str, Any], mapped: Mapped) -> Body:
    # A flat record without a path of its own for it names its prediction like any other column.
    return _side(record, mapped.response, Half.RESPONSE) if mapped.response else Body({})


def _side(record: Mapping[str, Any], path: str, half: Half) -> Body:
    found = looked_up(record, path)
    if found is None:
        raise RecordError(_MISSING[half], f"no {half} at {path}")
    return Body([_read(item) for item in found] if isinstance(found, list) else _read(found))


def _read(value: Any) -> Any:
    """Return what a payload says; one that was logged as text is JSON if it begins as such."""
    written = isinstance(value, str) and value.lstrip().startswith(("{", "["))
    return parsed(value) if written else value
