"""Parquet files that were right, and what a seed makes of them."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.compact import NOT_A_DOCUMENT, Document, Number, varint

ROWS = 240
FIRST = datetime(2005, 6, 1, tzinfo=UTC)
MAGIC = b"PAR1"

Random = np.random.Generator

FORMS: dict[str, dict[str, Any]] = {
    "snappy": {"compression": "snappy"},
    "gzip, pages v2, delta": {
        "compression": "gzip",
        "data_page_version": "2.0",
        "use_dictionary": False,
        "column_encoding": {
            "id": "DELTA_BYTE_ARRAY",
            "at": "DELTA_BINARY_PACKED",
            "kind": "DELTA_LENGTH_BYTE_ARRAY",
            "late": "DELTA_BINARY_PACKED",
        },
    },
    "zstd, byte stream split": {
        "compression": "zstd",
        "use_dictionary": ["kind", "sex"],
        "column_encoding": {"amount": "BYTE_STREAM_SPLIT", "score": "BYTE_STREAM_SPLIT"},
    },
    "plain": {"compression": "none", "use_dictionary": False, "write_statistics": False},
    "lz4, small pages": {"compression": "lz4", "data_page_size": 256, "write_batch_size": 32},
    "brotli, row groups": {"compression": "brotli", "row_group_size": 50},
    "checksums": {"compression": "snappy", "write_page_checksum": True},
    "checksums, no dictionary": {
        "compression": "none",
        "use_dictionary": False,
        "write_page_checksum": True,
    },
    "int96, page index": {
        "compression": "snappy",
        "use_deprecated_int96_timestamps": True,
        "write_page_index": True,
    },
}
"""Name to the options of the writer."""

CHECKED = frozenset({"checksums", "checksums, no dictionary"})
"""Forms in which a page that was changed is noticed."""

_HOSTILE_NUMBERS = (0, 1, -1, 7, 127, 128, 2**15, 2**31 - 1, -(2**31), 2**31, 2**40, 2**63 - 1)
_HOSTILE_BYTES = np.array([0x00, 0x01, 0x7F, 0x80, 0xFF], np.uint8)


@dataclass(frozen=True)
class Mutant:
    """A damaged file.

    Attributes:
        seed: What it is made from.
        form: The form of the file that it was.
        steps: What was done to it.
        data: Its bytes.
    """

    seed: int
    form: str
    steps: tuple[str, ...]
    data: bytes


def rows(first: int = 0, count: int = ROWS) -> Any:
    """Return a table of decisions, one an hour, with nested columns and one nobody reads."""
    rng = np.random.default_rng([5, first])
    start = int(FIRST.timestamp())
    null = rng.random(count) < 0.1
    return pa.table(
        {
            "id": [f"{first + row:05}" for row in range(count)],
            "at": pa.array(start + 3600 * np.arange(count)).cast(pa.timestamp("s", "UTC")),
            "version": ["1"] * count,
            "amount": pa.array(rng.normal(100, 20, count), mask=null),
            "kind": pa.array(rng.choice(["a", "bb", "ccc", "é"], count).tolist(), mask=null),
            "flag": rng.random(count) < 0.3,
            "late": rng.integers(0, 2, count),
            "score": rng.random(count),
            "sex": rng.choice(["f", "m"], count).tolist(),
            "tags": [["x"] * (row % 3) if row % 7 else None for row in range(count)],
            "place": [{"lat": row / 2, "name": "n"} for row in range(count)],
            "unread": rng.random(count),
        }
    )


@cache
def original(form: str) -> bytes:
    """Return a whole file."""
    sink = io.BytesIO()
    pq.write_table(rows(), sink, **FORMS[form])
    return sink.getvalue()


def mutant(seed: int) -> Mutant:
    """Return the damaged file of a seed."""
    rng = np.random.default_rng([20_05, seed])
    form = list(FORMS)[seed % len(FORMS)]
    data = original(form)
    steps = []
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        name = str(rng.choice([*_STEPS, *_DEEP]))
        data = _STEPS[name](rng, data)
        steps.append(name)
    return Mutant(seed, form, tuple(steps), data)


def _place(rng: Random, low: int, high: int) -> int:
    return int(rng.integers(low, max(high, low + 1)))


def _one(rng: Random, numbers: list[Number]) -> Number:
    return numbers[_place(rng, 0, len(numbers))]


def _range(rng: Random, data: bytes) -> tuple[int, int]:
    begin = _place(rng, 0, len(data))
    return begin, min(len(data), begin + int(2 ** rng.uniform(0, 10)))


def _footer(data: bytes) -> tuple[int, int]:
    """Return where the footer begins and ends, as far as the file still says so."""
    end = max(len(data) - 8, 0)
    size = int.from_bytes(data[end : end + 4], "little")
    return (end - size if size <= end else 0), end


@lru_cache(100)
def _pages(data: bytes) -> list[int]:
    """Return where the first pages of the column chunks begin; none of a file damaged already.

    pyarrow's account of a column chunk ends the process when a footer contradicts itself.
    """
    if all(data != original(form) for form in FORMS):
        return []
    metadata = pq.read_metadata(io.BytesIO(data))
    places = []
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            places += [chunk.data_page_offset, chunk.dictionary_page_offset or 0]
    return [place for place in places if place]


def _flip(rng: Random, data: bytes, low: int, high: int) -> bytes:
    changed = bytearray(data)
    for _ in range(int(2 ** rng.uniform(0, 5))):
        place = _place(rng, low, high)
        if place < len(changed):
            changed[place] ^= 1 << _place(rng, 0, 8)
    return bytes(changed)


def _overwrite(rng: Random, data: bytes, low: int, high: int) -> bytes:
    changed = bytearray(data)
    begin = _place(rng, low, high)
    count = min(_place(rng, 1, 9), len(changed) - begin)
    changed[begin : begin + count] = rng.choice(_HOSTILE_BYTES, max(count, 0)).tobytes()
    return bytes(changed)


def _flip_data(rng: Random, data: bytes) -> bytes:
    return _flip(rng, data, 4, _footer(data)[0])


def _flip_footer(rng: Random, data: bytes) -> bytes:
    return _flip(rng, data, *_footer(data))


def _flip_anywhere(rng: Random, data: bytes) -> bytes:
    return _flip(rng, data, 0, len(data))


def _zero(rng: Random, data: bytes) -> bytes:
    begin, end = _range(rng, data)
    return data[:begin] + bytes(end - begin) + data[end:]


def _duplicate(rng: Random, data: bytes) -> bytes:
    begin, end = _range(rng, data)
    return data[:end] + data[begin:end] + data[end:]


def _remove(rng: Random, data: bytes) -> bytes:
    begin, end = _range(rng, data)
    return data[:begin] + data[end:]


def _truncate(rng: Random, data: bytes) -> bytes:
    return data[: _place(rng, 0, len(data))]


def _swap(rng: Random, data: bytes) -> bytes:
    begin, end = _range(rng, data)
    other = _place(rng, 0, len(data))
    size = min(end - begin, len(data) - other)
    changed = bytearray(data)
    changed[other : other + size] = data[begin : begin + size]
    changed[begin : begin + size] = data[other : other + size]
    return bytes(changed)


def _insert(rng: Random, data: bytes) -> bytes:
    place = _place(rng, 0, len(data))
    return data[:place] + rng.bytes(_place(rng, 1, 64)) + data[place:]


def _footer_length(rng: Random, data: bytes) -> bytes:
    true = len(data) - 8 - _footer(data)[0]
    lies = (0, 1, 2, true - 1, true + 1, 2 * true, len(data), 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    lie = max(int(rng.choice(lies)), 0)
    return data[:-8] + lie.to_bytes(4, "little") + data[-4:]


def _footer_number(rng: Random, data: bytes) -> bytes:
    """Make a number of the footer another one, and the footer's length right again."""
    begin, end = _footer(data)
    try:
        number = _one(rng, Document(data[:end], begin).numbers)
    except NOT_A_DOCUMENT:  # damaged by an earlier step
        return _flip_footer(rng, data)
    written = varint(int(rng.choice(_HOSTILE_NUMBERS)), signed=number.signed)
    return _with_footer(data, data[begin : number.begin] + written + data[number.end : end])


