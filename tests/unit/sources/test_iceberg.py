"""What is particular to Iceberg tables; tests/contract/test_sources.py has what all share."""

import json
import sys
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from pyiceberg.catalog import load_catalog
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.utils.config import Config

from monitor.compute.local import LocalCompute
from monitor.domain.errors import SourceError
from monitor.sources.iceberg import iceberg_table
from monitor.sources.parquet import ParquetSource


class Silent:
    def advance(self, rows):
        pass


class DeletesWriter(ManifestWriterV2):
    """Writes a manifest of delete files, which the library itself only reads."""

    def content(self):
        return ManifestContent.DELETES

    @property
    def _meta(self):
        return {**super()._meta, "content": "deletes"}


@pytest.fixture
def catalog(tmp_path, monkeypatch):
    (tmp_path / "warehouse").mkdir()
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", f"sqlite:///{tmp_path}/catalog.db")
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__WAREHOUSE", f"file://{tmp_path}/warehouse")
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__TYPE", "sql")
    # What a new process does when it first imports the library.
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())
    found = load_catalog("lake")
    found.create_namespace("models")
    return found


@pytest.fixture
def log(catalog, rows):
    """A table with ten rows in one file."""
    data = micros(pa.table(rows()))
    table = catalog.create_table("models.log", schema=data.schema)
    table.append(data)
    return table


def micros(data):
    """Return a table with times in microseconds: Iceberg has no seconds."""
    return data.set_column(
        data.column_names.index("at"), "at", data["at"].cast(pa.timestamp("us", "UTC"))
    )


def counted(source, window):
    scan = source.scan(window)
    grids = {"1": source.draft(scan, "1")}
    return scan, LocalCompute().count(scan.tasks, source.counter(scan, grids), Silent())


@pytest.fixture
def source(policy, log):
    assert log.name() == ("models", "log")
    return ParquetSource(policy(source={"path": "lake/models.log"}), iceberg_table)


def delete_rows(table, positions, tmp_path, content=DataFileContent.POSITION_DELETES):
    """Add a delete file to the current snapshot, in place, as another engine would write it."""
    (task,) = table.scan().plan_files()
    gone = tmp_path / "warehouse" / f"deletes-{len(positions)}.parquet"
    pq.write_table(
        pa.table({"file_path": [task.file.file_path] * len(positions), "pos": list(positions)}),
        gone,
    )
    snapshot = table.current_snapshot()
    deleted = DataFile.from_args(
        content=content,
        file_path=f"file://{gone}",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=len(positions),
        file_size_in_bytes=gone.stat().st_size,
        equality_ids=[1] if content is DataFileContent.EQUALITY_DELETES else None,
    )
    output = table.io.new_output(f"file://{tmp_path}/warehouse/deletes-{len(positions)}.avro")
    with DeletesWriter(
        table.spec(), table.schema(), output, snapshot.snapshot_id, "deflate"
    ) as writer:
        writer.add_entry(
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED,
                snapshot_id=snapshot.snapshot_id,
                sequence_number=snapshot.sequence_number,
                file_sequence_number=snapshot.sequence_number,
                data_file=deleted,
            )
        )
    manifests = [*snapshot.manifests(table.io), writer.to_manifest_file()]
    place = snapshot.manifest_list.removeprefix("file://")
    (tmp_path / "rewritten").mkdir(exist_ok=True)
    with write_manifest_list(
        2,
        table.io.new_output(f"file://{tmp_path}/rewritten/list.avro"),
        snapshot.snapshot_id,
        snapshot.parent_snapshot_id,
        snapshot.sequence_number,
        "deflate",
    ) as listed:
        listed.add_manifests(manifests)
    Path(place).write_bytes((tmp_path / "rewritten/list.avro").read_bytes())


def test_rows_that_are_deleted_by_position_are_not_read(log, source, june, tmp_path):
    before = source.scan(june).manifest
    delete_rows(log, [0, 9], tmp_path)
    scan, total = counted(source, june)
    assert (total.read, total.profiles["1"].rows) == (8, 8)
    assert total.profiles["1"].first_event == datetime(2005, 6, 1, 1, tzinfo=UTC)
    assert scan.manifest.digest != before.digest


def test_rows_that_are_deleted_by_value_are_refused(log, source, june, tmp_path):
    delete_rows(log, [0], tmp_path, DataFileContent.EQUALITY_DELETES)
    with pytest.raises(SourceError, match="equality"):
        source.scan(june)


def test_a_renamed_column_is_found_in_older_files(log, policy, june, rows):
    with log.update_schema() as update:
        update.rename_column("amount", "sum")
    data = micros(pa.table(rows())).rename_columns(
        ["sum" if name == "amount" else name for name in rows()]
    )
    log.append(data)
    amount, *others = policy().fields
    renamed = (replace(amount, column="sum"), *others)
    changed = policy(source={"path": "lake/models.log"}, fields=renamed)
    _, total = counted(ParquetSource(changed, iceberg_table), june)
    assert total.profiles["1"].fields["amount"].n == 20


def test_a_column_that_was_dropped_and_made_anew_has_no_old_values(log, source, june, rows):
    with log.update_schema() as update:
        update.delete_column("amount")
    with log.update_schema() as update:
        update.add_column("amount", log.schema().find_field("score").field_type)
    log.append(micros(pa.table(rows())))
    _, total = counted(source, june)
    counts = total.profiles["1"].fields["amount"]
    assert (total.profiles["1"].rows, counts.n) == (20, 10)


