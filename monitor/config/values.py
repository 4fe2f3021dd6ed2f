"""What the values of keys may be: names, texts, durations, instants, zones, paths.

Each kind is a type for pydantic whose errors say what would be right. The functions are used on
their own as well, where one key is checked against another.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from unicodedata import category
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from monitor.config.wording import described, nearest, quoted, suggestion
from monitor.domain.naming import scalar_text
from monitor.domain.schedule import CalendarUnit

MAX_NAME = 200
"""Characters of a name: the width of its database column, and more than anybody can read."""

MOST_WINDOWS = 10
"""Windows that a persistence may look at: older ones say little of the present."""

NEVER = "never"
"""A bound that is never exceeded."""

_MAX_HOST = 253
_HOST = re.compile("[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*[.]?")
_DURATION = re.compile(r"([0-9]{1,7})([smhdw])")
_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_PERSISTENCE = re.compile(r"([1-9][0-9]?) of ([1-9][0-9]?)")
_SIZE_OF_MEMORY = re.compile(r"([1-9][0-9]{0,5})(MiB|GiB)")
_BYTES = {"GiB": 2**30, "MiB": 2**20}
_DURATION_FORM = "a duration such as 90s, 15m, 6h, 14d or 2w"
_FIRST_YEAR, _LAST_YEAR = 1700, 2200  # what a log's nanosecond timestamps can hold
_SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "file")


def wrong(message: str) -> PydanticCustomError:
    """Return an error with a message of ours; braces in it stay as they are."""
    return PydanticCustomError("modelmon", "{message}", {"message": message})


def checked_name(name: str) -> str:
    """Return a name that can be shown on one line, or raise."""
    if not name.strip():
        raise wrong("a name must not be empty")
    if len(name) > MAX_NAME:
        raise wrong(f"a name has at most {MAX_NAME} characters, this one has {len(name)}")
    if any(category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in name):
        raise wrong(f"a name must not hold control characters: {quoted(name)}")
    return name


def checked_text(text: str) -> str:
    """Return a text that is not empty, or raise."""
    if not text.strip():
        raise wrong("must not be empty")
    return text


def checked_host(name: str) -> str:
    """Return the name of a machine or a service, or raise."""
    if len(name) > _MAX_HOST or not _HOST.fullmatch(name):
        raise wrong("must be a name without scheme, port and path, such as monitor.example")
    return name


def checked_location(text: str) -> str:
    """Return a path or a URI of a file system that can be read, or raise."""
    scheme, separator, _ = checked_text(text).partition("://")
    if separator and scheme not in _SCHEMES:
        raise wrong(
            f"{quoted(scheme + '://')} is no file system that can be read; "
            f"known are a path and {', '.join(_SCHEMES)}"
        )
    return text


def checked_zone(name: str) -> str:
    """Return the name of an IANA zone, or raise with the nearest one."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # OSError: a folder of zones, as "Europe"
        near = suggestion(name, available_timezones())
        raise wrong(f"{quoted(name)} is no IANA time zone{near}") from error
    return name


