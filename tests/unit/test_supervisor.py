import socket
from contextlib import closing

import pytest

from monitor import supervisor


def test_without_a_supervisor_nothing_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    supervisor.ready("1 model")
    supervisor.alive()


@pytest.mark.parametrize("abstract", [True, False])
def test_a_message_is_one_datagram_of_lines(abstract, tmp_path, monkeypatch):
    name = f"@modelmon-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind(f"\0{name[1:]}" if abstract else name)
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        supervisor.ready("2 models")
        assert listening.recv(4096) == b"READY=1\nSTATUS=2 models"
        supervisor.alive()
        assert listening.recv(4096) == b"WATCHDOG=1"
