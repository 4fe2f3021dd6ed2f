"""What systemd is told of the daemon, where systemd has started it: sd_notify(3)."""

import os
import socket
import time

_SOCKET = "NOTIFY_SOCKET"


def ready(status: str) -> None:
    """Say that the daemon is up, or that its reload has ended, with a line for ``systemctl status``."""
    _tell("READY=1", f"STATUS={status}")


def reloading() -> None:
    """Say that the configuration is being read again; `ready` ends it."""
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
    _tell("RELOADING=1", f"MONOTONIC_USEC={now}")


def stopping() -> None:
    """Say that the daemon ends."""
    _tell("STOPPING=1")


def alive() -> None:
    """Keep the watchdog quiet; to be said by what must not hang."""
    _tell("WATCHDOG=1")


def _tell(*lines: str) -> None:
    """Send a datagram to the supervisor, if there is one.

    Raises:
        OSError: There is one, and it does not listen.
    """
    address = os.environ.get(_SOCKET)
    if not address:
        return
    if address.startswith("@"):  # in the abstract namespace
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.sendto("\n".join(lines).encode(), address)
