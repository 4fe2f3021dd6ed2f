"""Columns of event times as instants, whatever type they were written in."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from monitor.profile.buffers import integers, of_numbers, valid
from monitor.profile.grid import BoolArray, IntArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000
_MARGIN = 2 * _DAY  # room for any zone's offset at both ends of the calendar

EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND + _MARGIN
"""The first instant of the calendar; no row is placed at it or before it."""

LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND - _MARGIN
"""The last instant of the calendar; no row is placed at it or after it."""

_ENDINGS = (
    (" UTC", r"([0-9]) UTC$", r"\1Z"),
    ("]", r"(Z|[+-][0-9]{2}:?[0-9]{2})\[[A-Za-z0-9/_:+-]+\]$", r"\1"),
)
_DATE_LETTERS = 10
_AFTER_A_DAY = frozenset({"", "T", "t", " "})

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class Instants(Struct, frozen=True):
    """Event times of a batch of rows.

    Attributes:
        micros: shape (rows,), microseconds since 1970 UTC, rounded down; anything where
            ``usable`` is False. The bounds of a window are whole microseconds, so rounding down
            never carries a row across one.
        usable: shape (rows,), whether the row has an event time.
        missing: Rows whose event time is null.
        bad: Rows whose value cannot be read as an instant, or lies outside the calendar.
    """

    micros: IntArray
    usable: BoolArray
    missing: int
    bad: int


def to_micros(instant: datetime) -> int:
    """Return the microseconds from 1970 UTC to an instant."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the instant so many microseconds after 1970 UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def instants(column: Any, zone: str) -> Instants:
    """Return the instants of a column.

    Timestamps with a zone, and text with an offset, are instants. Naive timestamps and text are
    local times of ``zone``, and a date is its midnight there; where clocks were put back the first
    of two instants is meant, and a time that the clocks skipped is read as the end of the gap.
    Text is ISO 8601 with hyphens (``2005-07-01T12:30:00.5+02:00``), or what `iso_text` makes that
    of. Numbers are bad: whether they count seconds or milliseconds is not written in them.

    Args:
        column: A pyarrow Array or ChunkedArray.
        zone: IANA name of the zone that naive values are local to.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        return _of_codes(column, zone)
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _of_times(column, zone)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _of_texts(column, zone)
    rows, missing = len(column), column.null_count
    return Instants(np.zeros(rows, np.int64), np.zeros(rows, np.bool_), missing, rows - missing)


def _of_codes(column: Any, zone: str) -> Instants:
    """Return the instants of a dictionary column: few values are read, not many rows."""
    values = instants(column.dictionary, zone)
    places = integers(column.indices, 0)
    if not len(values.micros):
        return Instants(np.zeros(len(column), np.int64), places < 0, len(column), 0)
    there = valid(column) & valid(column.dictionary)[places]
    usable = values.usable[places] & there
    missing = len(column) - int(there.sum())
    return Instants(
        values.micros[places], usable, missing, len(column) - missing - int(usable.sum())
    )


def _of_times(column: Any, zone: str) -> Instants:
    kind = column.type
    naive = pa.types.is_date(kind) or kind.tz is None
    if pa.types.is_date32(kind):
        raw, per_second = integers(column.view(pa.int32()), 0), 0
    else:
        unit = "ms" if pa.types.is_date64(kind) else kind.unit
        raw, per_second = integers(column.view(pa.int64()), 0), _PER_SECOND[unit]
    micros = _scaled(raw, per_second)
    if naive:
        micros = _from_local(micros, zone)
    usable = (micros > EARLIEST) & (micros < LATEST)
    there = len(column) - column.null_count
    if column.null_count:
        usable &= valid(column)
    return Instants(micros, usable, column.null_count, there - int(usable.sum()))


def _scaled(raw: IntArray, per_second: int) -> IntArray:
    """Return microseconds, with times outside the calendar moved to its ends.

    Args:
        raw: shape (rows,), times since 1970.
        per_second: Units of ``raw`` in a second; 0 for days.
    """
    if per_second > _PER_SECOND["us"]:
        micros = raw // (per_second // _PER_SECOND["us"])
    else:
        factor = _PER_SECOND["us"] // per_second if per_second else _DAY
        micros = np.clip(raw, EARLIEST // factor, LATEST // factor + 1) * factor
    return np.clip(micros, EARLIEST, LATEST)


def _from_local(micros: IntArray, zone: str) -> IntArray:
    if zone == "UTC":
        return micros
    local = of_numbers(micros).view(pa.timestamp("us"))
    placed = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
    return integers(placed.view(pa.int64()), 0)


def iso_text(text: str) -> str:
    """Return a time in ISO 8601 that ends as BigQuery's or Java's do as one that ends as others.

    `` UTC`` is the offset of nothing. A zone's name in brackets after an offset adds nothing to
    it; without an offset it is left, so that the text is no time.
    """
    for _, ending, instead in _ENDINGS:
        text = re.sub(ending, instead, text)
    return text


def begins_with_a_day(text: str) -> bool:
    """Return whether a text with hyphens has a whole day, and then nothing or a time of it.

    Python takes a week for its Monday, and the offset of a day (``2005-07-01-05:00``, as XML
    writes it) for an hour.
    """
    return len(text) >= _DATE_LETTERS and text[_DATE_LETTERS : _DATE_LETTERS + 1] in _AFTER_A_DAY


def _of_texts(column: Any, zone: str) -> Instants:
    if (found := _of_one_form(column, zone)) is not None:
        return found
    for last, ending, instead in _ENDINGS:
        if pc.any(pc.ends_with(column, last)).as_py():
            column = pc.replace_substring_regex(column, ending, instead)
            if (found := _of_one_form(column, zone)) is not None:
                return found
    return _one_by_one(column.to_pylist(), zone)


def _of_one_form(column: Any, zone: str) -> Instants | None:
    """Return the instants of texts of one form; None for several, or outside 1677 to 2262."""
    for kind in (pa.timestamp("ns", "UTC"), pa.timestamp("ns")):
        try:
            return _of_times(column.cast(kind), zone)
        except pa.ArrowInvalid:
            continue
    return None


def _one_by_one(texts: Iterable[str | None], zone: str) -> Instants:
    parsed = [_parsed(text) for text in texts]
    usable = np.array([moment is not None for moment in parsed], np.bool_)
    naive = np.array([moment is not None and moment.tzinfo is None for moment in parsed], np.bool_)
    micros = np.array([0 if moment is None else _clipped(moment) for moment in parsed], np.int64)
    if naive.any():
        micros[naive] = _from_local(micros[naive], zone)
    missing = sum(text is None for text in texts)
    return Instants(micros, usable, missing, len(parsed) - int(usable.sum()) - missing)


def _parsed(text: str | None) -> datetime | None:
    # Without hyphens a text of digits may be a date or an epoch: not ours to guess.
    if text is None or text[4:5] != "-" or not begins_with_a_day(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _clipped(moment: datetime) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(to_micros(aware), EARLIEST), LATEST)
