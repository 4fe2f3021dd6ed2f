"""A daemon is asked by its own names, and a page elsewhere gives itself away by another."""

from contextlib import contextmanager
from dataclasses import replace
from socket import create_connection
from threading import Event

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from monitor.config.daemon_file import load_settings
from monitor.domain.settings import AccessSettings
from monitor.web.hosts import answering_to_its_names
from monitor.web.server import WebServer

EVERYWHERE = "0.0.0.0"  # noqa: S104  # a setting that is read, and not bound
PATHS = ("/metrics", "/-/healthy", "/-/ready", "/", "/v1/me", "/-/reload")


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "modelmon.yaml"
    path.write_text("")
    return load_settings(path, {})


@contextmanager
def served(settings, host="127.0.0.1"):
    """Serve a page, and yield what sends a head to it and returns status and body."""
    app = Starlette(
        routes=[Route(path, lambda _: PlainTextResponse("all"), methods=["GET"]) for path in PATHS]
    )
    server = WebServer(answering_to_its_names(app, settings), host, ended=Event().set)
    bound, port = server.start()

    def send(*lines, target="/", version="1.1"):
        head = [f"GET {target} HTTP/{version}", *lines, "Connection: close", "", ""]
        with create_connection((bound, port), timeout=60) as connection:
            connection.sendall("\r\n".join(head).encode("latin-1"))
            said = b""
            while part := connection.recv(65536):
                said += part
        told, _, body = said.partition(b"\r\n\r\n")
        return int(told.split()[1]), body.decode()

    try:
        yield send
    finally:
        assert server.stop()


OURS = [
    "127.0.0.1",
    "127.0.0.1:9108",
    "localhost",
    "LocalHost:80",
    "localhost.",
    "localhost.:9108",
    "a.localhost",
    "[::1]:9108",
    "[::1]",
    "10.1.2.3:9108",
    "modelmon",
    "an_upstream:9108",
    "monitor.example",
    "MONITOR.Example.:443",
    "pages.example",
]
THEIRS = [
    "evil.example",
    "evil.example:9108",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example.",
    "xmonitor.example",
    "sub.monitor.example",
    "monitor.example.evil",
    "monitor.example@evil.example",
    "evil.example#localhost",
    "localhost, evil.example",
    "localhost:9108:evil.example",
    "127.0.0.1:port",
    "1.2.3.4.5",
    "[evil.example]",
    "[::1].evil.example",
    "evil.example/..",
    "m\u00f6nitor.example",
    ".",
    "",
    "a" * 300,
]


def test_where_this_machine_alone_is_listened_to_known_names_are_answered(settings):
    access = AccessSettings(origins=("https://pages.example",))
    known = replace(settings, hosts=("Monitor.example",), access=access)
    with served(known) as send:
        assert {host: send(f"Host: {host}") for host in OURS} == dict.fromkeys(OURS, (200, "all"))
        refused = {host: send(f"Host: {host}")[0] for host in THEIRS}
    assert refused == dict.fromkeys(THEIRS, 421)


@pytest.mark.slow
@pytest.mark.parametrize("target", PATHS)
def test_a_page_elsewhere_is_refused_whatever_it_asks_for_and_told_what_to_set(settings, target):
    with served(settings) as send:
        status, body = send("Host: evil.example:9108", target=target)
    assert status == 421
    assert body == (
        "'evil.example' is no name of this daemon: ask by an address or localhost,"
        " or write its name under web.hosts\n"
    )


def test_what_is_no_name_is_not_repeated(settings):
    with served(settings) as send:
        status, body = send("Host: <script>alert(1)</script>")
    assert status == 421
    assert "script" not in body


def test_who_says_no_name_or_two_is_no_browser_of_ours(settings):
    with served(settings) as send:
        assert send(version="1.0") == (200, "all")
        assert send("Host: evil.example", version="1.0")[0] == 421
        assert send()[0] == 400
        assert send("Host: localhost", "Host: evil.example")[0] == 400
        assert send("Host: evil.example", "Host: localhost")[0] == 400
        assert send("Host: localhost", "Host: evil.example", version="1.0")[0] == 400


@pytest.mark.slow
@pytest.mark.parametrize("target", ["http://evil.example/", "http://localhost/metrics", "*"])
def test_a_target_that_is_no_path_is_refused(settings, target):
    with served(replace(settings, host=EVERYWHERE, hosts=("localhost",))) as send:
        assert send("Host: localhost", target=target)[0] == 400


def test_beyond_this_machine_every_name_is_answered_until_one_is_said(settings):
    with served(replace(settings, host=EVERYWHERE)) as send:
        assert send("Host: monitor.somewhere.example") == (200, "all")


def test_beyond_this_machine_prometheus_and_probes_ask_by_any_name(settings):
    with served(replace(settings, host=EVERYWHERE, hosts=("monitor.example",))) as send:
        of_a_cluster = {path: send("Host: modelmon.m.svc", target=path)[0] for path in PATHS}
        assert send("Host: monitor.example") == (200, "all")
    assert of_a_cluster == {path: 200 if path in PATHS[:3] else 421 for path in PATHS}


def test_a_name_that_is_bound_is_a_name(settings):
    wide = replace(settings, host="box.example", hosts=("monitor.example",))
    with served(wide) as send:
        assert send("Host: box.example:9108") == (200, "all")


def test_bound_to_an_address_of_ipv6_it_is_the_same(settings):
    with served(replace(settings, host="::1")) as send:
        assert send("Host: [::1]:9108") == (200, "all")
        assert send("Host: [0:0:0:0:0:0:0:1]") == (200, "all")
        assert send("Host: evil.example")[0] == 421
