"""What lies between a client and an S3 server, and can be made to go wrong."""

import re
import threading
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep

_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "server", "date"}


@dataclass
class Network:
    """A proxy before a server. What is wrong with it may be changed at any time.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        silent: Requests of these paths (a pattern) are not answered for as long.
        seconds: How long that is.
        refused: Requests of these paths are answered with an error.
        status: Its number.
        after: Requests that are let through before any is refused.
        reset: Answers to these paths break off in the middle of the body.
        hidden: Keys that no listing names.
        asked: Method and path of each request.
    """

    port: int = 0
    silent: str = ""
    seconds: float = 0.0
    refused: str = ""
    status: int = 500
    after: int = 0
    reset: str = ""
    hidden: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def heal(self):
        self.silent = self.refused = self.reset = self.hidden = ""
        self.status, self.after = 500, 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    network: Network
    server_port: int

    def log_message(self, *_):
        pass

    def _pass_on(self):
        network = self.network
        network.asked.append((self.command, self.path))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if network.silent and re.search(network.silent, self.path):
            sleep(network.seconds)
        late = len(network.asked) > network.after
        if network.refused and late and re.search(network.refused, self.path):
            self.send_response(network.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        behind = HTTPConnection("127.0.0.1", self.server_port, timeout=120)
        # The host stays as it was signed.
        behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            behind.putheader(name, value)
        behind.endheaders(body)
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        if network.hidden and b"<ListBucketResult" in content:
            content = re.sub(
                rb"<Contents>(?:(?!</Contents>).)*" + network.hidden.encode() + rb".*?</Contents>",
                b"",
                content,
                flags=re.DOTALL,
            )
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP | {"content-length"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(length or 0))
        self.end_headers()
        if network.reset and content and re.search(network.reset, self.path):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Say nothing: clients that give up are what is tried here."""


def between(port):
    """Return a network before a server, and the server to shut down in the end."""
    network = Network()
    handler = type("Handler", (_Handler,), {"network": network, "server_port": port})
    server = _Server(("127.0.0.1", 0), handler)
    network.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return network, server
