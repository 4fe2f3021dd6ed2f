"""A few calls over HTTP: JSON in, JSON out, with time-outs, tries and nothing silent.

Redirects are not followed: credentials would go wherever somebody points. Certificates are always
verified.
"""

import base64
import json
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from pathlib import Path
from socket import SHUT_RDWR
from threading import Timer
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from monitor.domain.errors import RegistryError

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer that are read at the most."""

_PART = 1024 * 1024
"""Bytes of a large file that are in memory at a time."""

_TRIES = 3
_PAUSE = 0.5
"""Seconds before the second try; twice as long before each further one."""

_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that say nothing about the request: it may succeed later."""

_LONGEST = 60.0
"""Seconds that an answer may take from the first byte asked to the last: one that never ends ends here."""

_TOO_LONG = "it has not answered all in the time that it has"
_SHOWN = 300

_ADVICE = {
    401: "is the token or the password right?",
    403: "has the user the right to do this?",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks: a bearer token, or a user with a password, or nobody."""

    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def header(self) -> Mapping[str, str]:
        """Return the header that says so."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.user:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}


class DeclinedError(RegistryError):
    """The server has understood and said no.

    Attributes:
        status: The HTTP status.
        code: The error's name in the answer; "" where it has none.
    """

    def __init__(self, message: str, status: int, code: str) -> None:
        self.status = status
        self.code = code
        super().__init__(message, retryable=status in _LATER)


class RestClient:
    """Asks one server.

    Args:
        url: Where it is; a path in it comes before every path that is asked for.
        credentials: Who asks.
        ca: File with the certificates to trust instead of the system's; None for the system's.
        timeout: Seconds to wait for a connection, and for each part of an answer.
        longest: Seconds to wait for the whole of an answer; a file that is fetched may take longer.
        sleep: Waits, in seconds.
    """

    def __init__(  # noqa: PLR0917  # how it asks
        self,
        url: str,
        credentials: Credentials = Credentials(),  # frozen
        ca: str | None = None,
        timeout: float = 10.0,
        longest: float = _LONGEST,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout
        self._longest = longest
        self._sleep = sleep
        self._headers = {"Accept": "application/json", **credentials.header}
        self._tls = _trusting(ca) if parts.scheme == "https" else None
        self.shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{self._prefix}"

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return what a GET answers.

        Raises:
            RegistryError: It did not, in several tries.
        """
        asked = f"{path}?{urlencode(query)}" if query else path
        return self._parsed(asked, self._asked("GET", asked))

    def post(self, path: str, body: Mapping[str, Any], method: str = "POST") -> dict[str, Any]:
        """Return what a POST of a JSON document answers, or another method's.

        Raises:
            RegistryError: It did not, in several tries.
        """
        text = json.dumps(body, allow_nan=False).encode()
        return self._parsed(path, self._asked(method, path, text, "application/json"))

    def put(self, path: str, content: bytes) -> None:
        """Write a file.

        Raises:
            RegistryError: It was not written, in several tries.
        """
        self._asked("PUT", path, content, "application/octet-stream")

    def read(self, path: str, query: Mapping[str, str]) -> bytes:
        """Return the content of a file.

        Raises:
            RegistryError: It could not be read, in several tries.
        """
        return self._asked("GET", f"{path}?{urlencode(query)}")

    def fetch(self, path: str, query: Mapping[str, str], target: Path) -> str:
        """Write the content of a file of any size to another, and return its sha256.

        Raises:
            RegistryError: It could not be read; what there is of it is no file to be used.
        """
        connection, digest = self._connection(), sha256()
        try:
            connection.request(
                "GET", f"{self._prefix}{path}?{urlencode(query)}", None, self._headers
            )
            with connection.getresponse() as answer:
                if answer.status != HTTPStatus.OK:
                    raise self._refused("GET", path, answer.status, answer.read(LARGEST))
                with target.open("wb") as file:
                    while part := answer.read(_PART):
                        digest.update(part)
                        file.write(part)
                if answer.length:
                    raise IncompleteRead(b"", answer.length)
        except (OSError, HTTPException) as error:
            told = str(error) or type(error).__name__
            raise RegistryError(f"{self.shown}{path} cannot be fetched: {told}") from error
        finally:
            connection.close()
        return digest.hexdigest()

    def _asked(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        pause = _PAUSE
        for _ in range(_TRIES - 1):
            try:
                return self._once(method, path, body, kind)
            except RegistryError as error:
                if not error.retryable:
                    raise
            self._sleep(pause)
            pause *= 2
        return self._once(method, path, body, kind)

    def _once(self, method: str, path: str, body: bytes | None, kind: str) -> bytes:
        connection = self._connection()
        headers = {**self._headers, "Content-Type": kind} if kind else self._headers
        try:
            with _Until(connection, self._longest):
                connection.request(method, self._prefix + path, body, headers)
                with connection.getresponse() as answer:
                    content = answer.read(LARGEST + 1)
                    status = answer.status
                    if len(content) <= LARGEST and answer.length:
                        raise IncompleteRead(content, answer.length)
        except (OSError, HTTPException) as error:
            told = str(error) or type(error).__name__
            # A certificate that cannot be verified stays so until somebody acts.
            later = not isinstance(error, ssl.SSLCertVerificationError)
            message = f"{self.shown} cannot be asked: {told}"
            raise RegistryError(message, retryable=later) from error
        finally:
            connection.close()
        if len(content) > LARGEST:
            raise RegistryError(f"{self.shown}{_path(path)} answers more than {LARGEST:,} bytes")
        if status >= 300:  # noqa: PLR2004  # also a redirect is no answer
            raise self._refused(method, path, status, content)
        return content

    def _connection(self) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection(self._host, self._port, timeout=self._timeout)
        return HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)

    def _refused(self, method: str, path: str, status: int, content: bytes) -> DeclinedError:
        code, said = _reason(content)
        redirect = "redirects are not followed: name the address itself"
        advice = "; " + _ADVICE.get(status, redirect) if status < 400 or status in _ADVICE else ""  # noqa: PLR2004  # below are redirects
        message = f"{self.shown}: {method} {_path(path)} was answered {status} {said}{advice}"
        return DeclinedError(message, status, code)

    def _parsed(self, path: str, content: bytes) -> dict[str, Any]:
        try:
            found = json.loads(content or b"{}")
        except (ValueError, RecursionError) as error:
            raise RegistryError(f"{self.shown}{_path(path)} answers no JSON: {error}") from error
        if not isinstance(found, dict):
            raise RegistryError(f"{self.shown}{_path(path)} answers no JSON object")
        return found


class _Until:
    """Cuts a connection off that takes too long, whatever comes over it meanwhile."""

    def __init__(self, connection: HTTPConnection, seconds: float) -> None:
        connection.connect()
        self._socket = connection.sock  # the connection forgets it before the answer is read
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self.over = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self.over:  # what came looks whole where its length was not said
            raise TimeoutError(_TOO_LONG)

    def _cut(self) -> None:
        self.over = True
        with suppress(OSError):  # it has just ended
            self._socket.shutdown(SHUT_RDWR)


def _trusting(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # also what OpenSSL says of a file without certificates
        told = error.strerror or error
        raise RegistryError(f"the certificates in {ca} cannot be read: {told}") from error


def _path(path: str) -> str:
    return path.partition("?")[0]


def _reason(content: bytes) -> tuple[str, str]:
    """Return the name of an error and what was said, from an answer of any form."""
    try:
        found = json.loads(content)
        return str(found["error_code"]), str(found.get("message", ""))[:_SHOWN]
    except (ValueError, TypeError, KeyError):
        return "", content[:_SHOWN].decode("utf-8", "backslashreplace").strip()