def test_a_partition_value_that_the_file_leaves_out_is_taken_from_the_table(
    catalog, policy, june, rows
):
    data = micros(pa.table(rows()))
    table = catalog.create_table("models.log", schema=data.schema)
    with table.update_spec() as update:
        update.add_field("kind", IdentityTransform(), "kind")
    table.append(data)
    source = ParquetSource(policy(source={"path": "lake/models.log"}), iceberg_table)
    scan, before = counted(source, june)
    assert len(scan.manifest.files) == 2
    assert before.profiles["1"].fields["kind"].values.sum() == 10
    for task in table.scan().plan_files():  # as a Hive table that was taken over has them
        place = Path(task.file.file_path.removeprefix("file://"))
        pq.write_table(pq.read_table(place, partitioning=None).drop_columns(["kind"]), place)
    without = ParquetSource(policy(source={"path": "lake/models.log"}), iceberg_table)
    grid = without.draft(without.scan(june), "1")
    assert set(grid.fields["kind"].values) == {"a", "b"}


class RestCatalog(BaseHTTPRequestHandler):
    """The two answers of a REST catalog that reading a table takes; it knows one token."""

    tables: ClassVar = {}

    def do_GET(self):
        place = urlsplit(self.path).path
        if self.headers["Authorization"] != "Bearer only-for-tests":
            told = {"message": "no", "type": "NotAuthorizedException", "code": 401}
            self._answer(401, {"error": told})
        elif place == "/v1/config":
            self._answer(200, {"defaults": {}, "overrides": {}})
        else:
            where = self.tables[place]
            metadata = json.loads(Path(where.removeprefix("file://")).read_text())
            self._answer(200, {"metadata-location": where, "metadata": metadata, "config": {}})

    def _answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def rest(log):
    RestCatalog.tables = {"/v1/namespaces/models/tables/log": log.metadata_location}
    server = ThreadingHTTPServer(("127.0.0.1", 0), RestCatalog)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_a_catalog_of_the_policy_takes_its_secret_from_the_environment(
    rest, policy, june, monkeypatch
):
    catalogs = {"house": {"type": "rest", "uri": rest}}
    kind = partial(iceberg_table, catalogs=catalogs)
    source = ParquetSource(policy(source={"path": "house/models.log"}), kind)
    with pytest.raises(SourceError, match=r"house/models\.log") as caught:
        source.scan(june)
    assert "only-for-tests" not in str(caught.value)
    monkeypatch.setenv("PYICEBERG_CATALOG__HOUSE__TOKEN", "only-for-tests")
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())  # what a new process has
    _, total = counted(source, june)
    assert total.read == 10


def test_a_former_snapshot_is_read_as_it_was(log, policy, june, rows):
    first = log.current_snapshot().snapshot_id
    log.append(micros(pa.table(rows())))
    then = partial(iceberg_table, snapshot=str(first))
    scan, total = counted(ParquetSource(policy(source={"path": "lake/models.log"}), then), june)
    assert total.read == 10
    (state,) = scan.manifest.snapshots
    assert state.id == str(first)
    gone = partial(iceberg_table, snapshot="1")
    with pytest.raises(SourceError, match="snapshot 1 has expired"):
        ParquetSource(policy(source={"path": "lake/models.log"}), gone).scan(june)


def test_a_metadata_file_is_one_snapshot_for_ever(log, policy, june, rows):
    pinned = log.metadata_location.removeprefix("file://")
    log.append(micros(pa.table(rows())))
    source = ParquetSource(policy(source={"path": pinned}), iceberg_table)
    _, total = counted(source, june)
    assert total.read == 10


@pytest.mark.parametrize("kept", [0, 300])
def test_metadata_that_are_torn_are_said_to_be(log, policy, june, tmp_path, kept):
    whole = Path(log.metadata_location.removeprefix("file://")).read_bytes()
    torn = tmp_path / "torn.metadata.json"
    torn.write_bytes(whole[:kept])
    source = ParquetSource(policy(source={"path": str(torn)}), iceberg_table)
    with pytest.raises(
        SourceError, match=r"torn\.metadata\.json: its metadata cannot be read"
    ) as told:
        source.scan(june)
    assert "\n" not in str(told.value)


def test_a_table_without_a_snapshot_has_no_rows(catalog, policy, june, rows):
    catalog.create_table("models.log", schema=micros(pa.table(rows())).schema)
    source = ParquetSource(policy(source={"path": "lake/models.log"}), iceberg_table)
    assert source.survey().span is None
    assert source.scan(june).manifest.snapshot == "iceberg table without a snapshot"


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("path", ["lake/models.other", "lake/nowhere.log", "nolake/models.log"])
def test_what_is_not_there_is_said(policy, june, path):
    with pytest.raises(SourceError, match=path):
        ParquetSource(policy(source={"path": path}), iceberg_table).scan(june)


def test_without_the_package_it_is_said_how_to_install_it(policy, june, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyiceberg.exceptions", None)
    with pytest.raises(SourceError, match=r"pip install 'modelmon\[iceberg\]'"):
        ParquetSource(policy(), iceberg_table).scan(june)
