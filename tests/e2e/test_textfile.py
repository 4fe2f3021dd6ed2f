"""Results without a daemon: a command in cron, node_exporter's collector, and a real Prometheus."""

import json
import shutil
import stat
import subprocess
import time
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from tests.e2e.deployment import get, make_deployment, register, samples
from tests.ports import free_port

pytestmark = pytest.mark.slow


def installed(name):
    path = shutil.which(name)
    assert path is not None, f"{name} is missing: install the packages of tests/debian-packages.sh"
    return path


@contextmanager
def running(command, log):
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(120)


def eventually(ask, seconds=300):
    """Return the first answer that is not empty."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"no answer within {seconds} s")


@contextmanager
def node_exporter(folder, home):
    port = free_port()
    command = [
        *(installed("prometheus-node-exporter"), "--collector.disable-defaults"),
        *("--collector.textfile", f"--collector.textfile.directory={folder}"),
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, home / "node.log"):
        yield port


@contextmanager
def prometheus(target, home):
    port = free_port()
    job = {
        "job_name": "node",
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "static_configs": [{"targets": [f"127.0.0.1:{target}"]}],
    }
    (home / "prometheus.yml").write_text(json.dumps({"scrape_configs": [job]}))  # JSON is YAML
    command = [
        *(installed("prometheus"), f"--config.file={home / 'prometheus.yml'}"),
        *(f"--storage.tsdb.path={home / 'data'}", f"--web.listen-address=127.0.0.1:{port}"),
    ]

    def query(expression):
        status, said = get(
            f"http://127.0.0.1:{port}/api/v1/query?{urlencode({'query': expression})}"
        )
        return json.loads(said)["data"]["result"] if status == 200 else []

    with running(command, home / "prometheus.log"):
        yield query


def test_a_cron_job_is_seen_by_prometheus_through_the_node_exporter(tmp_path):
    deployment = make_deployment(tmp_path / "here", models=("credit", "fraud"))
    for model in ("credit", "fraud"):
        register(deployment, model)
    collected = tmp_path / "collected"
    collected.mkdir()
    path = collected / "modelmon.prom"
    # The other model is shown too: it is configured, whichever are run.
    deployment.call("run", "--model", "credit", "--textfile", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [each.name for each in collected.iterdir()] == ["modelmon.prom"]
    written = samples(path.read_text())
    exported = written["modelmon_results_exported_timestamp_seconds"]
    assert 0 <= path.stat().st_mtime - exported < 30
    assert written['modelmon_check_runs_total{model="credit"}'] == 4
    assert written['modelmon_check_runs_total{model="fraud"}'] == 0
    linted = subprocess.run(
        [installed("promtool"), "check", "metrics"],
        input=path.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, b"")
    with node_exporter(collected, tmp_path) as port, prometheus(port, tmp_path) as query:
        eventually(lambda: query('modelmon_check_runs_total{model="credit"} == 4'))
        assert query("node_textfile_scrape_error == 0")
        stored = query('count({__name__=~"modelmon_.+"})')
        assert int(stored[0]["value"][1]) == len(written)
        drifted = query(
            'modelmon_finding_state{model="credit",feature="amount",verdict!="ok"} == 1'
        )
        assert drifted
        deployment.call("run", "--textfile", str(path))
        eventually(lambda: query('modelmon_check_runs_total{model="fraud"} == 4'))


def test_a_run_that_fails_is_in_the_file_and_a_store_that_fails_leaves_the_file_as_it_was(tmp_path):
    deployment = make_deployment(tmp_path / "here")
    register(deployment)
    path = tmp_path / "modelmon.prom"
    log = deployment.folder / "log"
    log.rename(deployment.folder / "elsewhere")
    assert deployment.call("run", "--textfile", str(path), check=False).returncode == 4
    failed = 'modelmon_check_run_failures_total{model="credit",reason="SourceError"}'
    assert samples(path.read_text())[failed] == 1
    text = path.read_bytes()
    deployment.database.write_bytes(b"no database at all" * 100)
    assert deployment.call("run", "--textfile", str(path), check=False).returncode == 5
    assert path.read_bytes() == text
    assert not list(tmp_path.glob(".modelmon*"))


@pytest.mark.parametrize(
    ("path", "said"),
    [("results.txt", "must end in .prom"), ("nowhere/results.prom", "nowhere is no folder")],
)
def test_a_file_that_nobody_would_collect_is_refused_before_anything_is_run(tmp_path, path, said):
    deployment = make_deployment(tmp_path / "here")
    done = deployment.call("run", "--textfile", str(tmp_path / path), check=False)
    assert done.returncode == 2
    assert said in done.stderr
