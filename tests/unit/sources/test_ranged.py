import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from monitor.sources import ranged
from monitor.sources.footer import read_footer
from monitor.sources.ranged import HOLE, RangedFile, column_ranges, merged


class Counting:
    """A file of the real file system that counts its reads."""

    def __init__(self, path):
        self._handle = fs.LocalFileSystem().open_input_file(str(path))
        self.reads = []

    def size(self):
        return self._handle.size()

    def read_at(self, length, offset):
        self.reads.append((offset, length))
        return self._handle.read_at(length, offset)

    def close(self):
        self._handle.close()


@pytest.fixture
def content():
    return bytes(range(256)) * 40


@pytest.fixture
def file(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    return Counting(tmp_path / "file")


def test_what_was_fetched_is_read_without_another_request(file, content):
    ranged_file = RangedFile(file)
    ranged_file.fetch([(100, 200), (300, 500)])
    assert file.reads == [(100, 400)]
    for begin, length in ((100, 100), (150, 10), (250, 20), (300, 200)):
        ranged_file.seek(begin)
        assert ranged_file.read(length) == content[begin : begin + length]
        assert ranged_file.tell() == begin + length
    assert len(file.reads) == 1


@pytest.mark.parametrize(("begin", "length"), [(50, 100), (480, 100), (0, 10), (900, 5), (0, -1)])
def test_anything_else_is_a_request_of_its_own(file, content, begin, length):
    ranged_file = RangedFile(file)
    ranged_file.fetch([(100, 500)])
    ranged_file.seek(begin)
    end = None if length < 0 else begin + length
    assert ranged_file.read(length) == content[begin:end]
    assert len(file.reads) == 2


def test_the_end_of_the_file_is_an_end(file, content):
    ranged_file = RangedFile(file)
    ranged_file.seek(-4, io.SEEK_END)
    assert ranged_file.read(100) == content[-4:]
    assert ranged_file.read(100) == b""
    ranged_file.seek(10)
    ranged_file.seek(5, io.SEEK_CUR)
    assert ranged_file.tell() == 15


def test_near_ranges_are_one_and_far_ones_are_not():
    assert merged([(10, 20), (0, 5)]) == [(0, 20)]
    assert merged([(0, 5), (6 + HOLE, 9 + HOLE)]) == [(0, 5), (6 + HOLE, 9 + HOLE)]
    assert merged([(0, 50), (10, 20)]) == [(0, 50)]
    assert merged([]) == []


def test_more_than_is_held_at_once_is_not_fetched_together(file, content, monkeypatch):
    monkeypatch.setattr(ranged, "TOGETHER", 300)
    ranged_file = RangedFile(file)
    ranged_file.fetch([(0, 200), (5000, 5200)])
    assert file.reads == []
    ranged_file.seek(5000)
    assert ranged_file.read(200) == content[5000:5200]


def test_a_parquet_file_is_read_with_one_request_a_row_group(tmp_path):
    table = pa.table({name: pa.array(range(10_000)) for name in "abcdefgh"})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=5_000)
    counting = Counting(tmp_path / "t.parquet")
    with RangedFile(counting) as handle:
        metadata, data = read_footer(handle)
        parquet = pq.ParquetFile(handle, metadata=metadata)
        for group in range(2):
            handle.fetch(column_ranges(data, [group], [0, 2, 5]))
            before = len(counting.reads)
            for leaf in (5, 0, 2):
                read = parquet.reader.read_row_group(group, column_indices=[leaf])
                assert read.column(0).to_pylist() == list(range(5_000 * group, 5_000 * (group + 1)))
            assert len(counting.reads) == before
    assert len(counting.reads) <= 2 + 2  # the footer, and each row group


def test_a_closed_file_is_closed(file):
    ranged_file = RangedFile(file)
    ranged_file.close()
    ranged_file.close()
    assert ranged_file.closed