def _footer_text(rng: Random, data: bytes) -> bytes:
    """Make a name, a statistic or other bytes of the footer longer or shorter."""
    begin, end = _footer(data)
    try:
        length = _one(rng, Document(data[:end], begin).texts)
    except NOT_A_DOCUMENT:
        return _flip_footer(rng, data)
    size = int.from_bytes(data[length.begin : length.begin + 1], "little") & 0x7F
    text = (data[length.end : length.end + size] * 3)[: _place(rng, 0, 2 * size)]
    written = varint(len(text), signed=False) + text
    rest = data[length.end + size : end]
    return _with_footer(data, data[begin : length.begin] + written + rest)


def _with_footer(data: bytes, footer: bytes) -> bytes:
    return data[: _footer(data)[0]] + footer + len(footer).to_bytes(4, "little") + data[-4:]


def _page_number(rng: Random, data: bytes) -> bytes:
    """Make a number of a page's header another one; it takes its bytes from the page."""
    places = _pages(data)
    if not places:
        return _flip_anywhere(rng, data)
    begin = places[_place(rng, 0, len(places))]
    try:
        document = Document(data, begin)
        number = _one(rng, document.numbers)
    except NOT_A_DOCUMENT:
        return _flip(rng, data, begin, begin + 32)
    written = varint(int(rng.choice(_HOSTILE_NUMBERS)), signed=number.signed)
    header = data[number.end : document.end]
    changed = data[: number.begin] + written + header
    return changed + data[len(changed) :]


