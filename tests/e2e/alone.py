"""Use modelmon where there is no way out: a network namespace that has a loopback and no route.

Called in a new namespace, with a folder. Prints as JSON what answered, and how many packets the
kernel could not route: each attempt to reach somebody else is one, whoever in the process made it.
"""

import fcntl
import json
import signal
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.e2e.deployment import Deployment, get, wait_for

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
ELSEWHERE = "192.0.2.1"  # of no one: RFC 5737


def raise_loopback() -> None:
    """Let the namespace reach itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        request = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(asked, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(asked, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP))


def unrouted() -> int:
    """Return how often the kernel knew no route, over IPv4 and IPv6, since the namespace began."""
    names, values = (
        line.split()[1:]
        for line in Path("/proc/net/snmp").read_text().splitlines()
        if line.startswith("Ip:")
    )
    six = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(six["Ip6OutNoRoutes"])


def reach_out() -> None:
    """Try to reach somebody else, as a library that phones home would: by TCP and by name."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as outward, suppress(OSError):
            outward.connect((ELSEWHERE, 53))


def use(folder: Path) -> dict[str, object]:
    """Run the demo, the daemon, a scrape, a report and the commands beside them."""

    def call(*arguments: str) -> str:
        command = [sys.executable, "-m", "monitor", *arguments]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout + done.stderr

    told = {"demo": call("demo", "--once"), "doctor": call("doctor")}
    period = ("--model", "card-late-payment", "--from", "2005-06-01", "--to", "2005-10-01")
    call("report", "bias", *period, "-o", "report.html")
    deployment = Deployment(folder / "config")
    process = subprocess.Popen(
        [*deployment.command("serve", "--port", "0")],
        cwd=folder,
        stderr=(folder / "serve.log").open("w"),
    )
    try:
        address = wait_for(lambda: _address(folder / "serve.log"), process, folder / "serve.log")
        pages = ("/-/ready", "/-/healthy", "/metrics", "/", "/models/card-late-payment")
        answers = {page: get(address + page) for page in pages}
        told["answers"] = {page: code for page, (code, _) in answers.items()}
        told["metrics"] = answers["/metrics"][1]
        told["healthcheck"] = call("healthcheck", "--url", address)
        process.send_signal(signal.SIGTERM)
        told["ended"] = process.wait(60)
    finally:
        process.kill()
    return told


def _address(log: Path) -> str | None:
    _, _, rest = log.read_text().partition("metrics at ")
    address, found, _ = rest.partition("/metrics")
    return address if found else None


if __name__ == "__main__":
    raise_loopback()
    before = unrouted()
    used = use(Path(sys.argv[1]))
    after = unrouted()
    reach_out()
    used |= {"attempts": after - before, "attempts of a known talker": unrouted() - after}
    sys.stdout.write(json.dumps(used))
