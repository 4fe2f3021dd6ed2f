"""The real process and files that are torn, mended, dropped and tried again."""

import json
import sqlite3
from datetime import UTC, datetime

import pytest

from tests.e2e.deployment import get, make_deployment, register, samples, wait_for, write_day

pytestmark = pytest.mark.slow

NAME = "2024-01-06.parquet"


def revisions(deployment, day):
    query = "select revision, manifest from modelmon_runs where window_start like ?"
    with sqlite3.connect(deployment.database) as connection:
        return dict(connection.execute(query, (f"{day}%",)).fetchall())


def listed(deployment, *options):
    done = deployment.call("quarantine", "list", "--output", "json", *options)
    return {file["path"]: file for file in json.loads(done.stdout)}


def scraped(address, name):
    found = samples(get(f"{address}/metrics")[1])
    return {series: value for series, value in found.items() if series.startswith(name)}


def tear(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return whole


@pytest.fixture
def deployment(tmp_path):
    """Return a deployment whose 6th of January has two files, one of them torn."""
    made = make_deployment(tmp_path)
    register(made)
    write_day(tmp_path / "log" / "also.parquet", datetime(2024, 1, 6, tzinfo=UTC), rows=100)
    return made


def test_a_torn_file_stops_nothing_waits_and_is_taken_in_when_it_is_whole(deployment):
    torn = deployment.folder / "log" / NAME
    whole = tear(torn)
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: len(revisions(deployment, "2024-01")) and listed(deployment), process, log)
        wait_for(lambda: revisions(deployment, "2024-01-08"), process, log)
        counted = 'modelmon_files_quarantined{model="credit",reason="not_parquet"}'
        wait_for(lambda: scraped(address, counted).get(counted) == 1, process, log)
        assert scraped(address, "modelmon_files_quarantined_oldest_timestamp_seconds{")
        file = listed(deployment)[NAME]
        assert (file["state"], file["reason"], file["attempts"]) == ("waiting", "not_parquet", 1)

        success = "modelmon_scheduler_heartbeat_timestamp_seconds"
        checked = scraped(address, success)[success]
        wait_for(lambda: scraped(address, success)[success] > checked + 6, process, log)
        assert listed(deployment)[NAME] == file  # several checks later it has not been opened

        torn.write_bytes(whole)
        wait_for(lambda: 2 in revisions(deployment, "2024-01-06"), process, log)
        wait_for(lambda: scraped(address, counted).get(counted) == 0, process, log)
        assert NAME not in listed(deployment)
        assert listed(deployment, "--all")[NAME]["state"] == "released"
    found = revisions(deployment, "2024-01-06")
    assert NAME in json.dumps(json.loads(found[1])["unreadable"])
    assert json.loads(found[2])["unreadable"] == []
    assert set(revisions(deployment, "2024-01-05")) == {1}  # it had lost nothing
    told = log.read_text()
    assert f"'{NAME}' in quarantine: waiting, not_parquet" in told
    assert f"'{NAME}' in quarantine: released" in told
    assert "Traceback" not in told


def test_a_file_is_dropped_and_taken_back_by_hand(deployment):
    torn = deployment.folder / "log" / NAME
    whole = tear(torn)
    deployment.call("run")
    done = deployment.call("quarantine", "drop", NAME, "--why", "sent again", "--by", "ada")
    assert "credit: 2024-01-06.parquet is dropped" in done.stderr
    torn.write_bytes(whole)
    assert "0 windows" in deployment.call("run").stderr
    file = listed(deployment)[NAME]
    assert (file["state"], file["by"], file["why"]) == ("dropped", "ada", "sent again")
    deployment.call("quarantine", "retry", NAME, "--why", "it was mended")
    assert "1 windows, 1 with new results" in deployment.call("run").stderr
    assert listed(deployment) == {}
    assert "no file is in quarantine" in deployment.call("quarantine", "list").stderr
    assert "released" in deployment.call("quarantine", "list", "--all").stdout


