"""Roots as whole numbers that a floating point number holds exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.governance.root_parts import BITS, PARTS, parts_of, root_of_parts

ROOTS = st.binary(min_size=32, max_size=32)


@given(ROOTS)
def test_the_root_is_its_parts_as_a_sample_holds_them(root):
    parts = parts_of(root)
    assert [int(float(part)) for part in parts] == list(parts)
    assert root_of_parts([int(float(repr(float(part)))) for part in parts]) == root


def test_the_parts_are_the_bits_in_order():
    root = bytes(range(32))
    bits = "".join(f"{byte:08b}" for byte in root)
    expected = [int(bits[begin : begin + BITS], 2) for begin in range(0, 256, BITS)]
    assert list(parts_of(root)) == expected
    assert len(expected) == PARTS


def test_the_largest_root_has_the_largest_parts():
    assert parts_of(b"\xff" * 32) == (2**52 - 1,) * 4 + (2**48 - 1,)


def test_what_is_no_root_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        parts_of(b"short")
    with pytest.raises(ValueError, match="5 parts, not 4"):
        root_of_parts([0] * 4)
    with pytest.raises(ValueError, match="part 4 of a root has 48 bits"):
        root_of_parts([0, 0, 0, 0, 2**48])
