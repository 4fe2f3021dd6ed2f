"""The doctor on real deployments, whole and broken in one place each."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from monitor.app import SystemClock
from monitor.governance.note import verifying_key_of
from tests.e2e.deployment import get, make_deployment, register, samples, wait_for
from tests.tlog_witness import TlogWitness

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A deployment that is well: a baseline is registered and everything due was run."""
    deployment = make_deployment(tmp_path_factory.mktemp("watched"))
    register(deployment)
    deployment.call("run")
    return deployment


@pytest.fixture
def deployment(watched, tmp_path):
    shutil.copytree(watched.folder, tmp_path / "copy")
    return type(watched)(tmp_path / "copy")


GOVERNED = """
delegation: {statement: Approve loans, by: cro}
risk: {tier: low, limits: [{id: any, consequence: hold}]}
accountability:
  accountable: head
  owners: [olga]
  validators: [vic]
"""


def examined(deployment, code):
    done = deployment.call("doctor", "--output", "json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    (table,) = json.loads(done.stdout)
    return table["rows"]


def only(rows, what):
    (found,) = [row for row in rows if row["what"] == what]
    return found


def change_row(deployment, statement, *values):
    with closing(sqlite3.connect(deployment.database)) as connection, connection:
        connection.execute(statement, values)


def test_all_is_well(deployment):
    before = deployment.database.read_bytes()
    rows = examined(deployment, 0)
    assert [(row["what"], row["condition"]) for row in rows] == [
        ("configuration", "ok"),
        ("store", "ok"),
        ("clock", "ok"),
        ("leader", "ok"),
        ("audit log", "warn"),  # nobody has made a key for it
        ("access", "ok"),
        ("governance", "warn"),  # and nobody has answered for the model
        ("baseline", "ok"),
        ("log", "ok"),
        ("windows", "ok"),
        ("series", "ok"),
    ]
    assert "events from 2024-01-01T" in only(rows, "log")["found"]
    assert "the schedule ended at 2024-01-09" in only(rows, "windows")["found"]
    assert int(only(rows, "series")["found"].split()[0]) > 100
    assert deployment.database.read_bytes() == before, "looking changes nothing"


def test_answers_that_are_missing_are_named_and_no_failure(deployment):
    assert (
        "how much harm can it do? (risk.tier)"
        in only(examined(deployment, 0), "governance")["found"]
    )
    path = deployment.folder / "models" / "credit.yaml"
    path.write_text(path.read_text() + GOVERNED)
    found = only(examined(deployment, 0), "governance")
    assert found["condition"] == "warn"
    assert found["found"].startswith("loosen_policy takes a gov")
    path.write_text(path.read_text() + "  governance: [gail]\n")
    found = only(examined(deployment, 0), "governance")
    assert (found["condition"], found["found"]) == ("ok", "tier low; head answers for it")


def test_people_get_a_table_with_what_to_do(deployment):
    (deployment.folder / "log" / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    done = deployment.call("doctor")
    assert "torn.parquet" in done.stdout
    assert "modelmon quarantine list --model credit" in done.stdout


def test_problems_of_the_configuration_come_first_each_with_its_line(deployment):
    path = deployment.folder / "models" / "credit.yaml"
    path.write_text(path.read_text().replace("numeric", "nummeric"))
    rows = examined(deployment, 1)
    assert {row["what"] for row in rows} == {"configuration"}
    assert len(rows) == 2
    assert "credit.yaml:4:11: fields.amount" in rows[0]["found"]


def test_a_store_without_schema_is_a_failure_that_names_the_command(deployment):
    deployment.database.unlink()
    rows = examined(deployment, 1)
    assert only(rows, "store")["condition"] == "fail"
    assert "modelmon db upgrade" in only(rows, "store")["found"]


def test_a_model_without_a_baseline_and_one_that_is_damaged_fail(deployment):
    change_row(deployment, "update modelmon_baselines set rows = rows + 1")
    assert only(examined(deployment, 0), "baseline")["condition"] == "ok"  # not its content
    for broken in ("grid", "substr(profile, 1, 40)", "x'00'"):
        change_row(deployment, f"update modelmon_baselines set profile = {broken}")  # noqa: S608  # ours
        damaged = only(examined(deployment, 1), "baseline")
        assert damaged["condition"] == "fail" and "restore a backup" in damaged["what to do"]
    change_row(deployment, "delete from modelmon_registrations")
    missing = only(examined(deployment, 1), "baseline")
    assert "modelmon baseline register credit" in missing["what to do"]


def test_a_policy_that_its_baseline_does_not_serve_fails(deployment):
    path = deployment.folder / "models" / "credit.yaml"
    path.write_text(path.read_text().replace("channel: categorical", "channel: numeric"))
    found = only(examined(deployment, 1), "baseline")
    assert "field channel" in found["found"]


def test_a_log_that_is_gone_fails_and_one_without_rows_is_a_warning(deployment):
    log = deployment.folder / "log"
    for file in log.iterdir():
        file.unlink()
    assert only(examined(deployment, 0), "log")["condition"] == "warn"
    log.rmdir()
    found = only(examined(deployment, 1), "log")
    assert found["condition"] == "fail" and "no such file or folder" in found["found"]


def test_a_label_table_that_is_not_there_is_a_warning(deployment):
    path = deployment.folder / "models" / "credit.yaml"
    text = path.read_text().replace("id: id}", "id: id, labels: {path: ../labels, id: id}}")
    path.write_text(text + "label: {column: repaid, positive: [true]}\n")
    rows = examined(deployment, 1)  # a label is read that the baseline does not have
    assert only(rows, "labels")["condition"] == "warn"
    assert "source.labels.path" in only(rows, "labels")["what to do"]


def test_windows_that_nobody_runs_are_a_warning(deployment):
    change_row(deployment, "delete from modelmon_findings")
    change_row(deployment, "delete from modelmon_readings")
    change_row(deployment, "delete from modelmon_profiles")
    change_row(deployment, "delete from modelmon_runs")
    rows = examined(deployment, 0)
    found = only(rows, "windows")
    assert found["condition"] == "warn"
    assert found["found"].startswith("4 due, the oldest is [2024-01-05")
    assert found["what to do"] == "is the daemon running? modelmon run --model credit runs them now"
    assert only(rows, "series")["condition"] == "warn"


def test_a_run_from_the_future_means_that_the_clock_went_back(deployment):
    late = datetime.now(UTC) + timedelta(hours=1)  # noqa: TID251  # the real process has the real clock
    change_row(
        deployment, "update modelmon_runs set finished = ?", f"{late:%Y-%m-%d %H:%M:%S}.000000"
    )
    found = only(examined(deployment, 1), "clock")
    assert found["condition"] == "fail" and "NTP" in found["what to do"]


def test_who_leads_is_named_and_whether_it_was_heard_of(deployment):
    assert "nobody leads" in only(examined(deployment, 0), "leader")["found"]
    now = datetime.now(UTC)  # noqa: TID251  # the real process has the real clock
    for minutes, condition, said in (
        (5, "ok", "h1:7:ab leads in term 3 since"),
        (-5, "warn", "died or hangs"),
    ):
        renewed, expires = (
            now + timedelta(minutes=min(0, minutes)),
            now + timedelta(minutes=minutes),
        )
        instants = [f"{at:%Y-%m-%d %H:%M:%S}.000000" for at in (now, renewed, expires)]
        change_row(deployment, "delete from modelmon_leases")
        change_row(
            deployment,
            "insert into modelmon_leases values ('results', 'h1:7:ab', 'm', 3, ?, ?, ?)",
            *instants,
        )
        found = only(examined(deployment, 0), "leader")
        assert found["condition"] == condition
        assert said in found["found"]


class TestAWitness:
    """What the doctor says of a real witness, before it has cosigned, then, and long after."""

    @pytest.fixture
    def witness(self, tmp_path):
        folder = tmp_path / "witness"
        folder.mkdir()
        found = TlogWitness(folder)
        yield found
        found.stop()

    def test_it_is_told_when_it_last_cosigned(self, deployment, witness):
        made = deployment.call("audit", "init", "--key", str(deployment.folder / "log.key"))
        told = f"audit:\n  key: log.key\n  witnesses: [{{url: {witness.url!r}, key: {witness.key!r}}}]\n"
        deployment.config.write_text(deployment.config.read_text() + told)
        witness.trust(verifying_key_of(made.stdout.strip()))
        name = witness.key.partition("+")[0]

        row = only(examined(deployment, 0), "witness")
        assert (row["condition"], row["found"]) == ("warn", f"{name} last cosigned: never")
        assert "ModelMonWitnessSilent" in row["what to do"]

        witness.start()
        self.run_until(deployment, "modelmon_audit_cosigned_size", lambda size: size > 0)
        rows = examined(deployment, 0)
        row = only(rows, "witness")
        assert row["condition"] == "ok"
        assert re.fullmatch(rf"{name} has cosigned [1-9]\d* records, at 20.*Z", row["found"])
        assert "cosigned by 1 witness, see below" in only(rows, "audit log")["found"]

        long_ago = SystemClock().now() - timedelta(days=2)
        when = f"{long_ago:%F %T.%f}"
        change_row(deployment, "UPDATE modelmon_audit_cosignatures SET at = ?", when)
        row = only(examined(deployment, 0), "witness")
        assert (row["condition"], f"{long_ago:%FT%TZ}" in row["found"]) == ("warn", True)

    def run_until(self, deployment, series, wanted):
        """Run the daemon until a series of the witness has a value."""

        def found(address):
            told = samples(get(f"{address}/metrics")[1])
            return any(wanted(value) for of, value in told.items() if of.startswith(series))

        with deployment.daemon() as (process, address, log):
            wait_for(lambda: found(address), process, log)
