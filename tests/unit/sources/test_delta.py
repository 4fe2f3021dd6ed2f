"""What is particular to Delta Lake tables; tests/contract/test_sources.py has what all share."""

import json
import struct
import sys
from datetime import UTC, date, datetime

import deltalake
import pyarrow as pa
import pytest
from pyroaring import BitMap64

from monitor.compute.local import LocalCompute
from monitor.domain.errors import SourceError
from monitor.sources.delta import delta_table
from monitor.sources.parquet import ParquetSource

pytestmark = pytest.mark.slow

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
MAGIC = 1681511377


def z85(data):
    text = ""
    for (number,) in struct.iter_unpack(">I", data):
        text += "".join(Z85[number // 85**place % 85] for place in range(4, -1, -1))
    return text


def deletion_vector(rows):
    """Return the inline form of the rows that are deleted, as the Delta protocol has it."""
    data = struct.pack("<i", MAGIC) + BitMap64(rows).serialize()
    padded = data + bytes(-len(data) % 4)
    return {
        "storageType": "i",
        "pathOrInlineDv": z85(padded),
        "sizeInBytes": len(data),
        "cardinality": len(rows),
    }


def commit(folder, version, actions):
    lines = [json.dumps(action) for action in actions]
    (folder / "_delta_log" / f"{version:020}.json").write_text("\n".join(lines) + "\n")


def added(folder, version=0):
    lines = (folder / "_delta_log" / f"{version:020}.json").read_text().splitlines()
    return [action["add"] for action in map(json.loads, lines) if "add" in action]


def protocol(*features):
    named = list(features)
    return {
        "protocol": {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": named,
            "writerFeatures": named,
        }
    }


def with_deletes(folder, version, rows):
    """Delete rows as other engines do: the file stays, and the log says what is gone of it."""
    (add,) = added(folder, version - 1)
    removed = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}
    if "deletionVector" in add:
        removed["deletionVector"] = add["deletionVector"]
    now = {**add, "deletionVector": deletion_vector(rows), "dataChange": True}
    now.pop("stats", None)
    now["stats"] = json.dumps({"numRecords": 10, "tightBounds": False})
    commit(folder, version, [protocol("deletionVectors"), {"remove": removed}, {"add": now}])


@pytest.fixture
def log(tmp_path, rows):
    folder = tmp_path / "log"
    deltalake.write_deltalake(str(folder), pa.table(rows()))
    return folder


def counted(source, window):
    scan = source.scan(window)
    grids = {"1": source.draft(scan, "1")}
    return scan, LocalCompute().count(scan.tasks, source.counter(scan, grids), Silent())


class Silent:
    def advance(self, rows):
        pass


def test_rows_that_a_deletion_vector_names_are_not_read(log, policy, june):
    source = ParquetSource(policy(), delta_table)
    before, total = counted(source, june)
    assert total.read == 10
    with_deletes(log, 1, [0, 3, 9])
    after, total = counted(source, june)
    assert (total.read, total.profiles["1"].rows) == (7, 7)
    assert total.profiles["1"].fields["amount"].sums.sum() != 0
    assert total.profiles["1"].first_event == datetime(2005, 6, 1, 1, tzinfo=UTC)
    assert total.last_event == datetime(2005, 6, 1, 8, tzinfo=UTC)
    assert after.manifest.digest != before.manifest.digest
    assert after.manifest.snapshot == "delta version 1"


def test_other_deleted_rows_are_another_identity(log, policy, june):
    source = ParquetSource(policy(), delta_table)
    with_deletes(log, 1, [0])
    first = source.scan(june).manifest
    with_deletes(log, 2, [1])
    assert source.scan(june).manifest.digest != first.digest


def test_a_file_whose_rows_are_all_deleted_has_none(log, policy, june):
    with_deletes(log, 1, range(10))
    source = ParquetSource(policy(), delta_table)
    scan = source.scan(june)
    assert source.versions(scan) == []
    total = LocalCompute().count(scan.tasks, source.counter(scan, {}), Silent())
    assert (total.read, total.unreadable) == (0, [])


@pytest.mark.parametrize("feature", ["columnMapping", "typeWidening", "somethingNew"])
def test_a_table_that_cannot_be_read_truly_is_refused(log, policy, june, feature):
    commit(log, 1, [protocol(feature)])
    with pytest.raises(SourceError, match=feature):
        ParquetSource(policy(), delta_table).scan(june)


def test_a_mapping_of_columns_is_refused(tmp_path, policy, june, rows):
    table = str(tmp_path / "log")
    deltalake.write_deltalake(table, pa.table(rows()))
    metadata = json.loads(
        next(
            line
            for line in (tmp_path / "log/_delta_log" / f"{0:020}.json").read_text().splitlines()
            if "metaData" in line
        )
    )
    metadata["metaData"]["configuration"]["delta.columnMapping.mode"] = "name"
    upgraded = {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}}
    commit(tmp_path / "log", 1, [upgraded, metadata])
    with pytest.raises(SourceError, match="columnMapping"):
        ParquetSource(policy(), delta_table).scan(june)


@pytest.mark.usefixtures("log")
def test_what_is_being_written_beside_the_table_is_not_read(policy, june, write, rows):
    write("log/part-99999.parquet", rows())
    _, total = counted(ParquetSource(policy(), delta_table), june)
    assert total.read == 10


def test_partition_values_have_the_type_of_their_column(tmp_path, policy, june, rows):
    days = [date(2005, 6, 1 + row // 5) for row in range(10)]
    table = pa.table({**rows(amount=[row // 4 for row in range(10)]), "day": days})
    partitions = ["day", "amount"]
    deltalake.write_deltalake(str(tmp_path / "log"), table, partition_by=partitions)
    source = ParquetSource(policy(), delta_table)
    _, total = counted(source, june)
    counts = total.profiles["1"].fields["amount"]
    assert (total.profiles["1"].rows, counts.n) == (10, 10)


def test_a_file_that_was_vacuumed_is_named(log, policy, june):
    source = ParquetSource(policy(), delta_table)
    scan = source.scan(june)
    grids = {"1": source.draft(scan, "1")}
    (file,) = scan.manifest.files
    (log / file.path).unlink()
    total = LocalCompute().count(scan.tasks, source.counter(scan, grids), Silent())
    assert [(item.path, item.reason) for item in total.unreadable] == [(file.path, "changed")]
    assert total.read == 0


def test_a_broken_data_file_is_named_and_stops_nothing(log, policy, june, rows):
    deltalake.write_deltalake(str(log), pa.table(rows()), mode="append")
    (broken,) = added(log, 1)
    (log / broken["path"]).write_bytes(b"PAR1" + bytes(broken["size"] - 4))
    scan, total = counted(ParquetSource(policy(), delta_table), june)
    assert [item.path for item in scan.manifest.unreadable] == [broken["path"]]
    assert total.read == 10


def test_a_table_that_is_not_there_may_come(policy, june):
    with pytest.raises(SourceError, match="no Delta table") as caught:
        ParquetSource(policy(), delta_table).scan(june)
    assert caught.value.retryable


def test_without_the_package_it_is_said_how_to_install_it(policy, june, monkeypatch):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(SourceError, match=r"pip install 'modelmon\[delta\]'"):
        ParquetSource(policy(), delta_table).scan(june)
