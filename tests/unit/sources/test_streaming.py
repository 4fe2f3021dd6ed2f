"""Row groups that are too large to be read whole."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.domain.field import Field, FieldKind, FieldRole
from monitor.sources import reader, streaming
from monitor.sources.location import Location
from monitor.sources.parquet import ParquetSource
from monitor.sources.reader import opened
from tests.properties.test_profile_invariance import exact
from tests.unit.sources.test_parquet import counted

ROWS = 700  # within June


@pytest.fixture
def small_pieces(monkeypatch):
    """Call a row group large from a hundred rows on, and read 64 of them at once."""
    monkeypatch.setattr(reader, "LARGE_ROWS", 100)
    monkeypatch.setattr(reader, "PIECE_ROWS", 64)
    monkeypatch.setattr(reader, "KEPT_PIECES", 2)


@pytest.fixture
def large(rows):
    """Columns of one row group, with nulls, texts that repeat and texts that do not."""

    def make(**columns):
        rng = np.random.default_rng(7)
        amounts = pa.array(rng.normal(size=ROWS), mask=rng.random(ROWS) < 0.1)
        texts = [None if row % 11 == 3 else f"kind {row % 400}" for row in range(ROWS)]
        return rows(ROWS, **{"amount": amounts, "kind": texts, **columns})

    return make


def profiles(policy, june):
    total = counted(ParquetSource(policy), june)
    assert total.unreadable == []
    assert total.accounting().balances
    return {version: exact(profile) for version, profile in total.profiles.items()}


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"data_page_size": 200},
        {"dictionary_pagesize_limit": 300, "data_page_size": 200},
        {"use_dictionary": False, "column_encoding": {"kind": "DELTA_BYTE_ARRAY"}},
        {"use_dictionary": ["sex"], "data_page_version": "2.0", "compression": "zstd"},
    ],
)
@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("known_texts", [50, 2**18])
def test_pieces_give_what_the_whole_row_group_gives(
    policy, large, write, june, monkeypatch, form, known_texts
):
    monkeypatch.setattr(streaming, "MOST_TEXTS", known_texts)
    version = ["1", "2", "1", None] * (ROWS // 4)
    write("log/a.parquet", large(version=version), row_group_size=ROWS, **form)
    found = profiles(policy(), june)
    monkeypatch.setattr(reader, "LARGE_ROWS", 2**20)
    assert found == profiles(policy(), june)


@pytest.mark.usefixtures("small_pieces")
def test_pieces_of_two_threads_give_the_same(policy, large, write, june):
    write("log/a.parquet", large(), row_group_size=ROWS)
    source = ParquetSource(policy())
    scan = source.scan(june)
    grids = {"1": source.draft(scan, "1")}
    (task,) = scan.tasks
    count = source.counter(scan, grids).complete()
    (one, two) = (count(type(task)(task.path, task.row_groups, ROWS, n)) for n in (1, 2))
    assert [exact(total.profiles["1"]) for total in (one, two)] == [exact(one.profiles["1"])] * 2


@pytest.mark.usefixtures("small_pieces")
def test_ids_that_repeat_are_found_across_pieces(policy, large, write, june):
    ids = [f"id {row % 600}" for row in range(ROWS)]
    write("log/a.parquet", large(id=ids), row_group_size=ROWS)
    source = ParquetSource(policy())
    scan = source.scan(june)
    (task,) = scan.tasks
    count = source.counter(scan, {"1": source.draft(scan, "1")}).complete()
    assert dict(count(task).rejected) == {"duplicate_id": 100}


@pytest.mark.usefixtures("small_pieces")
def test_deleted_rows_are_left_out_of_each_piece(policy, large, write, june, monkeypatch):
    kept = pa.array([row % 5 != 0 and not 128 <= row < 192 for row in range(ROWS)])
    monkeypatch.setattr(Location, "kept", lambda _self, _path: kept)
    write("log/a.parquet", large(), row_group_size=ROWS)
    found = counted(ParquetSource(policy()), june)
    assert found.read == found.profiles["1"].rows == kept.true_count
    monkeypatch.setattr(reader, "LARGE_ROWS", 2**20)
    whole = counted(ParquetSource(policy()), june)
    assert exact(found.profiles["1"]) == exact(whole.profiles["1"])


def test_vectors_of_a_wide_row_group_are_read_in_pieces_by_their_bytes(
    policy, large, write, june, monkeypatch
):
    vectors = [[float(row), 1.0, 2.0, 3.0] for row in range(ROWS)]
    columns = large(amount=pa.array(vectors, pa.list_(pa.float64())))
    write("log/a.parquet", columns, row_group_size=ROWS)
    score = Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE)
    watched = policy(fields=(Field("amount", "amount", FieldKind.EMBEDDING), score))
    expected = profiles(watched, june)
    monkeypatch.setattr(reader, "LARGE_BYTES", 2_000)
    monkeypatch.setattr(reader, "BATCH_BYTES", 4_000)
    source = ParquetSource(watched)
    (file,) = source.scan(june).manifest.files
    location = source._log.location
    with opened(location, location.listing().files[0], together=("amount",)) as log:
        assert [chunk.rows for chunk in log.chunks()] == [292, 292, 116]
    assert profiles(watched, june) == expected
    assert file.rows == ROWS


def test_a_column_may_be_read_again_and_pieces_passed_over(tmp_path, large):
    path = tmp_path / "a.parquet"
    table = pa.table(large())
    pq.write_table(table, path, row_group_size=ROWS)
    footer = _footer(path)
    with pa.OSFile(str(path)) as handle:
        streams = streaming.Streams(lambda **how: streaming.paged(handle, **how), [4], footer)
        expected = table["kind"].to_pylist()
        for rows in [(0, 64), (0, 64), (256, 320), (64, 128), (640, 700), (640, 700)]:
            assert streams.read(0, [4], rows).to_pylist() == expected[slice(*rows)]


@pytest.mark.usefixtures("small_pieces")
def test_a_footer_that_counts_other_rows_than_there_are_is_not_believed(policy, large, write, june):
    path = write("log/a.parquet", large(), row_group_size=ROWS)
    data = path.read_bytes()
    said, lie = b"\x16\xf8\x0a", b"\x16\xe8\x07"  # 700 and 500, in the field after another
    begin = data.index(said, len(data) - 8 - len(_footer(path)))  # of the file; the last is of
    changed = data[:begin] + lie + data[begin + 3 :]  # the row group, those between of columns
    end = changed.rindex(said)
    path.write_bytes(changed[:end] + lie + changed[end + 3 :])
    assert pq.read_metadata(path).num_rows == ROWS - 200
    write("log/good.parquet", large(id=[f"g{row}" for row in range(ROWS)]), row_group_size=ROWS)
    total = counted(ParquetSource(policy()), june)
    assert [(file.path, file.reason) for file in total.unreadable] == [("a.parquet", "corrupt")]
    assert total.profiles["1"].rows == ROWS


def _footer(path: Path) -> bytes:
    data = path.read_bytes()
    return data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
