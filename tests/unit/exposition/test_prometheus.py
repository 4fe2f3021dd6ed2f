"""The page, read by Prometheus itself."""

import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from socket import create_server
from urllib.parse import urlencode

import pytest

from monitor.exposition.label import label_value
from monitor.exposition.page import ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.render import render
from monitor.exposition.vitals import Vitals
from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.server import WebServer
from tests.reading_room import an_empty_library

pytestmark = pytest.mark.slow

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def program():
    """Return the path of a program that must be installed: without it nothing would be tested."""

    def find(name):
        path = shutil.which(name)
        assert path is not None, f"{name} is missing: install Debian's package prometheus"
        return path

    return find


def lint(program, page):
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=page, capture_output=True, check=False, timeout=120)
    return done.returncode, (done.stdout + done.stderr).decode()


def whole_page(snapshots, make):
    page, vitals = ResultsPage(), Vitals([make.policy().model])
    page.publish(render(snapshots, make.build, make.families), NOON)
    vitals.beat(NOON)
    return page, vitals, ProcessMetrics(vitals, page)


def test_promtool_has_nothing_to_say_on_a_page_full_of_hostile_names(program, make, fleet, hostile):
    page, _, process = whole_page([*fleet, hostile], make)
    assert lint(program, page.text(process.render())) == (0, "")


def test_promtool_would_have_said_something_on_a_bad_page(program):
    code, said = lint(program, b"# TYPE bad_total gauge\nbad_total 1\n")
    assert code
    assert "bad_total" in said


@pytest.fixture
def prometheus(program, tmp_path):
    """Return a function that lets a Prometheus scrape a port and answers its queries."""
    processes = []

    def start(target_port):
        with closing(create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        targets = {"static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}]}
        job = {"job_name": "modelmon", "scrape_interval": "1s", "scrape_timeout": "1s", **targets}
        # JSON is YAML.
        (tmp_path / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}))
        command = [
            program("prometheus"),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with (tmp_path / "prometheus.log").open("wb") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log))

        def query(expression):
            asked = urlencode({"query": expression})
            url = f"http://127.0.0.1:{port}/api/v1/query?{asked}"
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]["result"]

        query.port = port
        return query

    yield start
    for process in processes:
        process.terminate()
        process.wait(60)


def eventually(ask, seconds=300):
    """Return the first answer that is not empty."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = ask()
        except OSError:  # not listening yet
            found = None
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"no answer within {seconds} s")


def test_a_real_prometheus_scrapes_every_series_with_hostile_names(
    prometheus, make, fleet, hostile
):
    page, vitals, process = whole_page([*fleet, hostile], make)
    health = Health(vitals, page, timedelta(minutes=5))
    app = create_app(page, process, health, an_empty_library())
    server = WebServer(app, ended=lambda: None)
    _, port = server.start()
    try:
        query = prometheus(port)
        eventually(lambda: query('up{job="modelmon"} == 1'))
        on_page = [
            line
            for line in page.text(b"").decode().split("\n")
            if line and not line.startswith("#")
        ]
        stored = query('count({__name__=~"modelmon_.+", model!=""})')
        in_prometheus = query('count({__name__=~"modelmon_(build_info|models)"})')
        from_process = query('count({__name__=~"modelmon_check_(missed|overlapping|errors).+"})')
        counted = [int(each[0]["value"][1]) for each in (stored, in_prometheus, from_process)]
        assert counted[0] + counted[1] - counted[2] == len(on_page)
        scored = query("modelmon_feature_drift_score")
        features = {each["metric"]["feature"] for each in scored}
        assert {label_value(field.name) for field in hostile.policy.fields} <= features
        url = f"http://127.0.0.1:{query.port}/api/v1/metadata"
        with urllib.request.urlopen(url, timeout=60) as answer:
            told = json.load(answer)["data"]
        # Only OpenMetrics tells units: that is what Prometheus asked for and got.
        assert told["modelmon_window_end_timestamp_seconds"][0]["unit"] == "seconds"
        assert told["modelmon_check_runs"][0]["type"] == "counter"
        drifted = query('modelmon_feature_drift_state{model="credit",feature="pay"} == 2')
        assert drifted[0]["metric"]["method"] == "psi"
        rule = (
            "modelmon_feature_drift_score > on (model, feature, method) group_left () "
            'max by (model, feature, method) (modelmon_feature_drift_threshold{severity="warning"})'
        )
        assert {"pay"} <= {each["metric"]["feature"] for each in query(rule)}
    finally:
        assert server.stop()
