"""What is counted of times and texts, against a slow and obvious definition."""

import string
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.field import PARTS, FieldKind, Part
from monitor.profile import parts
from monitor.profile.parts import FIXED_GRIDS, HOURS, datetime_parts, parts_of, text_parts

TEXTS = [
    "",
    " ",
    "a",
    "two words",
    "  padded\tby\nall of\r\nASCII's\x0bwhite\x0cspace ",
    "no\u00a0break",
    "Grüße, Zoë!",
    "年齢 42",
    "😀 e\u0301",
    "2024-06-01T12:00:00Z",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "\x00\x7f",
    None,
    "x" * 300,
]
BLANK = " \t\n\x0b\x0c\r"


def slowly(text):
    """Return the parts of one text, letter by letter."""
    if text is None:
        return None
    spaced = "".join(" " if letter in BLANK else letter for letter in text)
    length = max(len(text), 1)
    return {
        Part.LENGTH: len(text),
        Part.TOKENS: len([piece for piece in spaced.split(" ") if piece]),
        Part.NON_ASCII: sum(ord(letter) > 127 for letter in text) / length,
        Part.DIGITS: sum(letter in string.digits for letter in text) / length,
        Part.PUNCTUATION: sum(letter in string.punctuation for letter in text) / length,
        Part.EMPTY: int(not text),
    }


def assert_as_slowly(found, texts):
    assert found.null == sum(text is None for text in texts)
    assert found.invalid == 0
    assert set(found.numbers) | set(found.codes) == set(PARTS[FieldKind.TEXT])
    for row, text in enumerate(texts):
        expected = slowly(text)
        for part, numbers in found.numbers.items():
            if expected is None:
                assert np.isnan(numbers[row])
            else:
                assert numbers[row] == expected[part], (part, text)
        assert found.codes[Part.EMPTY][row] == (-1 if expected is None else expected[Part.EMPTY])


def encodings(texts):
    plain = pa.array(texts, pa.string())
    yield plain
    yield plain.cast(pa.large_string())
    yield plain.cast(pa.binary())
    yield plain.cast(pa.large_binary())
    yield plain.dictionary_encode()
    yield plain.dictionary_encode(null_encoding="encode")
    yield pa.chunked_array([plain.slice(0, 5), plain.slice(5)])
    yield pa.chunked_array(
        [plain.slice(0, 5).dictionary_encode(), plain.slice(5).dictionary_encode()]
    )
    yield pa.array([*texts, *texts]).slice(len(texts))


@pytest.mark.parametrize("number", range(9))
def test_texts_in_any_encoding_have_the_parts_that_a_loop_finds(number):
    assert_as_slowly(text_parts(list(encodings(TEXTS))[number]), TEXTS)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_of_any_size_change_nothing(monkeypatch, block):
    monkeypatch.setattr(parts, "BLOCK_BYTES", block)
    assert_as_slowly(text_parts(pa.array(TEXTS)), TEXTS)


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), max_size=20))
def test_any_text_has_the_parts_that_a_loop_finds(texts):
    assert_as_slowly(text_parts(pa.array(texts, pa.string())), texts)


def test_bytes_that_are_no_text_are_read_without_an_error():
    found = text_parts(pa.array([b"\xff\xfe", b"\x80\x80", b"a\xc3", b"\xed\xa0\x80"]))
    assert found.numbers[Part.LENGTH].tolist() == [2, 0, 2, 1]
    assert (found.null, found.invalid) == (0, 0)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None]),
        pa.array([1.5, None]),
        pa.array([Decimal("1.5"), None]),
        pa.array([True, None]),
        pa.array([date(2024, 1, 1), None]),
        pa.array([["text"], None]),
        pa.array([{"a": "text"}, None]),
        pa.array([7, None]).dictionary_encode(),
        pa.array([b"ab", None], pa.binary(2)),
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16, None], pa.binary(16))),
    ],
)
def test_what_is_no_text_is_invalid_and_never_empty(column):
    found = text_parts(column)
    assert (found.null, found.invalid) == (1, 1)
    assert all(np.isnan(numbers).all() for numbers in found.numbers.values())
    assert (found.codes[Part.EMPTY] == -1).all()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([], pa.string()),
        pa.chunked_array([], pa.string()),
        pa.chunked_array([], pa.dictionary(pa.int32(), pa.string())),
        pa.nulls(0),
    ],
)
def test_no_texts_have_no_parts(column):
    found = text_parts(column)
    assert (found.null, found.invalid) == (0, 0)
    assert {len(numbers) for numbers in found.numbers.values()} == {0}


@pytest.mark.parametrize(
    "column",
    [pa.nulls(3), pa.nulls(3, pa.string()), pa.nulls(3, pa.dictionary(pa.int8(), pa.string()))],
)
def test_nulls_are_null(column):
    found = text_parts(column)
    assert (found.null, found.invalid) == (3, 0)
    assert np.isnan(found.numbers[Part.LENGTH]).all()


