from contextlib import suppress

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.thrift import read_struct
from tests.fuzz.compact import varint


def field(step, kind, value=b""):
    return bytes([step << 4 | kind]) + value


NUMBERS = (
    field(1, 1)  # true
    + field(1, 2)  # false
    + field(1, 3, b"\x07")
    + field(1, 4, varint(-2, signed=True))
    + field(1, 5, varint(300, signed=True))
    + field(1, 6, varint(-(2**63), signed=True))
    + field(1, 7, bytes(8))
    + field(1, 8, b"\x03abc")
)


def test_bytes_are_read_and_the_rest_is_passed_over():
    assert read_struct(NUMBERS + b"\x00", {5: int, 8: bytes}) == {5: 300, 8: b"abc"}


def test_fields_of_another_type_than_the_wanted_one_are_passed_over():
    numbers = {4: -2, 5: 300, 6: -(2**63)}
    for wanted, fit in ((bytes, {8: b"abc"}), (int, numbers), ({}, {}), (({},), {})):
        assert read_struct(NUMBERS + b"\x00", dict.fromkeys(range(1, 10), wanted)) == fit
    numbers = field(1, 9, b"\x25\x02\x04") + field(1, 8, b"\x01x") + b"\x00"
    assert read_struct(numbers, {1: ({},), 2: bytes}) == {1: [], 2: b"x"}


def test_lists_and_structs_are_passed_over_or_read():
    numbers = bytes([0xF5]) + varint(20, signed=False) + varint(9, signed=True) * 20
    inner = field(2, 8, b"\x01x") + field(3, 9, numbers) + b"\x00"
    document = field(1, 12, inner) + field(1, 9, b"\x2c" + inner * 2) + b"\x00"
    assert read_struct(document, {2: ({2: bytes},)}) == {2: [{2: b"x"}, {2: b"x"}]}
    assert read_struct(document, {1: {2: bytes}}) == {1: {2: b"x"}}


def test_maps_sets_and_long_steps_are_passed_over():
    mapped = b"\x02\x85" + (b"\x01k" + varint(1, signed=True)) * 2
    document = field(1, 11, mapped) + field(1, 11, b"\x00") + field(1, 10, b"\x21\x01\x02")
    document += bytes([0x05]) + varint(900, signed=True) + varint(4, signed=True)
    document += field(1, 8, b"\x01x") + b"\x00"
    assert read_struct(document, {901: bytes}) == {901: b"x"}


def test_the_rest_of_a_struct_is_read_from_where_it_begins():
    document = b"rubbish" + field(2, 8, b"\x01x") + b"\x00"
    assert read_struct(document, {5: bytes}, begin=7, after=3) == {5: b"x"}


@pytest.mark.parametrize("end", range(len(NUMBERS) + 1))
def test_a_struct_that_ends_too_early_is_refused(end):
    with pytest.raises(pa.ArrowInvalid, match="ends in the middle"):
        read_struct(NUMBERS[:end], {})


@pytest.mark.parametrize(
    ("document", "shape", "problem"),
    [
        (b"\x1c" * 1_000, {}, "nested too deeply"),
        (b"\x19" + b"\x19" * 1_000, {}, "nested too deeply"),
        (b"\x1d\x00", {}, "unknown type 13"),
    ],
)
def test_what_is_no_struct_is_refused(document, shape, problem):
    with pytest.raises(pa.ArrowInvalid, match=problem):
        read_struct(document, shape)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_struct_or_refused(document):
    with suppress(pa.ArrowInvalid):
        read_struct(document, {1: bytes, 2: {1: int}, 3: ({1: bytes},)})
