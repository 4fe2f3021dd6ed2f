"""What is counted of times and texts: a few numbers or categories in place of each value."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from monitor.domain.field import FieldKind, Part
from monitor.profile.buffers import integers, of_numbers, stored, valid
from monitor.profile.grid import BoolArray, CategoricalGrid, FloatArray, IntArray
from monitor.profile.instants import instants
from monitor.profile.values import one_array

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = tuple(f"{day} {hour:02}" for day in DAYS for hour in range(24))
"""The hours of a week in their order, which keeps neighbours together when small groups are pooled."""

FIXED_GRIDS: Mapping[Part, CategoricalGrid] = {
    Part.HOUR_OF_WEEK: CategoricalGrid(HOURS, fixed=True),
    Part.EMPTY: CategoricalGrid(("false", "true"), fixed=True),
}
"""The cells of parts that can have no other values, whatever the baseline held."""

BLOCK_BYTES = 1 << 22
"""Texts are looked at so many bytes at a time (a longer one alone), so that what is made of them does
not grow with a batch."""

_TEXT_PARTS = (
    Part.LENGTH,
    Part.TOKENS,
    Part.NON_ASCII,
    Part.DIGITS,
    Part.PUNCTUATION,
)
_PER_SECOND = 1e6
_HOURS_A_DAY = 24


class Parts(Struct, frozen=True):
    """The parts of the values of some rows.

    Attributes:
        numbers: Each numeric part, shape (rows,); NaN where a row has no usable value.
        codes: Each other part, shape (rows,), places in its fixed grid; −1 likewise.
        null: Rows that are null.
        invalid: Rows whose value is of another type or cannot be read.
    """

    numbers: Mapping[Part, FloatArray]
    codes: Mapping[Part, IntArray]
    null: int
    invalid: int


def parts_of(kind: FieldKind, column: Any, zone: str, micros: IntArray) -> Parts:
    """Return the parts of a column of times or texts.

    Args:
        kind: `FieldKind.DATETIME` or `FieldKind.TEXT`.
        column: A pyarrow Array or ChunkedArray of any type.
        zone: Of naive times, and of the hours of the week.
        micros: shape (rows,), event times in microseconds since 1970 UTC.
    """
    return (
        datetime_parts(column, zone, micros) if kind is FieldKind.DATETIME else text_parts(column)
    )


def datetime_parts(column: Any, zone: str, micros: IntArray) -> Parts:
    """Return age at the event, and hour of the week, of timestamps, dates or ISO 8601 texts.

    A naive time is local to ``zone``, a date is its midnight there; numbers and other texts are
    invalid, as for event times. An age is negative for a value after the event. Where clocks are
    put back an hour of the week comes twice, and where they are put forward it does not come.
    """
    times = instants(one_array(column), zone)
    ages = np.where(times.usable, (micros - times.micros) / _PER_SECOND, np.nan)
    known = of_numbers(np.where(times.usable, times.micros, 0)).view(pa.timestamp("us", "UTC"))
    local = known.cast(pa.timestamp("us", zone))
    day = stored(pc.day_of_week(local, week_start=1))
    hours = day * _HOURS_A_DAY + stored(pc.hour(local))
    codes = np.where(times.usable, hours, -1)
    return Parts({Part.AGE: ages}, {Part.HOUR_OF_WEEK: codes}, times.missing, times.bad)


def text_parts(column: Any) -> Parts:
    """Return length, tokens and shares of character classes of texts.

    Bytes are read as UTF-8; a damaged sequence counts as the characters that it begins. White space
    is that of ASCII. The shares of an empty text are 0, and it is *empty*. Values of other types
    are invalid.
    """
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    looked_at = [_texts(chunk) for chunk in chunks]
    numbers = np.concatenate(
        [np.zeros((len(_TEXT_PARTS), 0)), *(one.numbers for one in looked_at)], 1
    )
    length = numbers[0]
    empty = np.where(np.isnan(length), -1, length == 0).astype(np.int64)
    null = sum(one.null for one in looked_at)
    invalid = sum(one.invalid for one in looked_at)
    return Parts(dict(zip(_TEXT_PARTS, numbers, strict=True)), {Part.EMPTY: empty}, null, invalid)


class _Texts(Struct, frozen=True):
    """Numbers of some texts, shape (parts, rows), NaN where there is none; and the rows without."""

    numbers: FloatArray
    null: int
    invalid: int


def _texts(chunk: Any) -> _Texts:
    if isinstance(chunk, pa.ExtensionArray):
        chunk = chunk.storage
    kind = chunk.type
    if pa.types.is_dictionary(kind):
        return _coded_texts(chunk)
    rows, null = len(chunk), chunk.null_count
    width: Any
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        width = np.int32
    elif pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        width = np.int64
    else:
        return _Texts(np.full((len(_TEXT_PARTS), rows), np.nan), null, rows - null)
    numbers = _counted(chunk, width)
    if null:
        numbers[:, ~valid(chunk)] = np.nan
    return _Texts(numbers, null, 0)


def _coded_texts(chunk: Any) -> _Texts:
    """Return the numbers of dictionary codes: few texts are looked at, not many rows."""
    values = _texts(chunk.dictionary)
    if not len(chunk.dictionary):
        return _Texts(np.full((len(_TEXT_PARTS), len(chunk)), np.nan), len(chunk), 0)
    there = valid(chunk)
    places = integers(chunk.indices, 0)
    there = there & valid(chunk.dictionary)[places]
    numbers = values.numbers[:, places]
    numbers[:, ~there] = np.nan
    null = len(chunk) - int(np.count_nonzero(there))
    return _Texts(numbers, null, len(chunk) - null if values.invalid else 0)


def _counted(chunk: Any, width: Any) -> FloatArray:
    """Return the numbers of texts, those of nulls among them as they lie in memory."""
    rows = len(chunk)
    numbers = np.zeros((len(_TEXT_PARTS), rows))
    _, places, data = chunk.buffers()
    if not rows or places is None or data is None:
        return numbers  # every one is empty or null
    offsets: Any = np.frombuffer(places, width, rows + 1, chunk.offset * np.dtype(width).itemsize)
    letters = np.frombuffer(data, np.uint8)
    for begin, end in _blocks(offsets):
        ends = offsets[begin : end + 1].astype(np.int64)
        block = letters[ends[0] : ends[-1]]
        numbers[:, begin:end] = _of_block(block, ends - ends[0])
    length = np.maximum(numbers[0], 1.0)
    numbers[2:] /= length
    return numbers


def _blocks(offsets: Any) -> Iterator[tuple[int, int]]:
    """Yield the bounds of runs of rows with at most `BLOCK_BYTES`, or of one row with more."""
    begin, rows = 0, len(offsets) - 1
    while begin < rows:
        most = min(int(offsets[begin]) + BLOCK_BYTES, int(offsets[-1]))
        end = int(np.searchsorted(offsets, offsets.dtype.type(most), side="right")) - 1
        end = min(max(end, begin + 1), rows)
        yield begin, end
        begin = end


def _of_block(letters: Any, ends: IntArray) -> FloatArray:
    """Return characters, tokens and characters of each class of some texts.

    Args:
        letters: shape (bytes,), all texts one after the other.
        ends: shape (texts + 1,), where each begins and the last one ends.
    """
    goes_on = (letters & 0xC0) == 0x80  # noqa: PLR2004  # UTF-8: 10xxxxxx continues a character
    characters = np.diff(ends) - _by_text(goes_on, ends)
    blank = (letters == ord(" ")) | (letters - np.uint8(9) <= 4)  # noqa: PLR2004  # tab to return
    begins = np.empty(len(letters), np.bool_)
    begins[1:] = blank[:-1]
    begins[ends[:-1][np.diff(ends) > 0]] = True
    begins &= ~blank
    return np.stack(
        [
            characters,
            _by_text(begins, ends),
            _by_text(letters >= 0xC0, ends),  # noqa: PLR2004  # UTF-8: 11xxxxxx begins one
            _by_text(letters - np.uint8(ord("0")) <= 9, ends),  # noqa: PLR2004
            _by_text(_punctuation(letters), ends),
        ]
    ).astype(np.float64)


def _punctuation(letters: Any) -> BoolArray:
    """Return which bytes are printable in ASCII and neither letter, digit nor blank."""
    found = letters - np.uint8(ord("!")) <= ord("/") - ord("!")
    for first, last in (":@", "[`", "{~"):
        found |= letters - np.uint8(ord(first)) <= ord(last) - ord(first)
    return np.asarray(found, np.bool_)


def _by_text(marked: BoolArray, ends: IntArray) -> IntArray:
    """Return how many bytes are marked in each text; cheap where few are."""
    if len(ends) == 2:  # noqa: PLR2004  # one text, which may be longer than a block
        return np.array([np.count_nonzero(marked)], np.int64)
    return np.diff(np.searchsorted(np.flatnonzero(marked), ends))