def _page_header(rng: Random, data: bytes) -> bytes:
    places = _pages(data)
    if not places:
        return _flip_anywhere(rng, data)
    begin = places[_place(rng, 0, len(places))]
    return _overwrite(rng, data, begin, begin + 40)


def _footer_bytes(rng: Random, data: bytes) -> bytes:
    return _overwrite(rng, data, *_footer(data))


def _page_bytes(rng: Random, data: bytes) -> bytes:
    return _overwrite(rng, data, 4, _footer(data)[0])


def _other(rng: Random) -> bytes:
    return original(str(rng.choice(list(FORMS))))


def _append(rng: Random, data: bytes) -> bytes:
    return data + _other(rng)


def _prepend(rng: Random, data: bytes) -> bytes:
    return _other(rng) + data


def _graft(rng: Random, data: bytes) -> bytes:
    """Put the footer of another file behind these data."""
    other = _other(rng)
    return data[: _footer(data)[0]] + other[_footer(other)[0] :]


def _encrypted(rng: Random, data: bytes) -> bytes:
    _ = rng
    return data[:-4] + b"PARE"


_STEPS: dict[str, Callable[[Random, bytes], bytes]] = {
    step.__name__.lstrip("_"): step
    for step in (
        _flip_data,
        _flip_footer,
        _flip_anywhere,
        _zero,
        _duplicate,
        _remove,
        _truncate,
        _swap,
        _insert,
        _footer_length,
        _footer_number,
        _footer_text,
        _page_number,
        _page_header,
        _footer_bytes,
        _page_bytes,
        _append,
        _prepend,
        _graft,
        _encrypted,
    )
}

_DEEP = 4 * ("footer_number", "footer_text", "page_number", "page_header", "page_bytes")
"""Steps that are taken more often: what they change is read before it is found to be wrong."""
