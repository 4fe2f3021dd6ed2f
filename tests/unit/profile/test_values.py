from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from monitor.profile.values import (
    boolean_text,
    canonical_text,
    canonical_texts,
    encoded,
    rows_of_codes,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (float("nan"), None),
        (np.float32("nan"), None),
        (Decimal("NaN"), None),
        (True, "true"),
        (np.bool_(0), "false"),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
        (2**64 - 1, "18446744073709551615"),
        (Decimal("1.50"), "1.5"),
        (Decimal(2), "2"),
        (Decimal("0.10"), "0.1"),
        (Decimal(10**20 + 1), "100000000000000000001"),
        (Decimal("-0.00"), "0"),
        (Decimal("12345678901234567.25"), "12345678901234567.25"),
        (date(2005, 7, 1), "2005-07-01"),
        (datetime(2005, 7, 1, tzinfo=UTC), "2005-07-01T00:00:00+00:00"),
        (time(12, 30), "12:30:00"),
        (timedelta(days=1), "1 day, 0:00:00"),
        (b"a\xff", "a\\xff"),
        ("nan", "nan"),
        (" A ", " A "),
    ],
)
def test_a_value_has_one_text(value, text):
    assert canonical_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (0, "false"), (1.0, "true"), ("TRUE", "true"), ("0", "false")]
    + [(value, None) for value in (None, float("nan"), 2, 0.5, "yes", "")],
)
def test_a_boolean_is_what_can_only_mean_one(value, text):
    assert boolean_text(value) == text


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array(["a", None, "a"]), ["a", None, "a"]),
        (pa.array([0.1, None], pa.float32()), ["0.1", None]),
        (pa.array([np.float16(0.1), None], pa.float16()), ["0.1", None]),
        (pa.array([1, None], pa.timestamp("s")), ["1970-01-01T00:00:01", None]),
        (pa.array([2**64 - 1, 2**64 - 2], pa.uint64()), [f"{2**64 - 1}", f"{2**64 - 2}"]),
        (pa.array([2**63, 2**63 - 1], pa.uint64()), [f"{2**63}", f"{2**63 - 1}"]),
        (pa.array([-128, 127], pa.int8()), ["-128", "127"]),
        (pa.nulls(2), [None, None]),
        (pa.array([[1], None]), [None, None]),
        (pa.array(["a", None]).cast(pa.large_string()), ["a", None]),
        (
            pa.chunked_array(
                [pa.array(["b", "a"]).dictionary_encode(), pa.array(["a"]).dictionary_encode()]
            ),
            ["b", "a", "a"],
        ),
        (
            pa.chunked_array(
                [
                    pa.DictionaryArray.from_arrays([0, 1], pa.array(["a", None])),
                    pa.DictionaryArray.from_arrays([0, None], pa.array(["b", "a"])),
                ]
            ),
            ["a", None, "b", None],
        ),
    ],
)
def test_rows_point_to_their_values(column, texts):
    indices, values = encoded(column)
    found = [canonical_text(values[place]) if place >= 0 else None for place in indices]
    assert found == texts


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("s")])
def test_times_beyond_the_calendar_still_have_a_text(kind):
    storage = pa.int32() if kind == pa.date32() else pa.int64()
    indices, values = encoded(
        pa.array([2**30 if kind == pa.date32() else 2**60], storage).view(kind)
    )
    assert indices.tolist() == [0]
    assert isinstance(values[0], str)


@pytest.mark.parametrize("kind", [pa.duration("ms"), pa.timestamp("s"), pa.timestamp("us", "UTC")])
def test_the_text_of_a_time_does_not_depend_on_the_others_of_its_batch(kind):
    alone, beside = (
        encoded(pa.array(numbers, pa.int64()).view(kind))[1]
        for numbers in ([0, None], [0, None, -(2**62)])
    )
    assert canonical_texts(beside)[: len(alone)] == canonical_texts(alone)
    assert canonical_texts(beside)[-1]


@pytest.mark.parametrize("values", [0, 1, 2, 10, 11, 300])
@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
def test_rows_of_codes_are_those_of_a_count_one_by_one(values, nulls):
    rng = np.random.default_rng(values)
    codes = rng.integers(0, max(1, values), 1000 if values else 0).astype(np.int32)
    null = rng.random(len(codes)) < nulls
    codes[null] = 256  # what stands for a null may be anything, and is 0 as a byte
    column = pa.array(codes, mask=null)
    stored = pa.Array.from_buffers(
        pa.int32(), len(codes), [column.buffers()[0], pa.py_buffer(codes)]
    )
    held = Counter(codes[~null].tolist())
    assert rows_of_codes(stored, values).tolist() == [held[value] for value in range(values)]
