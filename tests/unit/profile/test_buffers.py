"""Arrays pass between Arrow and numpy as Arrow's own conversions have them, and load nothing."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.profile.buffers import (
    doubles,
    integers,
    of_numbers,
    of_texts,
    of_truths,
    stored,
    truths,
    valid,
)

_KINDS = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.int64(),
    pa.uint8(),
    pa.uint32(),
    pa.float16(),
    pa.float32(),
    pa.float64(),
]


def _cut(values, kind, begin, end):
    """Return an array that does not begin where its buffers do."""
    return pa.array(values, kind)[begin:end]


_LISTS = st.lists(st.none() | st.integers(0, 100), max_size=40)
_ENDS = st.tuples(st.integers(0, 9), st.integers(0, 45))


@given(_LISTS, _ENDS, st.sampled_from(_KINDS))
def test_stored_numbers_are_those_of_arrow(values, ends, kind):
    array = _cut(
        [None if value is None else np.float16(value) for value in values]
        if pa.types.is_float16(kind)
        else values,
        kind,
        *ends,
    )
    there = np.array([value is not None for value in array.to_pylist()], np.bool_)
    assert valid(array).tolist() == there.tolist()
    found = stored(array)
    assert found.dtype == np.dtype(kind.to_pandas_dtype())
    assert found[there].tolist() == array.drop_null().to_pylist()


@given(_LISTS, _ENDS)
def test_nulls_are_replaced(values, ends):
    codes = _cut(values, pa.int32(), *ends)
    assert integers(codes, -1).tolist() == [
        -1 if value is None else value for value in codes.to_pylist()
    ]
    numbers = codes.cast(pa.float64())
    np.testing.assert_array_equal(doubles(numbers), numbers.to_numpy(zero_copy_only=False))


@given(st.lists(st.booleans(), max_size=40), _ENDS)
def test_booleans_come_and_go(values, ends):
    begin, end = ends
    assert truths(pa.array(values, pa.bool_())[begin:end]).tolist() == values[begin:end]
    assert of_truths(np.array(values, np.bool_)).to_pylist() == values


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.float64])
def test_numbers_of_numpy_become_an_array(dtype):
    numbers = np.arange(10, dtype=dtype)[::3]
    assert of_numbers(numbers).equals(pa.array(numbers))


def test_numbers_may_be_null():
    found = of_numbers(np.arange(10), np.arange(10) % 3 == 0)
    assert found.equals(pa.array([None if n % 3 == 0 else n for n in range(10)]))


@pytest.mark.slow
@given(st.lists(st.text(), max_size=10))
def test_texts_become_an_array(texts):
    found = of_texts(texts)
    found.validate(full=True)
    assert found.equals(pa.array(texts, pa.string()))


def test_every_type_knows_which_of_its_values_are_there():
    for array in (
        pa.nulls(2),
        pa.array(["a", None]),
        pa.array(["a", None]).dictionary_encode(),
        pa.array([[1], None]),
        pa.array([{"a": 1}, None]),
    ):
        assert valid(array).tolist() == [item.is_valid for item in array]


def test_only_numbers_are_stored_as_numbers():
    for array in (pa.array([True]), pa.array(["a"])):
        with pytest.raises(TypeError, match="not stored as numbers"):
            stored(array)


@pytest.mark.slow
def test_they_load_no_pandas():
    code = """
import sys
import numpy as np
from monitor.profile import buffers
array = buffers.of_numbers(np.arange(3.0)).filter(buffers.of_truths(np.array([True, False, True])))
assert buffers.doubles(array).tolist() == [0.0, 2.0]
assert buffers.valid(array).all() and buffers.truths(array.is_valid()).all()
assert buffers.integers(array.cast("int64"), 0).tolist() == [0, 2]
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
