"""Columns of event times as instants, whatever type they were written in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True)
class Instants:
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
    Text is ISO 8601 with hyphens (``2005-07-01T12:30:00.5+02:00``). Numbers are bad: whether they
    count seconds or milliseconds is not written in them.

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


def _of_texts(column: Any, zone: str) -> Instants:
    for kind in (pa.timestamp("ns", "UTC"), pa.timestamp("ns")):
        try:
            return _of_times(column.cast(kind), zone)
        except pa.ArrowInvalid:
            continue  # not all of one form, or outside 1677-2262: one by one, then
    return _one_by_one(column.to_pylist(), zone)


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
    if text is None or text[4:5] != "-":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _clipped(moment: datetime) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(to_micros(aware), EARLIEST), LATEST)
