import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.compute.local import LocalCompute
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.sources import duplicates as module
from monitor.sources.duplicates import Duplicates, _hashed, duplicates
from monitor.sources.parquet import ParquetSource, _files_of


@pytest.fixture
def found(policy, june):
    """Return what the ids of June say, and how many files had to be found sound."""

    def find(sound=lambda _task, _file: True):
        source = ParquetSource(policy())
        scan = source.scan(june)
        return duplicates(source._view(scan), _files_of(scan), sound)

    return find


def as_lists(found):
    return {path: places.tolist() for path, places in found.rows.items() if len(places)}


def test_ids_of_their_own_are_no_duplicates(found, rows, write):
    write("log/a.parquet", rows(5))
    write("log/b.parquet", rows(5, id=list("vwxyz")))
    assert as_lists(found()) == {}


def test_the_last_by_time_stands_for_all(found, rows, write):
    write("log/a.parquet", rows(4, id=["x", "y", "x", "z"]))
    write("log/b.parquet", rows(2, id=["y", "q"]))
    # y of b is an hour before y of a; x at the second hour is after x at the first.
    assert as_lists(found()) == {"a.parquet": [0], "b.parquet": [0]}


def test_of_equal_times_the_first_in_the_order_of_the_files_stands(found, rows, write):
    for name in "cab":
        write(f"log/{name}.parquet", rows(3), row_group_size=1)
    assert as_lists(found()) == {"b.parquet": [0, 1, 2], "c.parquet": [0, 1, 2]}


def test_a_file_that_is_not_sound_stands_for_no_other(found, rows, write):
    for name in "ab":
        write(f"log/{name}.parquet", rows(3))
    assert as_lists(found(lambda _, file: file.path != "a.parquet")) == {}


def test_rows_without_an_id_are_counted_and_repeat_nothing(found, rows, write):
    write("log/a.parquet", rows(4, id=["x", None, None, "x"]))
    write("log/b.parquet", rows(3, id=None))
    seen = found()
    assert as_lists(seen) == {"a.parquet": [0]}
    assert seen.without_id == {"a.parquet": 2, "b.parquet": 3}


def test_ids_are_told_apart_within_their_version(found, rows, write):
    write("log/a.parquet", rows(4, id=["x", "x", "x", "y"], version=["1", "2", "1", "2"]))
    assert as_lists(found()) == {"a.parquet": [0]}


def test_each_version_counts_the_rows_that_another_stands_for(policy, june, rows, write, progress):
    write("log/a.parquet", rows(5, id=list("xxxyz"), version=["1", "2", "1", "2", "2"]))
    write("log/b.parquet", rows(2, id=["x", "y"], version=["2", "2"]))
    source = ParquetSource(policy())
    scan = source.scan(june)
    grid = source.draft(scan, "2")
    assert grid.identified
    counted = LocalCompute().count(
        scan.tasks, source.counter(scan, {"1": grid, "2": grid}).complete(), progress
    )
    profiles = {
        version: profile_from_bytes(profile_to_bytes(profile))
        for version, profile in counted.profiles.items()
    }
    assert {name: (item.rows, item.duplicates) for name, item in profiles.items()} == {
        "1": (1, 1),
        "2": (3, 2),
    }
    assert counted.accounting().rejected == {"duplicate_id": 3}


def test_a_log_without_ids_says_nothing_of_those_that_come_twice(policy, june, rows, write):
    write("log/a.parquet", rows(5))
    source = ParquetSource(policy(source={"id": ""}))
    assert not source.draft(source.scan(june), "1").identified


def test_ids_decide_where_hashes_agree(found, rows, write, monkeypatch):
    monkeypatch.setattr(module, "_hashed", lambda texts: np.zeros(len(texts), np.uint64))
    write("log/a.parquet", rows(4, id=["x", "y", "x", "z"]))
    assert as_lists(found()) == {"a.parquet": [0]}


def test_rows_are_handed_out_batch_by_batch():
    some = Duplicates({"a": np.array([0, 3, 4, 9])})
    assert some.within("a", 0, 4).tolist() == [0, 3]
    assert some.within("a", 4, 4).tolist() == [0]
    assert some.within("b", 0, 4).tolist() == []


@given(st.lists(st.text(max_size=400)), st.integers(0, 3))
@example(["\x03", "\x00\x00"], 0)  # where the length is mixed with the letters and no more
def test_equal_texts_have_equal_hashes_and_others_hardly_ever(texts, skipped):
    column = pa.array(["skipped"] * skipped + texts, pa.large_string())
    hashes = _hashed(column.slice(skipped)).tolist()
    assert len(set(hashes)) == len(set(texts))
    assert len(set(zip(hashes, texts, strict=True))) == len(set(texts))
