"""What the real process logs for machines: every line parses, says of what it is, and has no secret."""

import json
import signal
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from tests.e2e.deployment import get, make_deployment, register, samples, wait_for

SIXTH = "[2024-01-06T00:00:00Z, 2024-01-07T00:00:00Z)"
SECRET = "correct-horse-battery"  # noqa: S105  # made up for this test

pytestmark = pytest.mark.slow


def lines_of(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def logged(log, start):
    """Return the lines whose message begins so, as soon as there is one."""
    return wait_for(lambda: [line for line in lines_of(log) if line["msg"].startswith(start)])


@pytest.fixture
def deployment(tmp_path):
    made = make_deployment(tmp_path / "here")
    made.config.write_text(made.config.read_text() + "log: {format: json, level: debug}\n")
    return made


def test_every_line_of_a_run_says_which_run_model_and_window(deployment):
    register(deployment)
    with deployment.daemon() as (process, address, log):
        wait_for(
            lambda: 'modelmon_check_runs_total{model="credit"} 4' in get(address + "/metrics")[1]
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    lines = lines_of(log)
    runs = [line for line in lines if "revision" in line["msg"]]
    assert [line["window"][:11] for line in runs] == [f"[2024-01-0{day}" for day in (5, 6, 7, 8)]
    assert {line["model"] for line in runs} == {"credit"}
    assert len({line["run"] for line in runs}) == 4
    for line in lines:
        assert line["ts"].endswith("+00:00")
        assert {"level", "msg", "logger"} <= line.keys()


def test_messages_are_counted_as_they_are_logged(deployment):
    register(deployment)
    with deployment.daemon() as (_, address, log):
        wait_for(
            lambda: 'modelmon_check_runs_total{model="credit"} 4' in get(address + "/metrics")[1]
        )

        def agree():
            series = samples(get(address + "/metrics")[1])
            told = Counter(line["level"] for line in lines_of(log))
            return told["info"] and all(
                series[f'modelmon_log_messages_total{{level="{level}"}}'] == told[level]
                for level in ("info", "warning", "error", "critical")
            )

        wait_for(agree)


def test_a_failure_names_its_window_in_its_one_line_and_in_the_store(deployment):
    register(deployment)
    with closing(sqlite3.connect(deployment.database)) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON modelmon_runs "
            "WHEN NEW.window_start LIKE '2024-01-06%' BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
        database.commit()
    with deployment.daemon() as (_, _, log):
        (line, *_) = logged(log, "check failed")
    assert line["level"] == "error"
    assert (line["model"], line["window"]) == ("credit", SIXTH)
    assert "no room" in line["exception"] and "Traceback" in line["exception"]
    with closing(sqlite3.connect(deployment.database)) as database:
        (stored, *_) = database.execute("SELECT window_start FROM modelmon_failures")
    assert stored[0].startswith("2024-01-06")


def test_no_password_is_in_a_line(deployment, monkeypatch):
    monkeypatch.setenv("MODELMON_SECRET", SECRET)
    unreachable = "postgresql://nobody:${MODELMON_SECRET}@127.0.0.1:1/modelmon"
    text = deployment.config.read_text()
    deployment.config.write_text(text.replace("sqlite:///var/modelmon.db", unreachable))
    done = deployment.call("serve", "--port", "0", check=False)
    assert done.returncode == 5
    assert "127.0.0.1" in done.stderr
    assert SECRET not in done.stdout + done.stderr
