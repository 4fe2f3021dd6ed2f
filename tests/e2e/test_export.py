"""Stored history as OpenMetrics, in the real promtool and a real Prometheus, and as parquet."""

import json
import math
import subprocess
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlencode
from urllib.request import urlopen

import pyarrow.parquet as pq
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.e2e.deployment import get, make_deployment, register, samples, wait_for
from tests.e2e.promtool import promtool

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    made = make_deployment(tmp_path_factory.mktemp("export"), ("credit", "loans"))
    for model in ("credit", "loans"):
        register(made, model)
    made.call("run")
    return made


def points(text):
    """Return (name, labels) to the values by time, after the library that defines the format."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            of = found.setdefault((sample.name, frozenset(sample.labels.items())), {})
            assert float(sample.timestamp) not in of
            of[float(sample.timestamp)] = sample.value
    return found


@contextmanager
def prometheus(folder):
    """Start a Prometheus that scrapes nothing; yield a function that asks it."""
    (folder / "prometheus.yml").write_text("{}")
    log = folder / "prometheus.log"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--web.listen-address=127.0.0.1:0",
    ]
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        base = wait_for(lambda: listening(log), process, log)
        wait_for(lambda: get(f"{base}/-/ready")[0] == 200, process, log)

        def ask(path, **parameters):
            url = f"{base}/api/v1/{path}?{urlencode(parameters)}"
            with urlopen(url, timeout=120) as answer:  # noqa: S310  # an address of this test
                return json.load(answer)["data"]

        yield ask
    finally:
        process.terminate()
        process.wait(120)


def listening(log):
    for line in log.read_text().splitlines():
        if 'msg="Listening on"' in line:
            return "http://" + line.rpartition("address=")[2].strip('"')
    return None


def test_a_prometheus_on_the_blocks_has_exactly_what_is_stored(deployment, tmp_path):
    file = tmp_path / "history.om"
    said = deployment.call("export", "openmetrics", "--output", str(file)).stderr
    exported = points(file.read_text())
    ends = {datetime.fromisoformat(f"2024-01-0{day}T00:00Z").timestamp() for day in range(6, 10)}
    assert {at for series in exported.values() for at in series} == ends
    number = sum(map(len, exported.values()))
    assert f"8 windows, {number:,} points" in said

    code, told = promtool(
        "tsdb", "create-blocks-from", "openmetrics", str(file), str(tmp_path / "data")
    )
    assert code == 0, told
    with prometheus(tmp_path) as ask:
        query = '{__name__=~"modelmon_.*"}[10d]'
        result = ask("query", query=query, time="2024-01-10T00:00:00Z")["result"]
    answered = {
        (labels.pop("__name__"), frozenset(labels.items())): {
            at: float(value) for at, value in series["values"]
        }
        for series in result
        for labels in [series["metric"]]
    }
    assert answered == exported


def test_the_last_window_is_what_the_daemon_shows(deployment, tmp_path):
    file = tmp_path / "history.om"
    deployment.call("export", "openmetrics", "--model", "credit", "-o", str(file))
    exported = points(file.read_text())
    with deployment.daemon() as (process, address, log):
        name = 'modelmon_window_end_timestamp_seconds{model="credit"}'
        wait_for(lambda: name in get(f"{address}/metrics")[1], process, log)
        page = samples(get(f"{address}/metrics")[1])
    last = datetime.fromisoformat("2024-01-09T00:00Z").timestamp()
    newest = {
        (name, labels): series[last]
        for (name, labels), series in exported.items()
        if last in series
    }
    shown = {parsed(series): value for series, value in page.items()}
    assert {key: shown.get(key) for key in newest} == newest
    scores = {name for name, _ in newest}
    assert {"modelmon_feature_drift_score", "modelmon_alarm_firing"} <= scores
    assert all(math.isfinite(value) for value in newest.values())


def parsed(series):
    (family,) = text_string_to_metric_families(f"{series} 1\n# EOF\n")
    (sample,) = family.samples
    return sample.name, frozenset(sample.labels.items())


def test_a_period_has_its_windows_alone_and_an_empty_one_is_said(deployment):
    asked = ("export", "openmetrics", "--model", "credit")
    one = deployment.call(*asked, "--from", "2024-01-06", "--to", "2024-01-07")
    assert one.stderr.startswith("1 windows")
    assert one.stdout.endswith("# EOF\n")
    none = deployment.call(*asked, "--from", "2020-01-06", "--to", "2020-01-07")
    assert "no window of its schedule in the period has a result" in none.stderr
    assert none.stdout == "# EOF\n"


def test_what_cannot_be_written_leaves_nothing_behind(deployment, tmp_path):
    target = tmp_path / "no such folder" / "history.om"
    refused = deployment.call("export", "openmetrics", "-o", str(target), check=False)
    assert refused.returncode == 2
    assert "No such file or directory" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_readings_of_all_models_are_one_parquet_file(deployment, tmp_path):
    file = tmp_path / "readings.parquet"
    said = deployment.call("export", "parquet", "--output", str(file)).stderr
    table = pq.read_table(file)
    assert f"{table.num_rows:,} readings" in said
    rows = table.to_pylist()
    assert {(row["model"], row["window_start"].day) for row in rows} == {
        (model, day) for model in ("credit", "loans") for day in (5, 6, 7, 8)
    }
    drift = [row for row in rows if (row["measure"], row["field"]) == ("psi", "amount")]
    verdicts = {(row["model"], row["window_start"].day): row["verdict"] for row in drift}
    assert verdicts["credit", 8] == "critical"
    assert verdicts["credit", 5] == "ok"
    refused = deployment.call("export", "parquet", check=False)
    assert (refused.returncode, "--output" in refused.stderr) == (2, True)
