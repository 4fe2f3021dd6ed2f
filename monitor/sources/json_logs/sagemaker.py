"""Records of SageMaker's data capture: a request and its response in one."""

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

from monitor.sources.json_logs.payload import number_or_text
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

_SIDES = {Half.REQUEST: "endpointInput", Half.RESPONSE: "endpointOutput"}
_MISSING = {Half.REQUEST: Reason.NO_REQUEST, Half.RESPONSE: Reason.NO_RESPONSE}


def sagemaker_message(record: Any, mapped: Mapped) -> Message:
    """Return what a captured record says.

    The id is ``inferenceId`` where the caller gave one, as for joining ground truth, and
    ``eventId`` otherwise.

    Raises:
        RecordError: It is no captured record, or only one side of it was captured.
    """
    capture = looked_up(record, "captureData")
    if not isinstance(capture, dict):
        raise RecordError(Reason.UNKNOWN_RECORD, "no captureData in it")
    about = record.get("eventMetadata")
    about = about if isinstance(about, dict) else {}
    found = looked_up(record, mapped.id) if mapped.id else about.get("inferenceId")
    found = about.get("eventId") if found is None and not mapped.id else found
    if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
        raise RecordError(Reason.NO_ID, "no id")
    time = looked_up(record, mapped.event_time or "eventMetadata.inferenceTime")
    halves = {half: _side(capture.get(name), half) for half, name in _SIDES.items()}
    return Message(str(found), halves, None if time is None else instant(time, mapped))


def _side(side: Any, half: Half) -> Body:
    if not isinstance(side, dict) or side.get("data") is None:
        raise RecordError(_MISSING[half], f"the {half} was not captured")
    data, encoding = side["data"], str(side.get("encoding", "")).upper()
    kind = str(side.get("observedContentType") or "").partition(";")[0].strip().lower()
    if encoding == "BASE64":
        try:
            data = decoded(data).decode()
        except UnicodeDecodeError:
            raise RecordError(Reason.BAD_PAYLOAD, f"{kind or 'the payload'} is no text") from None
    if not isinstance(data, str):
        return Body(data)
    return _reader(kind, encoding)(data)


def _reader(kind: str, encoding: str) -> Callable[[str], Body]:
    if kind in {"application/jsonlines", "application/jsonl", "application/x-jsonlines"}:
        return _json_lines
    if encoding == "JSON" or kind.endswith("json"):
        return lambda data: Body(parsed(data))
    if encoding == "CSV" or kind in {"text/csv", "text/plain"}:
        return _csv
    raise RecordError(Reason.BAD_PAYLOAD, f"the content type {kind!r} is neither CSV nor JSON")


def _json_lines(data: str) -> Body:
    return Body([parsed(line) for line in data.splitlines() if line.strip()])


def _csv(data: str) -> Body:
    try:
        rows = [row for row in csv.reader(StringIO(data), strict=True) if row]
    except csv.Error as error:
        raise RecordError(Reason.BAD_PAYLOAD, f"not CSV: {error}") from None
    return Body([[number_or_text(text) for text in row] for row in rows], positional=True)
