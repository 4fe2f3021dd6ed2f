"""Prometheus and the daemon's collected output as witnesses: history is written anew with the key, and
what was scraped, and what was collected, tells it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from monitor import audit_verify
from monitor.store.keys import read_key
from monitor.witness.prometheus import QUERY
from tests.attackers import Attacker
from tests.e2e.alerting import program
from tests.e2e.deployment import get, make_deployment, register, wait_for
from tests.ports import free_port

pytestmark = pytest.mark.slow

ORIGIN = "monitor.example.org/prod"
SCRAPING = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: modelmon
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def test_what_prometheus_has_stored_convicts_who_has_the_key(tmp_path):
    deployment = make_deployment(tmp_path)
    key, port = tmp_path / "a.key", free_port()
    public = deployment.call("audit", "init", "--key", str(key), "--origin", ORIGIN).stdout.strip()
    deployment.config.write_text(
        f"{deployment.config.read_text()}\naudit: {{key: {key}, stdout: true}}\n"
    )
    register(deployment)
    deployment.call("run")
    (tmp_path / "prometheus.yml").write_text(SCRAPING.format(port=port))
    prometheus = program(
        tmp_path,
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        port=free_port(),
    )
    attacker = Attacker(f"sqlite:///{deployment.database}")
    with prometheus as url:

        def stored(size):
            query = urlencode({"query": f"modelmon_audit_log_size >= {size}"})
            return json.loads(get(f"{url}/api/v1/query?{query}")[1])["data"]["result"]

        with deployment.daemon("--port", str(port)) as (process, _, log):
            size = len(attacker.bodies)
            wait_for(lambda: stored(size), process, log)
            wait_for(lambda: '"checkpoint":' in log.read_text(), process, log)

        def verified(*arguments):
            done = deployment.call("audit", "verify", *arguments, check=False)
            return done.returncode, done.stdout + done.stderr

        asked = ("--prometheus", url, "--over", "1h")
        code, told = verified(*asked)
        assert code == 0, told

        answer = tmp_path / "samples.json"
        query = {"query": f"{QUERY}[1h]"}
        answer.write_bytes(get(f"{url}/api/v1/query?{urlencode(query)}")[1].encode())
        attacker.forge(reason="it was never so")
        attacker.drop_checkpoints()
        attacker.sign(read_key(key))
        assert verified()[0] == 0  # it is a log in itself, and signed
        for outside, named in (
            (asked, "a sample of"),
            (("--samples", str(answer)), "a sample of"),
            (("--trusted", str(log)), "an outside checkpoint of"),
        ):
            code, told = verified(*outside)
            assert code == 1, told
            assert "root mismatch" in told
            assert named in told

    code, told = verified(*asked)
    assert (code, "cannot be asked" in told) == (4, True), told
    alone, export = tmp_path / "alone.py", tmp_path / "export.jsonl"
    shutil.copy(Path(audit_verify.__file__), alone)
    deployment.call("audit", "export", "-o", str(export))
    for option, file, named in (
        ("--samples", answer, "a sample: of"),
        ("--trusted", log, "a trusted checkpoint: of"),
    ):
        command = [sys.executable, "-I", alone, export, "--key", public, option, file]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 1, ended.stderr
        assert named in ended.stdout
