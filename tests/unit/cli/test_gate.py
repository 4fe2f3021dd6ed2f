"""``modelmon gate`` before a real gate: what it says, what it runs, what it writes."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from monitor.cli.main import run
from monitor.governance.jws import key_set
from monitor.governance.note import SigningKey
from monitor.governance.standing import State
from tests.e2e.deployment import wait_for
from tests.gatehouse import KEY, open_gate

LASTS = 'touch "$0"; exec sleep "$1"'
"""A job for a shell: it says by a file that it runs, and goes on for some seconds."""


@pytest.fixture
def house():
    with open_gate() as made:
        made.versions.put("credit", "3", State.APPROVED)
        made.versions.put("credit", "4", State.HELD)
        made.versions.put("credit", "5", State.RESTRICTED)
        made.keeper.look()
        made.keeper.start()
        yield made


def checked(house, version, *options):
    return run(["gate", "check", "--url", house.url, *options, "credit", version])


def test_the_answer_is_shown_and_is_the_exit_code(house, capsys):
    assert checked(house, "3") == 0
    assert "yes" in capsys.readouterr().out
    assert checked(house, "4") == 1
    out = capsys.readouterr().out
    assert "route_to_human" in out
    assert "held: since" in out
    assert checked(house, "5", "--output", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["allowed"], document["conditions"]) == (True, {"amount": 5000.0})
    assert document["permit"]["version"] == "5"


def test_only_the_given_key_is_believed(house, tmp_path, capsys):
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(key_set([KEY.verifying])))
    assert checked(house, "3", "--keys", str(keys)) == 0
    keys.write_text(json.dumps(key_set([SigningKey("gate", bytes(32)).verifying])))
    assert checked(house, "3", "--keys", str(keys)) == 1
    keys.write_text("[]")
    capsys.readouterr()
    assert checked(house, "3", "--keys", str(keys)) == 2
    assert "not a key set" in capsys.readouterr().err


def once_it_runs(started, house, version, state):
    """Give a version another state, once a job says that it runs: not before it was asked for."""

    def change():
        wait_for(started.exists)
        house.versions.put("credit", version, state)

    threading.Thread(target=change).start()
    return ["sh", "-c", LASTS, str(started)]


def execute(house, version, *command, options=()):
    arguments = ["gate", "exec", "--url", house.url, *options, "credit", version, "--", *command]
    return run(arguments)


def test_a_job_runs_while_its_version_may_act(house, tmp_path):
    out = tmp_path / "permit"
    code = 'echo "$MODELMON_PERMIT" > "$1"; exit 7'
    assert execute(house, "3", "sh", "-c", code, "sh", str(out)) == 7
    assert json.loads(out.read_text())["says"]["action"] == "allow"


def test_a_job_whose_version_may_not_act_is_not_run(house, tmp_path, capsys):
    out = tmp_path / "ran"
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch()"
    for version in ("4", "5", "9"):
        assert execute(house, version, sys.executable, "-c", code, str(out)) == 75
    assert not out.exists()
    assert "credit 4 may not act: route_to_human (fresh)" in capsys.readouterr().err
    kept = ["--keeps-conditions"]
    assert execute(house, "5", sys.executable, "-c", code, str(out), options=kept) == 0
    assert out.exists()


@pytest.mark.slow
def test_a_job_is_stopped_when_its_version_no_longer_may_act(house, tmp_path, capsys):
    job = once_it_runs(tmp_path / "runs", house, "3", State.HELD)
    started = time.monotonic()
    assert execute(house, "3", *job, "600") == 75
    assert time.monotonic() - started < 300
    assert "may no longer act, and was stopped: route_to_human" in capsys.readouterr().err


LEAVES_A_CHILD = """
trap '' TERM
sh -c 'trap "" TERM; echo $$ > "$0"; while :; do sleep 0.1; done' "$1" &
while :; do sleep 0.1; done
"""


def is_there(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_what_a_job_has_started_ends_with_it_whatever_it_does_with_the_signal(
    house, tmp_path, monkeypatch
):
    monkeypatch.setattr("monitor.cli.job.PATIENCE", 0.3)
    out = tmp_path / "child"

    def hold():
        while not (out.exists() and out.read_text().endswith("\n")):
            time.sleep(0.01)
        house.versions.put("credit", "3", State.HELD)

    threading.Thread(target=hold).start()
    assert execute(house, "3", "sh", "-c", LEAVES_A_CHILD, "sh", str(out)) == 75
    wait_for(lambda: not is_there(int(out.read_text())))


@pytest.mark.slow
def test_a_job_is_stopped_when_its_conditions_become_tighter_than_those_it_was_given(
    house, tmp_path, capsys
):
    job = once_it_runs(tmp_path / "free", house, "3", State.RESTRICTED)
    assert execute(house, "3", *job, "600", options=["--keeps-conditions"]) == 75
    assert "was stopped: allow_with_conditions (fresh)" in capsys.readouterr().err
    job = once_it_runs(tmp_path / "bound", house, "5", State.APPROVED)
    assert execute(house, "5", *job, "1", options=["--keeps-conditions"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_handed_on_to_the_job_and_its_exit_code_is_told(house, tmp_path, number):
    out = tmp_path / "ready"
    code = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(int(sys.argv[2]), lambda *_: sys.exit(9))\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "time.sleep(60)\n"
    )

    def send():
        while not out.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=send).start()
    assert execute(house, "3", sys.executable, "-c", code, str(out), str(int(number))) == 9


def test_a_job_that_a_signal_ended_is_told_as_a_shell_tells_it(house):
    assert execute(house, "3", "sh", "-c", "kill -KILL $$") == 128 + signal.SIGKILL


@pytest.mark.slow
def test_a_job_may_be_let_run(house, tmp_path):
    job = once_it_runs(tmp_path / "runs", house, "3", State.HELD)
    assert execute(house, "3", *job, "1", options=["--let-run"]) == 0


def test_a_command_that_is_not_there_is_told(house, capsys):
    assert execute(house, "3", "/no/such/program") == 2
    assert "/no/such/program cannot be run: No such file" in capsys.readouterr().err


def test_a_permit_is_written_to_a_file_for_other_programs(house, tmp_path, capsys):
    out = tmp_path / "permit.json"

    def sync(version):
        arguments = ["--url", house.url, "--once", "--out", str(out), "credit", version]
        return run(["gate", "sync", *arguments])

    assert sync("3") == 0
    assert json.loads(out.read_text())["says"]["action"] == "allow"
    assert sync("4") == 1
    assert json.loads(out.read_text())["says"]["action"] == "route_to_human"
    house.alive.append((False, "unhealthy"))
    assert sync("3") == 1
    assert "no_permit" in capsys.readouterr().err


def test_a_key_is_made_once_and_shown_as_the_set_that_permits_are_checked_by(tmp_path, capsys):
    path = tmp_path / "gate.key"
    assert run(["gate", "init", "--key", str(path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [key["kty"] for key in shown["keys"]] == ["OKP"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert run(["gate", "init", "--key", str(path)]) == 5
    assert run(["gate", "init", "--key", str(tmp_path / "b"), "--name", "a b"]) == 2
    assert not (tmp_path / "b").exists()
