"""How many permits a second a daemon gives, and how long one takes at a steady rate.

The daemon is a real one, in a process of its own, on a real store. Who asks is one process that
keeps its connections, on the same machine: it takes about as much of it as the daemon does.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

CONNECTIONS = 8
MODEL = """\
model: credit
source: {path: ../log, event_time: at}
fields: {amount: numeric}
schedule: {window: day, start: 2024-01-01, end: 2024-01-02}
"""
PATHS = {"permit": "/v1/gate/credit/3", "yes or no": "/v1/gate/check/credit/3"}


@contextmanager
def daemon(folder: Path) -> Iterator[tuple[int, int]]:
    """Run a daemon; yield its port and process id."""
    (folder / "models").mkdir()
    (folder / "log").mkdir()
    (folder / "models" / "credit.yaml").write_text(MODEL)
    config = folder / "modelmon.yaml"
    config.write_text("models: models\nstore: {url: sqlite:///m.db}\ngate: {key: gate.key}\n")
    command = [sys.executable, "-m", "monitor", "--config", str(config)]
    subprocess.run([*command, "db", "upgrade"], check=True, capture_output=True)
    key = ["gate", "init", "--key", str(folder / "gate.key")]
    subprocess.run([*command, *key], check=True, capture_output=True)
    log = folder / "serve.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*command, "serve", "--port", "0"],
            stdout=stream,
            stderr=stream,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        yield _port(log, process), process.pid
    finally:
        process.terminate()
        process.wait(30)


def _port(log: Path, process: "subprocess.Popen[bytes]") -> int:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"metrics at http://\S+:(\d+)/", log.read_text())
        if found:
            return int(found[1])
        time.sleep(0.1)
    raise SystemExit(f"the daemon did not start: {log.read_text()}")


class Asker:
    """One connection that asks the same again and again."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._request = f"GET {path} HTTP/1.1\r\nHost: gate\r\n\r\n".encode()

    def ask(self) -> bytes:
        """Return the answer's head, having read all of it."""
        self._socket.sendall(self._request)
        head, _, body = self._read(b"").partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body = self._read(body)
        return head

    def close(self) -> None:
        self._socket.close()

    def _read(self, before: bytes) -> bytes:
        more = self._socket.recv(65_536)
        if not more:
            raise SystemExit("the daemon hung up")
        return before + more


def throughput(port: int, path: str, seconds: float) -> float:
    """Return answers a second when every connection asks again as soon as it was answered."""
    counts = [0] * CONNECTIONS
    end = time.monotonic() + seconds

    def work(place: int) -> None:
        asker = Asker(port, path)
        while time.monotonic() < end:
            asker.ask()
            counts[place] += 1
        asker.close()

    _together(work)
    return sum(counts) / seconds


def latencies(port: int, path: str, rate: float, seconds: float) -> list[float]:
    """Return how long answers took from when each was due, in order, at a steady rate."""
    begin, found = time.monotonic() + 0.2, list[float]()

    def work(place: int) -> None:
        asker, mine = Asker(port, path), []
        for number in range(place, int(rate * seconds), CONNECTIONS):
            due = begin + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            asker.ask()
            mine.append(time.monotonic() - due)
        asker.close()
        found.extend(mine)

    _together(work)
    return sorted(found)


def _together(work: "object") -> None:
    threads = [Thread(target=work, args=(place,)) for place in range(CONNECTIONS)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def cpu_seconds(process: int) -> float:
    """Return user and system time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=200)
    options = parser.parse_args()
    print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| asked | answers/s | daemon's CPU an answer | p50 at 200/s | p99 | worst |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with TemporaryDirectory() as folder, daemon(Path(folder)) as (port, process):
        for name, path in PATHS.items():
            latencies(port, path, 50, 1)  # warm
            before = cpu_seconds(process)
            rate = throughput(port, path, options.seconds)
            each = (cpu_seconds(process) - before) / (rate * options.seconds)
            found = latencies(port, path, options.rate, options.seconds)
            times = [found[len(found) // 2], found[int(len(found) * 0.99)], found[-1]]
            shown = " | ".join(f"{1000 * one:.2f} ms" for one in times)
            print(f"| {name} | {rate:,.0f} | {1e6 * each:.0f} µs | {shown} |")


if __name__ == "__main__":
    main()
