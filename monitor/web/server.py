"""Serving the application, and stopping when told to."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType

import uvicorn
from h11 import LocalProtocolError
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor.domain.errors import ModelmonError

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_ASKED = b"\0"
"""Of no signal the number."""

HEAD = timedelta(seconds=10)
"""How long the head of a request may take to come; a slow one may be cut off after it, and is after twice it."""

_MARGIN = timedelta(seconds=2)
"""What uvicorn takes for its own affairs beyond the time given to open requests."""


class ListenError(ModelmonError):
    """The address cannot be listened on; whoever configures the daemon must act."""


class WebServer:
    """An application, served from a thread so that the main one can wait for signals.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        drain: How long open requests may take to end once the server is stopped.
        ended: Called from the server's thread when it has ended, told to or not.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str = "127.0.0.1",
        port: int = 0,
        drain: timedelta = timedelta(seconds=5),
        *,
        ended: Callable[[], None],
    ) -> None:
        self._address = (host, port)
        self._drain = drain
        config = uvicorn.Config(
            _Patient(app),
            loop="asyncio",
            http=_Prompt,
            ws="none",
            lifespan="off",
            log_config=None,  # the process logs as `monitor.logs` says
            access_log=False,
            proxy_headers=False,  # a header says who asks to those only who believe the sender
            server_header=False,
            timeout_graceful_shutdown=max(1, round(drain.total_seconds())),
        )
        self._server = uvicorn.Server(config)
        self._ended = ended
        self._thread: threading.Thread | None = None

    def start(self) -> tuple[str, int]:
        """Listen, and return host and port. Requests are answered from now on.

        Raises:
            ListenError: The address cannot be listened on.
        """
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listening = socket.create_server((host, port), family=family)
        except OSError as error:
            raise ListenError(
                f"cannot listen on {host} port {port}: {error.strerror or error};"
                " another program may be using it: set another address or port"
            ) from error
        # Head and body of an answer are two writes: without this the second one waits for the
        # client to acknowledge the first, some 40 ms. What is accepted here inherits it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound_host, bound_port = listening.getsockname()[:2]
        self._thread = threading.Thread(
            target=self._serve, args=(listening,), name="web", daemon=True
        )
        self._thread.start()
        return bound_host, bound_port

    def stop(self) -> bool:
        """Take no more requests, let open ones end within the bound, and cut the others off.

        Returns:
            Whether the server ended in time.
        """
        if self._thread is None:
            return True
        self._server.should_exit = True
        self._thread.join((self._drain + _MARGIN).total_seconds())
        return not self._thread.is_alive()

    def _serve(self, listening: socket.socket) -> None:
        try:
            with listening:  # uvicorn leaves it open when told to stop before it has begun
                self._server.run(sockets=[listening])
        finally:
            self._ended()


class _Prompt(H11Protocol):
    """Closes a connection on which no request begins: each takes a file from this process.

    uvicorn waits for ever for the rest of a head, and whoever sends one byte of it need not send
    another.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch a new connection."""
        super().connection_made(transport)
        self._seen: object = None
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch it no longer."""
        self._timer.cancel()
        super().connection_lost(exc)

    def _watch(self) -> None:
        self._timer = self.loop.call_later(HEAD.total_seconds(), self._look)

    def _look(self) -> None:
        """Close it where nothing was asked since the last look, and nothing is being answered."""
        cycle = self.cycle
        idle = getattr(cycle, "response_complete", True)  # before the first request there is none
        if idle and cycle is self._seen:
            self.transport.close()
            return
        self._seen = cycle
        self._watch()


class _Patient:
    """Lets a client break off its own request without a traceback in the daemon's log.

    A body that turns out to be malformed is answered with 400 by the server while the application
    is still answering. Its answer finds the connection closing, which is nobody's error here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = _TWO_ENDS if _ends_in_two_places(scope) else self._app
        try:
            await app(scope, receive, send)
        except LocalProtocolError:
            while (await receive())["type"] != "http.disconnect":
                pass


_TWO_ENDS = PlainTextResponse(
    "a request has Content-Length or Transfer-Encoding, not both\n", 400, {"Connection": "close"}
)


def _ends_in_two_places(scope: Scope) -> bool:
    """Return whether a proxy before us may see another end of a request, and so another request."""
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names and b"content-length" in names


class StopRequest:
    """What the main thread waits for: a signal, or another thread that asks to stop.

    A lock or a queue would not do. The kernel may hand a signal to any thread, and one that blocks
    in a lock does not notice; a signal's byte in a socket wakes whoever reads, always.
    """

    def __init__(self, reader: socket.socket, writer: socket.socket) -> None:
        self._reader = reader
        self._writer = writer
        self._reason = ""

    def ask(self, reason: str) -> None:
        """Ask to stop, from any thread."""
        self._reason = reason
        self._writer.send(_ASKED)

    def wait(self, hung_up: Callable[[], None] = lambda: None) -> str:
        """Wait until there is a reason to stop, and return it: the signal's name, or as asked.

        Args:
            hung_up: Called for each SIGHUP, in the thread that waits.
        """
        while True:
            number = self._reader.recv(1)
            if number == _ASKED:
                return self._reason
            if number[0] == signal.SIGHUP:
                hung_up()
            if number[0] in _SIGNALS:
                return signal.Signals(number[0]).name


@contextmanager
def stop_signals() -> Iterator[StopRequest]:
    """Let SIGTERM and SIGINT be reasons to stop, and SIGHUP none. Only the main thread can do so.

    A second signal to stop has its default effect: it ends the process at once.
    """
    reader, writer = socket.socketpair()
    writer.settimeout(0)
    previous = {each: signal.signal(each, _default_from_now_on) for each in _SIGNALS}
    previous[signal.SIGHUP] = signal.signal(signal.SIGHUP, _only_wake)
    wakeup = signal.set_wakeup_fd(writer.fileno())
    with reader, writer:
        try:
            yield StopRequest(reader, writer)
        finally:
            signal.set_wakeup_fd(wakeup)
            for each, handler in previous.items():
                signal.signal(each, handler)


def _only_wake(_: int, __: FrameType | None) -> None:
    """Do nothing: a signal that has a handler also has its byte in the socket."""


def _default_from_now_on(_: int, __: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_DFL)
