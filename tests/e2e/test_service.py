"""What systemd is told by the real process, and what systemd's own tool says of the unit."""

import re
import shutil
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.deployment import get, make_deployment, register

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "modelmon.service"

pytestmark = pytest.mark.slow


class Supervisor:
    """The socket that systemd would listen on."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(60)

    def heard(self, besides=("WATCHDOG=1",)):
        """Return the next message that is none of these."""
        while (message := self.socket.recv(4096).decode()) in besides:
            pass
        return dict(line.split("=", 1) for line in message.splitlines())


@pytest.fixture
def supervisor(tmp_path, monkeypatch):
    found = Supervisor(tmp_path / "notify")
    with closing(found.socket):
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield found


def test_systemd_hears_of_the_start_of_reloads_of_heartbeats_and_of_the_end(tmp_path, supervisor):
    deployment = make_deployment(tmp_path / "here")
    register(deployment)
    with deployment.daemon() as (process, address, _):
        assert supervisor.heard() == {"READY": "1", "STATUS": "1 model"}
        assert get(f"{address}/-/ready")[0] == 200
        model = deployment.folder / "models" / "credit.yaml"
        right = model.read_text()
        for text, status in (
            ("model: credit\n", "1 model; a newer configuration was refused"),
            (right, "1 model"),
        ):
            model.write_text(text)
            process.send_signal(signal.SIGHUP)
            told = supervisor.heard()
            assert told["RELOADING"] == "1" and int(told["MONOTONIC_USEC"]) > 0
            assert supervisor.heard() == {"READY": "1", "STATUS": status}
        assert supervisor.heard(besides=()) == {"WATCHDOG": "1"}
        process.send_signal(signal.SIGTERM)
        assert supervisor.heard() == {"STOPPING": "1"}
        assert process.wait(120) == 0


def analyze(*arguments):
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def test_the_unit_is_valid(tmp_path):
    # The program is somewhere else here; that it is there is all that is asked of it.
    there = shutil.which("true")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/modelmon/bin/modelmon", there))
    assert analyze("verify", "--man=no", str(unit)) == (0, "")


def test_the_unit_exposes_little():
    code, told = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(UNIT))
    assert code == 0, told


def test_the_unit_waits_longer_than_the_daemon_takes():
    from monitor.daemon import DRAIN, HEARTBEAT_BOUND

    settings = dict(re.findall(r"^(\w+)=(\d+)$", UNIT.read_text(), re.MULTILINE))
    assert int(settings["WatchdogSec"]) == HEARTBEAT_BOUND.total_seconds()
    assert int(settings["TimeoutStopSec"]) > DRAIN.total_seconds() + 7  # and open requests
