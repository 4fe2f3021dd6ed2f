"""A first configuration of a log that a table keeps."""

from datetime import UTC, datetime, timedelta

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor import app
from monitor.config.model_file import load_policy
from monitor.domain.errors import SourceError
from monitor.domain.policy import TableFormat

pytestmark = pytest.mark.slow


def rows(**more):
    at = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute) for minute in range(100)]
    return pa.table(
        {
            "timestamp": pa.array(at, pa.timestamp("us", "UTC")),
            "amount": [minute / 7 for minute in range(100)],
            **more,
        }
    )


@pytest.fixture
def table(tmp_path):
    """A Delta table that has lost a column since its first version, whose file is still there."""
    path = tmp_path / "payments"
    deltalake.write_deltalake(path, rows(gone=[1.5] * 100))
    deltalake.write_deltalake(path, rows(), mode="overwrite", schema_mode="overwrite")
    assert len(list(path.glob("*.parquet"))) == 2
    return path


def test_a_delta_table_is_known_by_its_own_log_and_only_its_present_files_are_read(table, tmp_path):
    target = tmp_path / "config" / "payments.yaml"
    target.parent.mkdir()
    target.write_text(app.starter(str(table), None, target))
    policy = load_policy(target)
    assert (policy.model, policy.source.format) == ("payments", TableFormat.DELTA)
    assert policy.source.path == "../payments"
    assert [field.name for field in policy.fields] == ["amount"]


def test_the_files_of_a_table_are_not_read_as_a_log_of_files(table):
    with pytest.raises(SourceError, match=r"source\.format: delta"):
        app.starter(str(table), "mine", None, "parquet")


def test_a_metadata_file_is_an_iceberg_table_and_named_after_its_folder(tmp_path):
    from pyiceberg.catalog.sql import SqlCatalog

    (tmp_path / "warehouse").mkdir()
    catalog = SqlCatalog(
        "lake", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse"
    )
    catalog.create_namespace("models")
    found = catalog.create_table("models.log", schema=rows().schema)
    found.append(rows())
    place = found.metadata_location.removeprefix("file://")
    target = tmp_path / "log.yaml"
    target.write_text(app.starter(place, None, target))
    policy = load_policy(target)
    assert (policy.model, policy.source.format) == ("log", TableFormat.ICEBERG)
    assert policy.source.path.endswith(".metadata.json")
    assert app.source_of(policy).survey().span is not None


def test_a_table_in_a_catalog_keeps_its_name(monkeypatch, tmp_path):
    asked = []

    def infer(log, kind):
        asked.append((log, kind.func.__name__))
        return ()

    monkeypatch.setattr("monitor.sources.inspect.infer_columns", infer)
    text = app.starter("lake/models.log", None, tmp_path / "m.yaml", "iceberg")
    assert asked == [("lake/models.log", "iceberg_table")]
    assert "model: log\n" in text
    assert "path: lake/models.log\n" in text


def test_parquet_files_are_read_as_they_were(tmp_path):
    (tmp_path / "log").mkdir()
    pq.write_table(rows(), tmp_path / "log" / "a.parquet")
    text = app.starter(str(tmp_path / "log"), None, None)
    assert "model: log\n" in text
    assert "  format:" not in text
