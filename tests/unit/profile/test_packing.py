import json
import zlib
from hashlib import sha256

import numpy as np
import pytest

from monitor.profile.packing import content_digest, pack, size_of, unpack

FORM = b"TST1"
ARRAYS = {
    "b": np.arange(40_000, dtype=np.int64).reshape(200, 200),
    "a": np.array([0.5, -0.0, np.nan, np.inf]),
    "none": np.zeros((2, 0), np.int64),
    "one": np.array(7, np.int16),
    "big endian": np.array([1, 2, 3], ">i4"),
    "every other": np.arange(10, dtype=np.int64)[::2],
    "columns first": np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
}


@pytest.fixture
def data():
    return pack(FORM, {"rows": 3}, ARRAYS)


def test_header_and_arrays_come_back_as_they_went(data):
    header, body = unpack(FORM, data)
    assert header["rows"] == 3
    found = body.arrays(header["arrays"])
    assert list(body.rest()) == []
    assert list(found) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("=")
        assert found[name].flags.c_contiguous
        found[name] += 1  # they can be written to


def test_the_bytes_are_those_of_the_whole_compressed_at_once(data):
    """As they were written before arrays were compressed one by one."""
    content = zlib.decompress(data[4:])
    assert data == FORM + zlib.compress(content, 5)
    assert content_digest(data) == sha256(FORM + content).hexdigest()
    size = int.from_bytes(content[:4], "little")
    layout = json.loads(content[4 : 4 + size])["arrays"]
    assert [name for name, *_ in layout] == sorted(ARRAYS)
    arrays = [ARRAYS[name].astype(kind).tobytes() for name, kind, _ in layout]
    assert content[4 + size :] == b"".join(arrays)


def test_arrays_are_read_from_a_bookmark_as_often_as_wanted(data):
    header, body = unpack(FORM, data)
    (first, *others) = header["arrays"]
    body.pass_over(size_of([first]))
    mark = body.bookmark()
    body.pass_over(size_of(others))
    assert list(body.rest()) == []
    for _ in range(2):
        found = mark.bookmark().arrays(others)
        np.testing.assert_array_equal(found["b"], ARRAYS["b"])
        np.testing.assert_array_equal(found["one"], ARRAYS["one"])


def read(data):
    header, body = unpack(FORM, data)
    body.arrays(header["arrays"])
    for _ in body.rest():
        pass


def test_bytes_that_were_cut_off_or_changed_anywhere_are_refused(data):
    for end in (*range(4, 200), *range(200, len(data), 997), len(data) - 1):
        with pytest.raises(zlib.error):
            read(data[:end])
    changed = 0
    for place in range(4, len(data), 211):
        broken = bytearray(data)
        broken[place] ^= 0x10
        with pytest.raises((zlib.error, ValueError, KeyError, TypeError)):
            read(bytes(broken))
        changed += 1
    assert changed > 50


def test_content_that_ends_before_its_arrays_is_refused():
    text = json.dumps({"arrays": [["a", "<i8", [3]]]}).encode()
    content = len(text).to_bytes(4, "little") + text + bytes(16)
    data = FORM + zlib.compress(content)
    with pytest.raises(ValueError, match="8 bytes are missing"):
        read(data)
    header, body = unpack(FORM, data)
    with pytest.raises(ValueError, match="8 bytes are missing"):
        body.pass_over(size_of(header["arrays"]))
