"""What a draft decodes is not decoded again by the count that follows it, and counts are the same."""

import os
import pickle

import pyarrow as pa
import pytest

from monitor.compute.local import LocalCompute
from monitor.profile.codec import profile_to_bytes
from monitor.sources import counting, drafting, parquet, shelf
from monitor.sources.location import FoundFile
from monitor.sources.parquet import ParquetSource
from monitor.sources.reader import OpenFile
from monitor.sources.shelf import Shelf
from tests.unit.sources.conftest import Silent

ROWS = 700  # within June
PLACE = (FoundFile("a.parquet", 1, "then"), (0,), "kind")


def never():
    raise AssertionError("it is decoded")


@pytest.fixture(autouse=True)
def _any_file_is_large(monkeypatch):
    monkeypatch.setattr(counting, "CHECKED_WHOLE", 0)
    monkeypatch.setattr(drafting, "CHECKED_WHOLE", 0)
    monkeypatch.setattr(parquet, "CHECKED_WHOLE", 0)


@pytest.fixture
def large(rows):
    def make(kinds=9):
        kind = [None if row % 11 == 3 else f"kind {row % kinds}" for row in range(ROWS)]
        return rows(ROWS, kind=kind, version=["1", "2", "1", None] * (ROWS // 4))

    return make


@pytest.fixture
def decoded(monkeypatch):
    """The columns that are decoded, in their order."""
    names, decode = [], OpenFile._whole

    def noted(self, chunk, name, leaves):
        names.append(name)
        return decode(self, chunk, name, leaves)

    monkeypatch.setattr(OpenFile, "_whole", noted)
    return names


def profiles(source, window, grid=None):
    """Return the profiles of a window; its grid is drafted unless it is given."""
    scan = source.scan(window)
    grids = dict.fromkeys(source.versions(scan), grid or source.draft(scan, "1"))
    total = LocalCompute().count(scan.tasks, source.counter(scan, grids), Silent())
    assert not total.unreadable
    assert total.accounting().balances
    return {version: profile_to_bytes(profile) for version, profile in total.profiles.items()}


@pytest.mark.parametrize("kinds", [9, 300])
def test_what_a_draft_decoded_is_counted_and_not_decoded_again(
    policy, large, write, june, decoded, kinds
):
    write("log/a.parquet", large(kinds), row_group_size=128)
    source = ParquetSource(policy())
    scan = source.scan(june)
    grid = source.draft(scan, "1")
    decoded.clear()
    found = profiles(source, june, grid)
    assert "flag" in decoded
    assert decoded.count("kind") == decoded.count("amount") == 0
    assert found == profiles(source, june, grid)  # from files alone
    assert (
        decoded.count("kind") == decoded.count("amount") == 1
    )  # small row groups are read together


def test_times_and_versions_are_decoded_once_for_versions_a_draft_and_counts(
    policy, large, write, june, decoded
):
    write("log/a.parquet", large(), row_group_size=128)
    source = ParquetSource(policy())
    spec, found = source._policy.source, profiles(ParquetSource(policy()), june)
    decoded.clear()
    assert profiles(source, june) == found
    assert decoded.count(spec.event_time) == decoded.count(spec.version) == 1


def test_without_room_columns_are_decoded_again(policy, large, write, june, monkeypatch):
    write("log/a.parquet", large(), row_group_size=128)
    found = profiles(ParquetSource(policy()), june)
    monkeypatch.setattr(shelf, "MOST_BYTES", 3_000)
    assert found == profiles(ParquetSource(policy()), june)


def test_a_file_that_was_written_anew_is_read_anew(policy, large, write, june):
    path = write("log/a.parquet", large(9))
    source = ParquetSource(policy())
    grid = source.draft(source.scan(june), "1")
    write("log/a.parquet", large(7))
    os.utime(path, ns=(1, 1))
    assert profiles(source, june, grid) == profiles(ParquetSource(policy()), june, grid)


def test_it_holds_no_more_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(shelf, "MOST_BYTES", 100)
    columns = [pa.chunked_array([pa.array([float(number)] * 10)]) for number in range(2)]
    held = Shelf()
    for number, column in enumerate(columns):
        assert held.keep(*PLACE[:2], str(number), lambda column=column: column) is column
    assert held.give(*PLACE[:2], "0", never) is columns[0]
    again = pa.chunked_array([[1.0]])
    assert held.give(*PLACE[:2], "0", lambda: again) is again  # once given, it is gone
    assert held.give(*PLACE[:2], "1", lambda: again) is again


def test_what_is_held_is_decoded_once():
    column = pa.chunked_array([[1, 2]])
    held = Shelf()
    assert held.keep(*PLACE, lambda: column) is column
    assert held.keep(*PLACE, never) is column


def test_another_process_decodes_for_itself():
    held = Shelf()
    held.keep(*PLACE, lambda: pa.chunked_array([[1, 2]]))
    column = pa.chunked_array([[3]])
    there = pickle.loads(pickle.dumps(held))  # noqa: S301  # our own bytes
    assert there.give(*PLACE, lambda: column) is column


@pytest.mark.parametrize(("texts", "width"), [(1, 8), (127, 8), (128, 8), (129, 16), (40_000, 32)])
def test_codes_are_as_narrow_as_their_dictionary_allows(texts, width):
    values = [None, *map(str, range(texts))]
    column = pa.chunked_array([pa.array(values).dictionary_encode()])
    held = Shelf().keep(*PLACE, lambda: column)
    assert held.type.index_type == getattr(pa, f"int{width}")()
    assert held.to_pylist() == values
    assert held.null_count == 1
    held.chunk(0).validate(full=True)


def test_codes_into_several_dictionaries_stay_as_they_are():
    parts = [pa.array(values).dictionary_encode() for values in (["a", "b"], ["c"])]
    column = pa.chunked_array(parts)
    assert Shelf().keep(*PLACE, lambda: column) is column
