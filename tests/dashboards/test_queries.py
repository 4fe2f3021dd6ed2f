"""Every query of every panel, variable and annotation, asked of a real Prometheus on the demo."""

import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.dashboards.grafana import (
    LABEL_VALUES,
    NAMES,
    NOTHING,
    Chosen,
    expressions,
    queries,
    read,
    values_of,
    variables,
)
from tests.e2e.deployment import _address, wait_for

REPOSITORY = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dashboards")]

UNGATED = "the demo's windows were over before anybody kept its gate"
UNAPPROVED = "nobody has approved a version of the demo, so none has lost anything"
EMPTY = {
    "bias": {
        "Within strata: ratio of $metric A": "the demo's policy declares no strata",
    },
    "fleet": {
        "Models F": UNGATED,
        "Overdue models A": "the demo's schedule has ended: no further window is due",
    },
    "model": {
        "Decisions outside authority A": UNGATED,
        "Decisions beyond a condition A": UNGATED,
        "Decisions outside of what was allowed A": UNGATED,
        "Decisions outside of what was allowed B": UNGATED,
        "Decisions outside of what was allowed C": UNGATED,
        "Versions D": UNAPPROVED,
        "Open cases A": UNAPPROVED,
        "Open cases B": UNAPPROVED,
        "Waivers A": UNAPPROVED,
        "Alerts C": "nobody has muted anything in the demo",
        "$performance D": "the first measure by name is reported and not judged: it has no limit",
    },
    "operations": {
        "Quarantined files A": "every file of the demo can be read",
    },
}
"""Queries that find nothing on the demo, with the reason."""


@contextmanager
def running(command, folder, log):
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=folder, stdout=stream, stderr=stream)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(120)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return the address of a daemon that serves the results of the demo."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(REPOSITORY / "demo", folder / "demo")
    shutil.copytree(REPOSITORY / "config", folder / "config")
    settings = folder / "config" / "modelmon.yaml"
    settings.write_text(settings.read_text().replace("port: 9108", "port: 0"))
    log = folder / "demo.log"
    command = [sys.executable, "-u", "-m", "monitor", "demo"]
    with running(command, folder, log) as process:
        address = wait_for(lambda: _address(log), process, log, seconds=120)
        wait_for(lambda: _ready(f"{address}/-/ready"), process, log)
        yield address


def _ready(url):
    try:
        with urlopen(url, timeout=120) as answer:  # noqa: S310  # an address of this test
            return answer.status == 200
    except (HTTPError, URLError):
        return False


@pytest.fixture(scope="module")
def ask(demo, tmp_path_factory):
    """Return a function that asks a Prometheus which has scraped the demo a few times.

    It scrapes the daemon by two names, as it would two replicas with the same results.
    """
    program = shutil.which("prometheus")
    assert program is not None, "install Debian's package prometheus"
    folder = tmp_path_factory.mktemp("prometheus")
    port = demo.rpartition(":")[2]
    job = {
        "job_name": "modelmon",
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "static_configs": [{"targets": [f"127.0.0.1:{port}", f"localhost:{port}"]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}))
    log = folder / "prometheus.log"
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]
    with running(command, folder, log) as process:
        base = wait_for(lambda: _listening(log), process, log)
        wait_for(lambda: _ready(f"{base}/-/ready"), process, log)

        def asked(path, **parameters):
            url = f"{base}/api/v1/{path}?{urlencode(parameters)}"
            try:
                with urlopen(url, timeout=120) as answer:  # noqa: S310  # an address of this test
                    return json.load(answer)["data"]
            except HTTPError as error:
                raise AssertionError(f"{parameters}: {error.read().decode()}") from error

        often = "count_over_time(modelmon_models[1m]) >= 3"
        wait_for(lambda: len(asked("query", query=often)["result"]) == 2, process, log)
        yield asked


def _listening(log):
    for line in log.read_text().splitlines():
        if 'msg="Listening on"' in line:
            return "http://" + line.rpartition("address=")[2].strip('"')
    return None


def choices(dashboard, ask):
    """Return the values that Grafana's variables take, each asked in turn."""
    chosen = NOTHING
    for variable in variables(dashboard):
        form = LABEL_VALUES.fullmatch(variable["definition"])
        path = f"label/{form['label']}/values"
        found = values_of(variable, ask(path, **{"match[]": chosen.fill(form["series"])}))
        # Of models without classes there is none to choose: all of none is what is left.
        assert found or variable.get("allValue") == ".*", (
            f"variable {variable['name']} has no value"
        )
        chosen = chosen.taking(variable, found)
    return chosen


@pytest.mark.parametrize("name", NAMES)
def test_every_query_finds_series(name, ask):
    dashboard = read(name)
    chosen = choices(dashboard, ask)
    empty = {
        where
        for where, expression in expressions(dashboard)
        if not ask("query", query=chosen.fill(expression))["result"]
    }
    assert empty == EMPTY[name].keys()


@pytest.mark.parametrize("name", NAMES)
def test_the_queries_of_a_panel_over_time_find_series(name, ask):
    dashboard = read(name)
    chosen = choices(dashboard, ask)
    now = time.time()  # noqa: TID251  # Prometheus' own clock
    for title, target in queries(dashboard):
        if target.get("range") and f"{title} {target['refId']}" not in EMPTY[name]:
            span = {"start": now - 60, "end": now, "step": "1s"}
            found = ask("query_range", query=chosen.fill(target["expr"]), **span)["result"]
            assert found, f"{title} {target['refId']}"


def test_a_population_of_any_name_can_be_chosen(ask):
    dashboard = read("bias")
    chosen = choices(dashboard, ask)
    found = ask("label/attribute/values", **{"match[]": "modelmon_group_records"})
    assert any("×" in value for value in found)
    for attribute in found:
        one = Chosen({**chosen.values, "attribute": attribute})
        for title, target in queries(dashboard):
            if title == "Groups":
                assert ask("query", query=one.fill(target["expr"]))["result"], attribute


def test_results_that_two_replicas_expose_are_counted_once(ask):
    dashboard = read("fleet")
    chosen = choices(dashboard, ask)
    (shown,) = [
        ask("query", query=chosen.fill(target["expr"]))["result"]
        for title, target in queries(dashboard)
        if title == "Critical alarms"
    ]
    firing = 'sum by (instance) (modelmon_alarm_firing{severity="critical"})'
    replicas = {each["value"][1] for each in ask("query", query=firing)["result"]}
    assert {shown[0]["value"][1]} == replicas
    assert float(shown[0]["value"][1]) > 0
    (up,) = ask("query", query=chosen.fill('sum (up{job=~"$job"})'))["result"]
    assert up["value"][1] == "2"
