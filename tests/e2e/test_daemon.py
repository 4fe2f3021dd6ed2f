"""The real process: start, scrape, fail, stop, die, start again."""

import signal
import sqlite3
import time
from datetime import UTC, datetime

import pytest

from tests.e2e.deployment import get, make_deployment, register, samples, wait_for, write_day

pytestmark = pytest.mark.slow


def runs(deployment, model="credit"):
    query = "select model, window_start, revision, outcome from modelmon_runs where model = ?"
    with sqlite3.connect(deployment.database) as connection:
        return connection.execute(query, (model,)).fetchall()


def series(address, name):
    return {
        key: value for key, value in samples(get(f"{address}/metrics")[1]).items() if name in key
    }


def test_the_daemon_catches_up_serves_and_stops_gracefully(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: len(runs(deployment)) == 4, process, log)
        wait_for(lambda: get(f"{address}/-/ready")[0] == 200, process, log)
        assert get(f"{address}/-/healthy")[0] == 200
        wait_for(
            lambda: (
                series(address, "drift_state{").values()
                and 2.0 in series(address, "drift_state{").values()
            ),
            process,
            log,
        )
        assert deployment.call("healthcheck", "--url", address).returncode == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert "Traceback" not in log.read_text()


def test_the_last_results_are_there_before_it_says_ready(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    deployment.call("run")
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: get(f"{address}/-/ready")[0] == 200, process, log)
        first = series(address, "modelmon_feature_drift_score")
        assert any("amount" in key for key in first)
    again = deployment.call("run")
    assert "0 windows, 0 with new results" in again.stderr


def test_killed_at_any_moment_nothing_is_lost_or_doubled(tmp_path):
    deployment = make_deployment(tmp_path, days=12)
    register(deployment)
    for wait in (0.0, 0.1, 0.2, 0.3, 0.4):
        with deployment.daemon() as (process, _, _log):
            time.sleep(wait)
            process.kill()
    with deployment.daemon() as (process, _, log):
        wait_for(lambda: len(runs(deployment)) == 8, process, log)
    found = runs(deployment)
    assert len(found) == len(set(found)) == 8
    assert {revision for _, _, revision, _ in found} == {1}
    with sqlite3.connect(deployment.database) as connection:
        counts = connection.execute(
            "select run, count(*) from modelmon_readings group by run"
        ).fetchall()
    assert len(counts) == 8 and len({count for _, count in counts}) == 1


def test_one_model_failing_leaves_the_others_alone(tmp_path):
    deployment = make_deployment(tmp_path, models=("credit", "fraud"))
    register(deployment)  # fraud has no baseline
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: len(runs(deployment, "credit")) == 4, process, log)
        failures = "modelmon_check_run_failures_total"
        wait_for(lambda: any("fraud" in key for key in series(address, failures)), process, log)
        failed = series(address, failures)
        assert all("fraud" in key or value == 0 for key, value in failed.items())
        assert not any("fraud" in key for key in series(address, "modelmon_feature_drift_score"))
        assert get(f"{address}/-/healthy")[0] == 200
    assert "baseline register fraud" in log.read_text()


def test_a_window_without_rows_is_no_data_and_judged_once_rows_come(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    (tmp_path / "log" / "2024-01-06.parquet").unlink()
    first = deployment.call("run", "--fail-on", "unknown", check=False)
    assert first.returncode == 1
    assert "no_data" in first.stdout
    assert [outcome for *_, outcome in sorted(runs(deployment))] == [
        "completed",
        "no_data",
        "completed",
        "completed",
    ]
    write_day(tmp_path / "log" / "2024-01-06.parquet", datetime(2024, 1, 6, tzinfo=UTC))
    deployment.call("run")
    day = sorted(run for run in runs(deployment) if "2024-01-06" in run[1])
    assert [(revision, outcome) for *_, revision, outcome in day] == [
        (1, "no_data"),
        (2, "completed"),
    ]


def test_a_warning_fails_a_step_as_a_finding_at_once_and_as_an_alarm_when_it_lasts(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    for place in (7, 8):  # half a standard deviation: a warning, not critical
        day = datetime(2024, 1, place, tzinfo=UTC)
        write_day(tmp_path / "log" / f"2024-01-0{place}.parquet", day, shift=5.0)

    def failed(first, last, what):
        days = ("--from", f"2024-01-0{first}", "--to", f"2024-01-0{last + 1}")
        return deployment.call("run", *days, "--fail-on", what, check=False).returncode

    assert failed(5, 6, "alarm") == 0
    assert failed(7, 7, "warning") == 1
    assert failed(7, 7, "alarm") == 0
    assert failed(7, 7, "critical") == 0
    assert failed(8, 8, "alarm") == 1


def test_a_back_fill_in_any_order_gives_the_same_store(tmp_path):
    forwards = make_deployment(tmp_path / "forwards")
    backwards = make_deployment(tmp_path / "backwards")
    for deployment, days in ((forwards, (5, 6, 7, 8)), (backwards, (8, 6, 7, 5))):
        register(deployment)
        for day in days:
            deployment.call("run", "--from", f"2024-01-0{day}", "--to", f"2024-01-0{day + 1}")
    assert sorted(runs(forwards)) == sorted(runs(backwards))


def test_rewritten_data_make_a_new_revision_and_keep_the_old_one(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    deployment.call("run")
    write_day(tmp_path / "log" / "2024-01-05.parquet", datetime(2024, 1, 5, tzinfo=UTC), rows=700)
    period = ("--from", "2024-01-05", "--to", "2024-01-06")
    assert "1 windows, 1 with new results" in deployment.call("run", *period).stderr
    assert "1 windows, 0 with new results" in deployment.call("run", *period).stderr
    day = [run for run in runs(deployment) if "2024-01-05" in run[1]]
    assert sorted(revision for _, _, revision, _ in day) == [1, 2]


def test_a_file_that_cannot_be_read_is_named_and_stops_nothing(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    (tmp_path / "log" / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    done = deployment.call("run")
    assert "4 windows, 4 with new results" in done.stderr
    assert "torn.parquet" in done.stdout


def test_a_policy_that_reads_a_column_otherwise_needs_a_new_baseline(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    model = tmp_path / "models" / "credit.yaml"
    model.write_text(model.read_text().replace("channel: categorical", "channel: numeric"))
    done = deployment.call("run", check=False)
    assert done.returncode == 3
    assert "field channel" in done.stderr and "baseline register credit" in done.stderr
    register(deployment)
    deployment.call("run")


def test_the_daemon_refuses_a_database_without_its_schema(tmp_path):
    deployment = make_deployment(tmp_path)
    deployment.database.unlink()
    done = deployment.call("serve", check=False)
    assert done.returncode == 5
    assert "modelmon db upgrade" in done.stderr


def test_healthcheck_says_when_nobody_is_there(tmp_path):
    deployment = make_deployment(tmp_path)
    assert (
        deployment.call("healthcheck", "--url", "http://127.0.0.1:9", check=False).returncode == 1
    )
