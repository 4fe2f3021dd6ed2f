"""Whatever comes over the wire, the daemon answers with less than 500, or hangs up, and goes on."""

import logging
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.exposition.page import Results, ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.text import chunk
from monitor.exposition.vitals import Vitals
from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.server import WebServer
from tests.fuzz.depth import examples
from tests.reading_room import an_empty_library

pytestmark = pytest.mark.slow

PATHS = (
    "/",
    "/models/a/findings/0123",
    "/models/%00/runs/x/1",
    "/-/pages.css",
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/nowhere",
)
ANSWER_SECONDS = 5
PATIENCE_SECONDS = 0.1


ERRORS: list[str] = []


class Errors(logging.Handler):
    def emit(self, record):
        ERRORS.append(self.format(record))


@pytest.fixture(scope="module")
def address():
    """Serve the real application on a real socket, and note every error in its log."""
    handler = Errors(logging.ERROR)
    logging.getLogger().addHandler(handler)
    page = ResultsPage()
    page.publish(
        Results(({"modelmon_models": chunk(b"result 1\n")},)), datetime(2005, 9, 1, tzinfo=UTC)
    )
    vitals = Vitals(["credit"])
    health = Health(vitals, page, timedelta(hours=1))
    app = create_app(page, ProcessMetrics(vitals, page), health, an_empty_library())
    server = WebServer(app, ended=lambda: None)
    yield server.start()
    assert server.stop()
    logging.getLogger().removeHandler(handler)


def asked(address, request, seconds=ANSWER_SECONDS):
    """Return what comes back for the bytes of a request, until either end has waited enough."""
    with socket.create_connection(address, seconds) as connection:
        parts = []
        with suppress(ConnectionError, TimeoutError):  # it may hang up on us, or wait for more
            connection.sendall(request)
            while part := connection.recv(65_536):
                parts.append(part)
    return b"".join(parts)


def check(address, request):
    answer = asked(address, request, PATIENCE_SECONDS)
    if answer:
        version, status, *_ = answer.split(b" ", 2)
        assert version == b"HTTP/1.1"
        assert 200 <= int(status) < 500, answer[:200]
    assert b"Traceback" not in answer
    assert ERRORS == []
    healthy = asked(address, b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert healthy.startswith(b"HTTP/1.1 200 ")


tokens = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=':(),/;<=>?@[]{}"\\'),
    min_size=1,
    max_size=12,
)
targets = st.sampled_from(PATHS) | st.text(
    st.characters(min_codepoint=33, max_codepoint=126), max_size=40
).map(lambda text: f"/{text}")
headers = st.lists(
    st.tuples(
        st.sampled_from(["Accept-Encoding", "Accept", "Host", "Content-Length", "Range", "Cookie"])
        | st.sampled_from(["Transfer-Encoding", "Upgrade", "Expect", "X-Forwarded-For"])
        | tokens,
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)
        | st.sampled_from(
            ["gzip;q=", "gzip;q=x", ";;q", "chunked", "-1", "100-continue", "a" * 20_000]
        ),
    ),
    max_size=4,
)


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
    | tokens,
    targets,
    headers,
    st.binary(max_size=40),
)
@examples(60)
def test_any_request_is_answered_without_a_fault(address, method, target, fields, body):
    lines = [f"{method} {target} HTTP/1.1", "Host: here", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in fields]
    request = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
    check(address, request)


@given(st.binary(max_size=200))
@examples(30)
def test_any_bytes_are_answered_or_hung_up_on(address, request_bytes):
    check(address, request_bytes)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /%00%ff%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_known_hostile_requests(address, request_bytes):
    check(address, request_bytes)