def test_all_files_that_wait_are_tried_at_once(deployment):
    for name in ("a.parquet", "b.parquet"):
        (deployment.folder / "log" / name).write_bytes(b"junk")
    deployment.call("run")
    deployment.call("quarantine", "drop", "a.parquet", "--why", "junk")
    done = deployment.call("quarantine", "retry", "--all")
    assert "b.parquet is tried at the next check" in done.stderr
    assert "a.parquet" not in done.stderr
    before = listed(deployment)
    deployment.call("run")
    after = listed(deployment)
    assert after["b.parquet"]["attempts"] == before["b.parquet"]["attempts"] + 1
    assert after["a.parquet"] == before["a.parquet"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("drop", "nothing.parquet", "--why", "x"), "not in quarantine: nothing.parquet"),
        (("drop", "torn.parquet", "--why", "x"), "in quarantine for credit, fraud: say --model"),
        (
            ("drop", "torn.parquet", "--why", " ", "--model", "credit"),
            "the reason is empty; say why nobody will need",
        ),
        (("drop", "torn.parquet"), "Missing option '--why'"),
        (("retry",), "name the files, or say --all"),
        (("retry", "torn.parquet", "--all"), "name the files, or say --all"),
        (("list", "--model", "nobody"), "no such model: nobody"),
    ],
)
def test_a_decision_that_is_not_clear_changes_nothing(two_models, arguments, said):
    before = listed(two_models)
    done = two_models.call("quarantine", *arguments, check=False)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert listed(two_models) == before


@pytest.fixture(scope="module")
def two_models(tmp_path_factory):
    made = make_deployment(tmp_path_factory.mktemp("two"), models=("credit", "fraud"))
    for model in ("credit", "fraud"):
        register(made, model)
    (made.folder / "log" / "torn.parquet").write_bytes(b"junk")
    made.call("run")
    return made


def test_a_file_of_two_models_is_decided_for_the_one_that_is_named(two_models):
    hostile = "new\nline \x1b[31m.parquet"
    (two_models.folder / "log" / hostile).write_bytes(b"junk")
    two_models.call("run")
    done = two_models.call("quarantine", "list", "--model", "fraud")
    shown = r"new\nline \x1b[31m.parquet"
    assert shown in done.stdout and "\x1b" not in done.stdout
    two_models.call("quarantine", "drop", shown, "--why", "junk", "--model", "fraud")
    states = [
        listed(two_models, "--model", model)[hostile]["state"] for model in ("credit", "fraud")
    ]
    assert states == ["waiting", "dropped"]


def test_a_result_is_explained_down_to_its_files_and_rows(deployment):
    whole = tear(deployment.folder / "log" / NAME)
    deployment.call("run")
    (deployment.folder / "log" / NAME).write_bytes(whole)
    deployment.call("run")
    document = json.loads(
        deployment.call("explain", "credit", "2024-01-06", "--output", "json").stdout
    )
    assert (document["revision"], document["newest_revision"]) == (2, 2)
    files = {file["path"]: file for file in document["manifest"]["files"]}
    assert files.keys() == {NAME, "also.parquet"}
    assert (files[NAME]["rows"], files[NAME]["size"]) == (600, len(whole))
    assert document["manifest"]["intact"] is True
    assert document["since"] == {"added": [], "rewritten": [], "removed": []}
    accounting = document["accounting"]
    assert (accounting["read"], accounting["profiled"]) == (700, {"1": 600})
    assert accounting["rejected"] == {"duplicate_id": 100}  # both files number their rows from 0
    first = json.loads(
        deployment.call(
            "explain", "credit", "2024-01-06", "--revision", "1", "--output", "json"
        ).stdout
    )
    assert [file["path"] for file in first["manifest"]["unreadable"]] == [NAME]
    assert first["since"]["added"] == [NAME]
    shown = deployment.call("explain", "credit", "latest").stdout
    for title in ("The run", "Its rows", "The files it was made from", "What was judged"):
        assert title in shown
    assert "computed again: the same" in shown
    done = deployment.call("explain", "credit", "2024-01-06", "--revision", "9", check=False)
    assert (done.returncode, "2 revisions, and none is 9" in done.stderr) == (2, True)


def test_a_manifest_that_was_changed_in_the_database_is_noticed(deployment):
    deployment.call("run")
    with sqlite3.connect(deployment.database) as connection:
        connection.execute(
            "update modelmon_runs set manifest = replace(manifest, '\"rows\":600', '\"rows\":601')"
        )
    done = deployment.call("explain", "credit", "2024-01-06", check=False)
    assert done.returncode == 5
    assert "was written, and the files below make" in done.stdout
    assert "no longer holds what was written" in done.stderr
