"""The real commands: back a store up while a daemon writes, restore it, move it to a server."""

import json

import pytest

from tests.e2e.deployment import get, make_deployment, register, samples, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def deployment(tmp_path):
    made = make_deployment(tmp_path)
    register(made)
    return made


def verdicts(deployment):
    return json.loads(deployment.call("alerts", "list", "--all", "--output", "json").stdout)


def test_a_lost_database_is_restored_and_the_daemon_goes_on_as_before(deployment):
    file = deployment.folder / "backup.jsonl.gz"
    with deployment.daemon() as (process, address, log):
        name = "modelmon_alert_started_timestamp_seconds"
        wait_for(lambda: name in get(f"{address}/metrics")[1], process, log)
        said = deployment.call("db", "backup", str(file)).stderr
        before = samples(get(f"{address}/metrics")[1])
    alerts = verdicts(deployment)
    assert "rows of" in said
    assert file.stat().st_mode & 0o777 == 0o600
    again = deployment.call("db", "backup", str(file), check=False)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    full = deployment.call("db", "restore", str(file), check=False)
    assert (full.returncode, "is not empty" in full.stderr) == (5, True)

    for part in deployment.database.parent.iterdir():
        part.unlink()
    looked = deployment.call("db", "restore", "--check", str(file)).stderr
    assert "whole" in looked
    assert not deployment.database.exists()
    assert "restored" in deployment.call("db", "restore", str(file)).stderr
    assert verdicts(deployment) == alerts
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: name in get(f"{address}/metrics")[1], process, log)
        after = samples(get(f"{address}/metrics")[1])
    kept = [series for series in before if "score" in series or "alert" in series]
    assert kept
    assert {series: after[series] for series in kept} == {series: before[series] for series in kept}
    assert "0 with new results" in deployment.call("run").stderr


def test_half_a_file_is_refused_with_the_stores_exit_code(deployment):
    file = deployment.folder / "backup.jsonl.gz"
    deployment.call("db", "backup", str(file))
    file.write_bytes(file.read_bytes()[:-20])
    deployment.database.unlink()
    refused = deployment.call("db", "restore", str(file), check=False)
    assert refused.returncode == 5
    assert "cut off or damaged" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not deployment.database.exists()
