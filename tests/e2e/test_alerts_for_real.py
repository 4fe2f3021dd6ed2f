"""The real daemon under the real Prometheus: an alarm is an alert, and outlives the daemon."""

import json
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest

from tests.e2e.deployment import get, make_deployment, register, wait_for
from tests.e2e.promtool import RULES

pytestmark = pytest.mark.slow

SCRAPING = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: modelmon
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def prometheus(folder, scraped):
    """Run Prometheus with the shipped rules on a daemon; yield its address."""
    config, log = folder / "prometheus.yml", folder / "prometheus.log"
    config.write_text(SCRAPING.format(rules=RULES, port=scraped))
    port = free_port()
    with log.open("w") as stream:
        process = subprocess.Popen(
            [
                *("prometheus", f"--config.file={config}"),
                *(f"--storage.tsdb.path={folder / 'tsdb'}",),
                *(f"--web.listen-address=127.0.0.1:{port}",),
            ],
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: get(f"{address}/-/ready")[0] == 200, process, log)
        yield address
    finally:
        process.kill()
        process.wait(30)


def alerts(address, name, state="firing"):
    found = json.loads(get(f"{address}/api/v1/alerts")[1])["data"]["alerts"]
    return [
        each for each in found if each["labels"]["alertname"] == name and each["state"] == state
    ]


def identities(address):
    """Return what tells the alerts on drift apart, with the time since when each fires."""
    return sorted(
        (each["labels"]["check"], each["labels"].get("feature", ""), each["activeAt"])
        for each in alerts(address, "ModelMonDrift")
    )


def names_of_unhealthy_rules(address):
    groups = json.loads(get(f"{address}/api/v1/rules")[1])["data"]["groups"]
    return [
        (rule["name"], rule.get("lastError"))
        for group in groups
        for rule in group["rules"]
        if rule["health"] == "err"
    ]


def test_a_drift_outlives_the_daemon_that_found_it_and_goes_on_when_it_is_back(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    deployment.call("run")
    port = free_port()
    with prometheus(tmp_path, port) as address:
        with deployment.daemon("--port", str(port)) as (process, _, log):
            (drift, *_) = wait_for(lambda: alerts(address, "ModelMonDrift"), process, log)
            assert drift["labels"]["model"] == "credit"
            assert drift["annotations"]["runbook_url"] == "docs/runbooks/ModelMonDrift.md"
            evidence = drift["annotations"]["evidence_url"]
            assert evidence.startswith("http://localhost:9108/models/credit")
            status, page = get(evidence.replace("localhost:9108", f"127.0.0.1:{port}"))
            assert status == 200
            assert "population stability index" in page.lower()
            before = identities(address)
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        wait_for(lambda: alerts(address, "ModelMonDown", "pending"))
        until = time.monotonic() + 8
        while time.monotonic() < until:  # a naive rule resolves within two seconds
            assert identities(address) == before
            time.sleep(0.5)
        with deployment.daemon("--port", str(port)) as (process, daemon, log):
            wait_for(lambda: get(f"{daemon}/-/ready")[0] == 200, process, log)
            wait_for(lambda: not alerts(address, "ModelMonDown", "pending"), process, log)
            time.sleep(3)
            after = identities(address)
        assert after == before
        assert names_of_unhealthy_rules(address) == []
        assert len(alerts(address, "ModelMonWatchdog")) == 1
