import numpy as np
import pytest

from monitor.profile.counts import (
    MAX_NAME,
    SAMPLE_SIZE,
    CategoricalCounts,
    OutcomeTable,
    ValueSample,
    value_name,
)


def test_a_small_sample_of_values_is_exact():
    sample = ValueSample()
    sample.add([("a", 2), ("b", 5), ("a", 1)])
    assert (sample.rows, sample.distinct, sample.full) == (8, 2.0, False)
    assert sample.most_frequent(1) == [("b", 5)]


def test_a_full_sample_does_not_depend_on_order_or_merging():
    values = [(f"value {number}", number % 7 + 1) for number in range(3 * SAMPLE_SIZE)]
    whole = ValueSample()
    whole.add(values)
    parts = ValueSample()
    for begin in range(0, len(values), 100):
        part = ValueSample()
        part.add(reversed(values[begin : begin + 100]))
        parts.merge(part)
    assert parts == whole
    assert whole.full
    assert len(whole.counts) == SAMPLE_SIZE
    assert all(rows == dict(values)[name] for name, rows in whole.counts.items())
    assert whole.distinct == pytest.approx(len(values), rel=4 / SAMPLE_SIZE**0.5)


def test_a_long_name_is_cut_and_still_one_of_its_own():
    long, other = "x" * 2_000_000, "x" * 1_999_999 + "y"
    assert len(value_name(long)) < MAX_NAME + 20
    assert value_name(long) != value_name(other)
    assert value_name("x" * MAX_NAME) == "x" * MAX_NAME


def test_categorical_rows_are_all_somewhere():
    counts = CategoricalCounts(np.array([1, 2]), other=3, null=4, invalid=5, absent=6)
    counts.unseen.add([("new", 7)])
    assert (counts.n, counts.missing, counts.rows) == (13, 15, 28)


def test_an_outcome_table_sums_over_what_is_not_asked_for():
    table = OutcomeTable.empty({"sex": 4, "race": 3})
    codes = np.ravel_multi_index(([0, 1, 1], [2, 0, 0], [1, 0, 0], [0, 1, 1]), table.shape)
    for code in codes:
        table.add(np.array([code]), np.array([1]))
    assert table.rows == 3
    assert table.codes.tolist() == sorted(set(codes))
    assert table.margin("race")[0, 0, 1] == 2
    assert table.margin("race", "sex")[2, 0, 1, 0] == 1
    assert table.margin().sum() == 3