AMSTERDAM = ZoneInfo("Europe/Amsterdam")
EVENT = datetime(2024, 3, 31, 12, tzinfo=UTC)
VALUES = [
    datetime(2024, 3, 30, 12, tzinfo=UTC),
    datetime(2024, 3, 31, 0, 30, tzinfo=UTC),
    datetime(2024, 3, 31, 1, 30, tzinfo=UTC),  # the clocks have gone forward: 03:30
    datetime(2024, 10, 27, 1, 30, tzinfo=UTC),  # and back: 02:30 for the second time
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1, 1, 5, tzinfo=UTC),
    None,
]


def micros(instant):
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


EVENTS = np.full(len(VALUES), micros(EVENT))


@pytest.mark.parametrize(
    "column",
    [
        pa.array(VALUES, pa.timestamp("us", "UTC")),
        pa.array(VALUES, pa.timestamp("us", "America/New_York")),
        pa.array(VALUES, pa.timestamp("us", "UTC")).dictionary_encode(),
        pa.array([value and value.isoformat() for value in VALUES]),
        pa.array([value and value.isoformat() for value in VALUES]).dictionary_encode(),
        pa.chunked_array(
            [pa.array(part, pa.timestamp("us", "UTC")) for part in (VALUES[:3], VALUES[3:])]
        ),
    ],
)
def test_ages_and_hours_are_those_of_the_calendar(column):
    found = datetime_parts(column, "Europe/Amsterdam", EVENTS)
    assert (found.null, found.invalid) == (1, 0)
    for row, value in enumerate(VALUES[:-1]):
        local = value.astimezone(AMSTERDAM) if value.year > 1 else None
        assert found.numbers[Part.AGE][row] == (EVENT - value).total_seconds()
        if local:
            assert found.codes[Part.HOUR_OF_WEEK][row] == local.weekday() * 24 + local.hour
            assert HOURS[found.codes[Part.HOUR_OF_WEEK][row]] == local.strftime("%a %H")
    assert np.isnan(found.numbers[Part.AGE][-1])
    assert found.codes[Part.HOUR_OF_WEEK][-1] == -1


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_naive_time_is_local_to_the_zone_of_the_field(unit):
    naive = pa.array(["2024-06-03T14:00:00"]).cast(pa.timestamp(unit))
    found = datetime_parts(naive, "Europe/Amsterdam", np.array([micros(EVENT)]))
    aware = datetime(2024, 6, 3, 14, tzinfo=AMSTERDAM)
    assert found.numbers[Part.AGE].tolist() == [(EVENT - aware).total_seconds()]
    assert HOURS[found.codes[Part.HOUR_OF_WEEK][0]] == "Mon 14"


def test_a_date_is_its_midnight_and_a_future_value_has_a_negative_age():
    found = datetime_parts(pa.array([date(2024, 4, 1)]), "UTC", np.array([micros(EVENT)]))
    assert found.numbers[Part.AGE].tolist() == [-12 * 3600]
    assert HOURS[found.codes[Part.HOUR_OF_WEEK][0]] == "Mon 00"


@pytest.mark.parametrize(
    ("column", "invalid"),
    [
        (pa.array(["yesterday", "2024-13-01", "", "2024-06-01"]), 3),
        (pa.array([1_700_000_000, 0, 1, 2]), 4),
        (pa.array([1.5, 0.0, np.nan, 2.0]), 4),
        (pa.array([True, False, True, False]), 4),
        (pa.array([[EVENT]] * 4), 4),
        (pa.array([2**62, -(2**62), 2**63 - 1, 0], pa.int64()).view(pa.timestamp("s")), 3),
        (pa.array([2**31 - 1, -(2**31), 0, 1], pa.int32()).view(pa.date32()), 2),
        (pa.array([Decimal(1)] * 4), 4),
    ],
)
def test_what_is_no_time_is_invalid_and_counted(column, invalid):
    found = datetime_parts(column, "UTC", np.full(4, micros(EVENT)))
    assert (found.null, found.invalid) == (0, invalid)
    assert np.isnan(found.numbers[Part.AGE]).sum() == invalid
    assert (found.codes[Part.HOUR_OF_WEEK] == -1).sum() == invalid


@pytest.mark.parametrize("kind", [FieldKind.DATETIME, FieldKind.TEXT])
def test_every_part_of_a_kind_is_found(kind):
    found = parts_of(kind, pa.array(["2024-01-01"]), "UTC", np.zeros(1, np.int64))
    for part, counted in PARTS[kind].items():
        assert (part in found.numbers) is (counted is FieldKind.NUMERIC)
        assert (part in found.codes) is (part in FIXED_GRIDS)
