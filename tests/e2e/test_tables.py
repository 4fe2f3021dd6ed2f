"""The real command on tables with snapshots: what it waits for, reads again, and can still prove."""

import json
import os
import re
from datetime import UTC, datetime

import deltalake
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog

from tests.e2e.deployment import make_deployment, register, write_day
from tests.e2e.test_daemon import runs

pytestmark = pytest.mark.slow


class Delta:
    """A Delta Lake table beside the configuration."""

    format, path, catalogs = "delta", "../table", ""

    def __init__(self, folder):
        self._place = str(folder / "table")

    def append(self, rows):
        deltalake.write_deltalake(self._place, rows, mode="append")

    def compact(self):
        deltalake.DeltaTable(self._place).optimize.compact()

    def empty(self):
        """Remove the files that are of former versions only."""
        table = deltalake.DeltaTable(self._place)
        table.vacuum(0, dry_run=False, enforce_retention_duration=False)

    @property
    def state(self):
        return f"delta version {deltalake.DeltaTable(self._place).version()}"


class Iceberg:
    """An Iceberg table in a SQL catalog that the policy names."""

    format, path = "iceberg", "lake/models.log"

    def __init__(self, folder):
        properties = {
            "type": "sql",
            "uri": f"sqlite:///{folder}/catalog.db",
            "warehouse": f"file://{folder}/warehouse",
        }
        self.catalogs = f", catalogs: {{lake: {json.dumps(properties)}}}"
        self._catalog = load_catalog("lake", **properties)
        self._catalog.create_namespace("models")

    def append(self, rows):
        if not self._catalog.table_exists("models.log"):
            self._catalog.create_table("models.log", schema=rows.schema)
        self._catalog.load_table("models.log").append(rows)

    @property
    def state(self):
        found = self._catalog.load_table("models.log").current_snapshot()
        return f"iceberg snapshot {found.snapshot_id}"


def on_a_table(folder, kind):
    """Lay out a deployment whose log is a table: eight days in as many commits."""
    deployment = make_deployment(folder)
    table = kind(folder)
    files = sorted((folder / "log").iterdir())
    for file in files:
        table.append(pq.read_table(file))
    model = folder / "models" / "credit.yaml"
    source = f"path: {table.path}, format: {table.format}{table.catalogs}"
    model.write_text(model.read_text().replace("path: ../log", source))
    register(deployment)
    deployment.call("run")
    return deployment, table


def late_rows(folder, day):
    write_day(folder / "late.parquet", datetime(2024, 1, day, tzinfo=UTC), rows=90)
    return pq.read_table(folder / "late.parquet")


def revisions(deployment):
    """Return how many results each day has."""
    found = {}
    for run in runs(deployment):
        day = int(re.match(r"2024-01-(\d\d)", run[1]).group(1))
        found[day] = max(found.get(day, 0), run[2])
    return found


@pytest.mark.parametrize("kind", [Delta, Iceberg])
def test_late_rows_reopen_their_window_and_the_former_result_can_still_be_counted(tmp_path, kind):
    deployment, table = on_a_table(tmp_path, kind)
    before = table.state
    told = deployment.call("explain", "credit", "2024-01-06").stdout
    assert re.search(rf"table +│? *{before}, committed 20\d\d-", told), told
    table.append(late_rows(tmp_path, 6))
    deployment.call("run")
    assert revisions(deployment) == {5: 1, 6: 2, 7: 1, 8: 1}
    document = json.loads(deployment.call("explain", "credit", "2024-01-06", "--json").stdout)
    (state,) = document["manifest"]["snapshots"]
    assert table.state.endswith(f" {state['id']}")
    assert datetime.fromisoformat(state["committed"]).tzinfo
    assert document["accounting"]["read"] == 690
    old = deployment.call("explain", "credit", "2024-01-06", "--revision", "1").stdout
    assert before in old
    assert "5 of 5 stored results are equal" in deployment.call("recheck", "--rows").stderr


def test_compaction_is_no_reason_to_measure_anything_again(tmp_path):
    deployment, table = on_a_table(tmp_path, Delta)
    table.compact()
    deployment.call("run")
    assert revisions(deployment) == {5: 1, 6: 1, 7: 1, 8: 1}
    assert "4 of 4 stored results are equal" in deployment.call("recheck", "--rows").stderr
    table.append(late_rows(tmp_path, 7))
    table.compact()
    deployment.call("run")
    assert revisions(deployment)[7] == 2
    table.empty()
    done = deployment.call("recheck", "--rows", check=False)
    assert done.returncode == 1
    assert "as it was" in done.stdout


def test_rows_that_are_deleted_reopen_their_window(tmp_path):
    deployment, table = on_a_table(tmp_path, Delta)
    deltalake.DeltaTable(table._place).delete("id = '20240106-3'")
    table.compact()
    deployment.call("run")
    assert revisions(deployment)[6] == 2


def test_rows_that_were_changed_behind_everybodys_back_are_found(tmp_path):
    deployment = make_deployment(tmp_path)
    file = tmp_path / "log" / "2024-01-06.parquet"
    rows = pq.read_table(file)
    plain = {"use_dictionary": False, "compression": "none", "write_statistics": ["at"]}
    pq.write_table(rows, file, **plain)
    register(deployment)
    deployment.call("run")
    was = file.stat()
    more = pc.add(rows["amount"], 3.0)
    pq.write_table(
        rows.set_column(rows.column_names.index("amount"), "amount", more), file, **plain
    )
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert file.stat().st_size == was.st_size
    assert "4 of 4 stored results are equal" in deployment.call("recheck").stderr
    done = deployment.call("recheck", "--rows", check=False)
    assert done.returncode == 1
    assert "3 of 4 stored results are equal" in done.stderr
    assert "psi of amount" in done.stdout
