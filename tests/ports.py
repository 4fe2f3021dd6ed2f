"""Ports for servers that cannot choose one themselves."""

import random
import socket

_CHOICE = random.SystemRandom()


def free_port() -> int:
    """Return a port that nobody listens on.

    It is below those that Linux gives to whoever asks for any port: between the look and the start of
    the server no connection and no other test's server takes it by chance.
    """
    while True:
        port = _CHOICE.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
