"""What a line of a JSON log says, before it is known what it belongs to."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any

import pyarrow as pa
from msgspec import Struct, field

from monitor.domain.errors import ModelmonError
from monitor.profile.instants import begins_with_a_day, from_micros, instants, iso_text

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""What a number may count that is an event time, and how many of it are a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"-?[0-9]+(\.[0-9]+)?")

_EXPLAINED = {"Extra data": "more than one JSON value in a line: "}
"""What stands before those messages of the parser that do not say what is wrong with the line."""

DEEPEST = 100
"""Levels of nesting of a record; a payload of features has five."""


class Half(StrEnum):
    """Which half of a prediction a record is."""

    REQUEST = "request"
    RESPONSE = "response"


class Reason(StrEnum):
    """Why a record was not converted."""

    BAD_EVENT_TIME = "bad_event_time"
    BAD_PAYLOAD = "bad_payload"
    DUPLICATE_ID = "duplicate_id"
    ERROR_RESPONSE = "error_response"
    LINE_TOO_LONG = "line_too_long"
    NOT_JSON = "not_json"
    NO_EVENT_TIME = "no_event_time"
    NO_ID = "no_id"
    NO_REQUEST = "no_request"
    NO_RESPONSE = "no_response"
    ROWS_DIFFER = "rows_differ"
    UNKNOWN_RECORD = "unknown_record"
    UNREADABLE_FILE = "unreadable_file"


class RecordError(ModelmonError):
    """A record cannot be converted; carries the reason in a word and in a sentence."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(detail)


class Mapped(Struct, frozen=True):
    """How records are to be read.

    Attributes:
        format: Who wrote them, one of the known ones.
        features: Names of features that come by position.
        id: Dotted path of the id, if not where the format puts it.
        event_time: Dotted path of the event time, if not where the format puts it.
        request: Dotted path of the request, where the format leaves it open.
        response: Dotted path of the response, where the format leaves it open.
        version: Dotted path of the model's version, where the format leaves it open.
        unit: What a number that is an event time counts, one of `UNITS`; "" for not known.
        zone: IANA zone of event times without an offset; "" for not known.
    """

    format: str
    features: Sequence[str] = ()
    id: str = ""
    event_time: str = ""
    request: str = ""
    response: str = ""
    version: str = ""
    unit: str = ""
    zone: str = ""


class Place(Struct, frozen=True):
    """Where a record was read: a file, a 1-based line, and its number in that line from 0."""

    file: str
    line: int
    part: int = 0

    def __str__(self) -> str:
        """Return ``file:line``, the form editors can jump to."""
        return f"{self.file}:{self.line}"


class Body(Struct, frozen=True):
    """A payload as it was logged.

    Attributes:
        value: Parsed JSON, or the rows of a CSV as lists.
        positional: Whether CSV was read, whose values have no names.
    """

    value: Any
    positional: bool = False


class Message(Struct, frozen=True):
    """A record that is understood.

    Attributes:
        id: The prediction's id.
        halves: Its payloads; both where a record holds request and response.
        time: When it was made; None when it does not say.
        about: Bookkeeping columns, such as the model's name.
    """

    id: str
    halves: Mapping[Half, Body]
    time: datetime | None
    about: Mapping[str, str] = field(default_factory=dict)


def parsed(text: bytes | str) -> Any:
    """Return a JSON value.

    Raises:
        RecordError: It is none, or a key comes twice in one object.
    """
    found: Any
    try:
        found = json.loads(text, object_pairs_hook=_without_repeats)
        _refuse_depth(found)
        escaped = b"\\u" in text if isinstance(text, bytes) else "\\u" in text
        if escaped:  # half of a pair of surrogates is JSON, but no text
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise RecordError(Reason.NOT_JSON, "nested too deep") from None
    except json.JSONDecodeError as error:
        raise RecordError(Reason.NOT_JSON, _EXPLAINED.get(error.msg, "") + str(error)) from None
    except ValueError as error:  # also bytes that are no text
        raise RecordError(Reason.NOT_JSON, str(error)) from None
    return found


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for outer in level
            if isinstance(outer, list | dict)
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, list | dict)
        ]
        if not level:
            return
    raise RecordError(Reason.NOT_JSON, "nested too deep")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise RecordError(Reason.NOT_JSON, f"the key {repeated!r} comes twice in an object")
    return found


def decoded(text: Any) -> bytes:
    """Return the bytes of a base64 text.

    Raises:
        RecordError: It is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise RecordError(Reason.BAD_PAYLOAD, f"not base64: {error}") from None


def instant(value: Any, mapped: Mapped) -> datetime:
    """Return an instant: ISO 8601, or a number whose unit is known, since 1970.

    Raises:
        RecordError: It is none, or does not say enough by itself.
    """
    number = _number(value)
    try:
        if number is not None:
            return _counted(number, mapped.unit)
        found = _moment(iso_text(value))
        if found.tzinfo is None:
            return _placed(found, mapped.zone)
        return found.astimezone(UTC)
    except (TypeError, ValueError):
        raise RecordError(Reason.BAD_EVENT_TIME, f"not an ISO 8601 time: {value!r}") from None
    except OverflowError:
        raise RecordError(Reason.BAD_EVENT_TIME, f"outside the calendar: {value!r}") from None


def _moment(text: str) -> datetime:
    if text[4:5] == "-" and not begins_with_a_day(text):
        raise ValueError(f"no whole day, or an offset of one: {text!r}")
    return datetime.fromisoformat(text)


def _number(value: Any) -> Decimal | None:
    text = isinstance(value, str) and _DIGITS.fullmatch(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if text or number else None


def _counted(number: Decimal, unit: str) -> datetime:
    if not unit:
        problem = f"a number does not say what it counts: {number}; say --time-unit"
        raise RecordError(Reason.BAD_EVENT_TIME, problem)
    micros = number * 10**6 / UNITS[unit]
    return _EPOCH + timedelta(microseconds=int(micros.to_integral_value(ROUND_FLOOR)))


def _placed(local: datetime, zone: str) -> datetime:
    if not zone:
        problem = f"without an offset from UTC: {local.isoformat()!r}; say --timezone"
        raise RecordError(Reason.BAD_EVENT_TIME, problem)
    # By the rule for logs: the first of two instants, the end of a gap.
    found = instants(pa.array([local], pa.timestamp("us")), zone)
    if not found.usable[0]:
        raise OverflowError
    return from_micros(int(found.micros[0]))


def looked_up(record: Any, path: str) -> Any:
    """Return the value at a dotted path (``Metadata.x-time.0``); None when there is none."""
    for part in path.split("."):
        if isinstance(record, dict):
            record = record.get(part)
        elif isinstance(record, list) and part.isdigit() and int(part) < len(record):
            record = record[int(part)]
        else:
            return None
    return record
