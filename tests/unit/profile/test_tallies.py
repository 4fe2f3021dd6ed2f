from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from monitor.profile import tallies
from monitor.profile.counts import CategoricalCounts
from monitor.profile.kernel import count_values
from monitor.profile.tallies import ValueTally


def test_a_tally_counts_values_in_order_of_their_frequency():
    tally = ValueTally()
    tally.add(pa.array(["b", "a", "c", "c", None]))
    tally.add(pa.array([1.0, 1.0, 1.0, 1.0]))
    tally.add(pa.array(["1"]).dictionary_encode())
    assert tally.grid().values == ("1", "c", "a", "b")
    assert tally.grid().complete


def test_further_values_are_known_without_being_listed(monkeypatch):
    monkeypatch.setattr(tallies, "LISTED_VALUES", 3)
    tally = ValueTally()
    tally.add(pa.array([*"abcd" * 3, *"ee"]))
    grid = tally.grid()
    assert (grid.values, grid.known, grid.complete) == (("a", "b", "c"), ("d", "e"), True)
    counts = CategoricalCounts(np.zeros(3, np.int64))
    count_values(counts, grid, pa.array([*"aabde", "new", None]), boolean=False)
    assert (counts.values.tolist(), counts.other, counts.null) == ([2, 1, 0], 2, 1)
    assert counts.unseen.counts == {"new": 1}


def test_very_many_values_make_an_incomplete_list(monkeypatch):
    monkeypatch.setattr(tallies, "TRACKED_VALUES", 2)
    tally = ValueTally()
    tally.add(pa.array(list("abc")))
    assert (tally.grid().values, tally.grid().complete) == (("a", "b", "c"), False)


@pytest.mark.parametrize("many", [30, 1_000])
@pytest.mark.parametrize("order", ["as drawn", "sorted", "reversed", "by frequency"])
def test_a_frequent_value_is_never_lost_whatever_comes_between(monkeypatch, order, many):
    tracked = 50
    monkeypatch.setattr(tallies, "TRACKED_VALUES", tracked)
    rng = np.random.default_rng(3)
    values = rng.zipf(1.3, 20_000)
    if order == "by frequency":
        distinct, rows = np.unique(values, return_counts=True)
        values = np.repeat(distinct[np.argsort(rows)], np.sort(rows))
    elif order != "as drawn":
        values = np.sort(values)[:: 1 if order == "sorted" else -1]
    tally = ValueTally()
    monkeypatch.setattr(tallies, "_MANY_TEXTS", many)
    for batch in np.array_split(values, 23):
        tally.add(pa.array(batch.astype(str)).dictionary_encode())
    exact = Counter(values.astype(str).tolist())
    error = len(values) / (tracked + 1)
    assert len(tally.counts) <= 2 * tracked
    assert not tally.complete
    assert tally.grid().complete is False
    for value, rows in exact.items():
        assert rows - error <= tally.counts[value] <= rows
    frequent = {value for value, rows in exact.items() if rows > error}
    assert frequent <= set(tally.grid().values)


@pytest.mark.parametrize("waiting", [0, 1 << 30])
def test_batches_of_many_texts_are_counted_together_as_they_are_one_by_one(monkeypatch, waiting):
    monkeypatch.setattr(tallies, "_WAITING_BYTES", waiting)
    rng = np.random.default_rng(5)
    one_by_one, together = ValueTally(), ValueTally()
    for kind in (pa.string(), pa.large_string(), pa.string()):
        drawn = rng.integers(0, 3_000, 20_000).astype(str).astype(object)
        drawn[::7] = None
        drawn[5] = "x" * 5_000
        column = pa.array(drawn, kind)
        one_by_one.add(column)
        codes = column.dictionary_encode("encode")  # null among the values
        assert codes.dictionary.null_count == 1
        together.add(pa.chunked_array([codes]))
    assert together.counts == one_by_one.counts
    assert together.grid().values == one_by_one.grid().values
    assert max(map(len, together.counts)) < 250
    assert sum(together.counts.values()) == 3 * (20_000 - len(drawn[::7]))


def test_long_values_are_known_by_their_names():
    long = ["x" * 5000 + end for end in "ab"]
    tally = ValueTally()
    tally.add(pa.array([*long, "short"]))
    grid = tally.grid()
    assert max(map(len, grid.values)) < 250
    counts = CategoricalCounts(np.zeros(3, np.int64))
    count_values(counts, grid, pa.array([*long, long[0], "x" * 5000]), boolean=False)
    assert sorted(counts.values.tolist()) == [0, 1, 2]
    assert counts.unseen.rows == 1


def test_where_rare_values_are_ordinary_a_new_one_is_no_news(monkeypatch):
    monkeypatch.setattr(tallies, "LISTED_VALUES", 200)
    rng = np.random.default_rng(4)
    ever_new, settled, few = ValueTally(), ValueTally(), ValueTally()
    ever_new.add(pa.array(rng.zipf(1.5, 20_000).astype(str)))
    settled.add(pa.array(rng.integers(0, 1000, 20_000).astype(str)))
    few.add(pa.array([f"value {place}" for place in range(200)]))
    assert not ever_new.grid().complete
    assert settled.grid().complete and few.grid().complete
    later = rng.zipf(1.5, 5_000).astype(str)
    new = np.isin(later, list(ever_new.counts), invert=True).mean()
    assert ever_new.novelty == pytest.approx(new, rel=0.2)