def parse_duration(value: Any) -> timedelta:
    """Return a duration such as ``15m``, or raise."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise wrong(f"must be {_DURATION_FORM}, not {described(value)}")
    return int(match[1]) * _UNITS[match[2]]


def duration_text(duration: timedelta) -> str:
    """Return a duration of whole seconds in the largest unit that divides it."""
    if not duration:
        return "0s"
    unit = next(unit for unit, size in _UNITS.items() if not duration % size)
    return f"{duration // _UNITS[unit]}{unit}"


def parse_memory(value: Any) -> int:
    """Return the bytes of a size such as ``512MiB``, or raise."""
    match = _SIZE_OF_MEMORY.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise wrong(f"must be a size such as 512MiB or 2GiB, not {described(value)}")
    return int(match[1]) * _BYTES[match[2]]


def memory_text(size: int) -> str:
    """Return a size of whole MiB in the largest unit that divides it."""
    unit = next(unit for unit, of_bytes in _BYTES.items() if not size % of_bytes)
    return f"{size // _BYTES[unit]}{unit}"


def parse_instant(value: Any) -> datetime:
    """Return a date or a time, with a zone or without one, or raise."""
    if isinstance(value, datetime):
        return value
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        form = "2005-06-01 or 2005-06-01T06:00+02:00"
        raise wrong(f"must be a date or time such as {form}, not {described(value)}") from error
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise wrong(f"must lie between {_FIRST_YEAR} and {_LAST_YEAR}, not {described(value)}")
    return instant


def in_zone(instant: datetime, zone: str) -> datetime:
    """Return an instant with its zone, the given one if it has none."""
    return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(zone))


def _positive(duration: timedelta) -> timedelta:
    if not duration:
        raise wrong("must be longer than nothing")
    return duration


def _lease(duration: timedelta) -> timedelta:
    if not _LEASES[0] <= duration <= _LEASES[1]:
        raise wrong(f"must be between {' and '.join(map(duration_text, _LEASES))}")
    return duration


def _length(value: Any) -> CalendarUnit | timedelta:
    if isinstance(value, str) and value in set(CalendarUnit):
        return CalendarUnit(value)
    if not isinstance(value, str) or not value[:1].isdigit():
        units = ", ".join(CalendarUnit)
        near = nearest(value, CalendarUnit) if isinstance(value, str) else ""
        raise wrong(f"must be {units}, or {_DURATION_FORM}, not {described(value)}{near}")
    return _positive(parse_duration(value))


def _value_text(value: Any) -> str:
    if not isinstance(value, bool | int | float | str):
        raise wrong(f"must be a single value, not {described(value)}")
    return scalar_text(value)


def _bound(value: Any) -> Any:
    if isinstance(value, str):
        if value == NEVER:
            return None
        raise wrong(f"must be a number, or {NEVER}, not {described(value)}")
    return value


BIN_PRESETS: Mapping[str, tuple[float, ...]] = {
    "adea": (40.0,),
    "ecoa": (62.0,),
    "decades": (20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0),
}
"""Cut points of ages by name: 29 U.S.C. 631 (40 and above), 15 U.S.C. 1691 with 12 CFR 1002.2(o)
(elderly: 62 and above), and ten years each."""


def parse_bins(value: Any) -> Any:
    """Return the cut points that a preset stands for; a list stays as it is."""
    if isinstance(value, str) and value in BIN_PRESETS:
        return list(BIN_PRESETS[value])
    if not isinstance(value, list):
        near = suggestion(value, BIN_PRESETS) if isinstance(value, str) else ""
        presets = ", ".join(BIN_PRESETS)
        raise wrong(f"must be a list of cut points, or {presets}, not {described(value)}{near}")
    return value


def _share(value: Any) -> Any:
    if isinstance(value, str):
        if value == NEVER:
            return None
        raise wrong(f"must be a number between 0 and 1, or {NEVER}, not {described(value)}")
    return value


def parse_persistence(value: Any) -> tuple[int, int]:
    """Return "2 of 3" as its two numbers, or raise."""
    if isinstance(value, tuple):
        return value
    match = _PERSISTENCE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise wrong(f'must be such as "2 of 3" windows, not {described(value)}')
    needed, of = int(match[1]), int(match[2])
    if needed > of:
        raise wrong(f"asks for {needed} of {of} windows; it can be at most all of them")
    if of > MOST_WINDOWS:
        raise wrong(f"looks at {of} windows; it can be at most {MOST_WINDOWS}")
    return needed, of


def persistence_text(needed: int, of: int) -> str:
    """Return the two numbers as they are written."""
    return f"{needed} of {of}"


Name = Annotated[
    str,
    AfterValidator(checked_name),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME}),
]
Text = Annotated[str, AfterValidator(checked_text)]
Location = Annotated[str, AfterValidator(checked_location)]
HostName = Annotated[str, AfterValidator(checked_host)]
Zone = Annotated[str, AfterValidator(checked_zone)]
Value = Annotated[
    str, BeforeValidator(_value_text, json_schema_input_type=bool | int | float | str)
]
_Unit = Literal["hour", "day", "week", "month", "quarter", "year"]
_DurationText = Annotated[str, Field(pattern=f"^{_DURATION.pattern}$")]
Length = Annotated[
    CalendarUnit | timedelta, BeforeValidator(_length, json_schema_input_type=_Unit | _DurationText)
]
"""The length of a window: a calendar unit, or a duration."""
Duration = Annotated[
    timedelta, BeforeValidator(parse_duration, json_schema_input_type=_DurationText)
]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
_LEASES = (timedelta(seconds=3), timedelta(minutes=10))
LeaseDuration = Annotated[Duration, AfterValidator(_lease)]
"""Shorter ones would be lost while a busy machine waits; longer ones leave models unwatched."""
_MemoryText = Annotated[str, Field(pattern=f"^{_SIZE_OF_MEMORY.pattern}$")]
Memory = Annotated[int, BeforeValidator(parse_memory, json_schema_input_type=_MemoryText)]
_PersistenceText = Annotated[str, Field(pattern=f"^{_PERSISTENCE.pattern}$")]
Persistence = Annotated[
    tuple[int, int], BeforeValidator(parse_persistence, json_schema_input_type=_PersistenceText)
]
"""How many windows of how many must be beyond a limit."""
_CutPoints = Annotated[list[float], Field(min_length=1)]
Bins = Annotated[
    _CutPoints,
    BeforeValidator(
        parse_bins, json_schema_input_type=_CutPoints | Literal["adea", "ecoa", "decades"]
    ),
]
"""Where groups of numbers begin."""
Instant = Annotated[datetime, BeforeValidator(parse_instant, json_schema_input_type=str)]
_Size = Annotated[float, Field(ge=0)]
Bound = Annotated[
    _Size | None, BeforeValidator(_bound, json_schema_input_type=_Size | Literal["never"])
]
"""A size that must not be exceeded; None for ``never``."""

_Part = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[
    _Part | None, BeforeValidator(_share, json_schema_input_type=_Part | Literal["never"])
]
"""A part of one; None for ``never``."""
