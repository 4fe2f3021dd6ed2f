import asyncio
import gzip
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import httpx
import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from monitor.domain.lease import NEVER_HELD
from monitor.exposition.leading import Leading
from monitor.exposition.page import Results, ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.text import Form, chunk
from monitor.exposition.vitals import Vitals
from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.negotiation import accepts_gzip, asked_form
from tests.reading_room import an_empty_library

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


class Daemon:
    """The application, with a clock to turn and a page to fill."""

    def __init__(self):
        self.seconds = 0.0
        self.page = ResultsPage()
        self.vitals = Vitals(["credit"], monotonic=lambda: self.seconds)
        health = Health(self.vitals, self.page, timedelta(seconds=30))
        self.app = create_app(
            self.page,
            ProcessMetrics(self.vitals, self.page),
            health,
            replace(an_empty_library(), lost=lambda: health.lost),
        )

    def ask(self, path, method="GET", **headers):
        async def request():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(request())


PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
"""What Prometheus 2.42 says that it accepts."""

LATER_PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
"""What Prometheus 3 does."""

HEAD = "# HELP modelmon_models Configured models.\n# TYPE modelmon_models gauge\n"


def results(lines):
    return Results(({"modelmon_models": chunk(lines)},))


@pytest.fixture
def daemon():
    return Daemon()


def test_metrics_are_results_and_process_in_the_text_format(daemon):
    daemon.page.publish(results(b"result 1\n"), NOON)
    answer = daemon.ask("/metrics", **{"accept-encoding": "identity"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == Form.TEXT.value
    assert "content-encoding" not in answer.headers
    assert answer.text.startswith(f"{HEAD}result 1\n# HELP modelmon_")
    assert "\nprocess_cpu_seconds_total " in answer.text


def test_metrics_are_gzipped_for_those_who_accept_it(daemon):
    daemon.page.publish(results(b"result 1\n" * 1_000), NOON)
    answer = daemon.ask("/metrics", **{"accept-encoding": "deflate, gzip;q=0.5"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    assert int(answer.headers["content-length"]) < 9_000
    assert answer.text.startswith(f"{HEAD}result 1\nresult 1\n")
    assert answer.text.count("result 1\n") == 1_000


def test_the_gzip_stream_is_one_whole_member(daemon):
    daemon.page.publish(results(b"result 1\n"), NOON)
    packed = daemon.page.packed(b"up 1\n")
    assert gzip.decompress(packed) == f"{HEAD}result 1\nup 1\n".encode()
    assert packed.count(b"\x1f\x8b\x08") == 1


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("GZIP;q=1.0, identity", True),
        ("deflate, *", True),
        ("gzip; q=0.001", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("xgzip", False),
    ],
)
def test_gzip_is_sent_only_where_it_is_accepted(accepted, taken):
    assert accepts_gzip(accepted) is taken


@pytest.mark.parametrize(
    ("accepted", "form"),
    [
        (PROMETHEUS, Form.OPENMETRICS),
        (LATER_PROMETHEUS, Form.OPENMETRICS),
        ("application/openmetrics-text", Form.OPENMETRICS),
        ('Application/OpenMetrics-Text; Version="1.0.0"; charset=utf-8', Form.OPENMETRICS),
        ("text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.9", Form.TEXT),
        ("application/openmetrics-text;version=1.0.0;q=0", Form.TEXT),
        ("application/openmetrics-text;version=1.0.0;q=much", Form.TEXT),
        ("application/openmetrics-text;version=0.0.1", Form.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Form.TEXT),
        ("*/*", Form.TEXT),
        (";;=,,;q", Form.TEXT),
        ("", Form.TEXT),
    ],
)
def test_the_format_is_the_one_that_the_client_likes_best(accepted, form):
    assert asked_form(accepted) is form


def test_openmetrics_is_served_whole_where_it_is_asked_for(daemon):
    daemon.page.publish(results(b"modelmon_models 3.0\n"), NOON)
    for encoding in ("identity", "gzip"):
        wanted = {"accept": "application/openmetrics-text", "accept-encoding": encoding}
        answer = daemon.ask("/metrics", **wanted)
        assert answer.headers["content-type"] == Form.OPENMETRICS.value
        assert answer.text.endswith("\n# EOF\n")
        found = {family.name: family for family in openmetrics(answer.text)}
        assert found["modelmon_models"].samples[0].value == 3
        assert found["modelmon_models"].unit == "models"
        assert found["process_cpu_seconds"].type == "counter"


def test_the_daemon_is_healthy_while_its_heartbeat_is_younger_than_the_bound(daemon):
    daemon.seconds = 29.9
    assert daemon.ask("/-/healthy").status_code == 200
    daemon.seconds = 42.0
    answer = daemon.ask("/-/healthy")
    assert answer.status_code == 503
    assert "heartbeat is 42.0 s old, bound 30 s" in answer.text
    daemon.vitals.beat(NOON)
    assert daemon.ask("/-/healthy").status_code == 200


def test_the_daemon_is_not_ready_before_results_are_on_the_page(daemon):
    answer = daemon.ask("/-/ready")
    assert answer.status_code == 503
    assert "not been exported" in answer.text
    daemon.page.publish(Results(), NOON)
    assert daemon.ask("/-/ready").status_code == 200


def test_a_lost_store_is_said_and_leaves_the_daemon_ready(daemon):
    daemon.page.publish(Results(), NOON)
    away = Leading(
        leads=False,
        lease=NEVER_HELD,
        takeovers=0,
        refused=0,
        failures=1,
        reachable=False,
        skew=timedelta(0),
    )
    for reachable, said in ((True, False), (False, True)):
        told = replace(away, reachable=reachable)
        daemon.vitals.led(lambda told=told: told)
        answer = daemon.ask("/-/ready")
        assert answer.status_code == 200
        assert ("the store cannot be reached" in answer.text) is said
        assert ("as they were read at 2005-09-01 12:00:00 UTC" in answer.text) is said
        assert ("The store cannot be reached" in daemon.ask("/").text) is said


def test_process_metrics_are_there_before_the_first_results(daemon):
    assert "modelmon_log_messages_total" in daemon.ask("/metrics").text


def test_the_index_names_its_language_and_links_only_to_what_answers(daemon):
    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.found = []

        def handle_starttag(self, tag, attrs):
            self.found.append((tag, dict(attrs)))

    reader = Reader()
    answer = daemon.ask("/")
    reader.feed(answer.text)
    assert ("html", {"lang": "en"}) in reader.found
    tags = [tag for tag, _ in reader.found]
    assert {"title", "main", "h1"} <= set(tags)
    assert "script" not in tags
    daemon.page.publish(Results(), NOON)
    links = [attributes["href"] for tag, attributes in reader.found if tag == "a"]
    links = [link for link in links if not link.startswith("#")]
    assert {"./metrics", "./-/healthy", "./-/ready"} <= set(links)
    assert {daemon.ask(link.removeprefix(".")).status_code for link in links} == {200}


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready", "/nowhere"])
def test_every_answer_forbids_a_browser_what_it_does_not_need(daemon, path):
    headers = daemon.ask(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("private, no-cache" if path == "/" else "no-store")


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
def test_nothing_can_be_written(daemon, path):
    assert daemon.ask(path, "POST").status_code == 405
    assert daemon.ask(path, "HEAD").content == b""
