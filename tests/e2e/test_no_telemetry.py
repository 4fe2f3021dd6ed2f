"""Nobody is told anything: all of it works where there is no route, and no route is asked for."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEW_NETWORK = ("unshare", "--user", "--map-root-user", "--net")

pytestmark = pytest.mark.slow


def test_it_works_without_a_network_and_tries_to_reach_nobody(tmp_path):
    for name in ("demo", "config"):
        shutil.copytree(ROOT / name, tmp_path / name)
    possible = subprocess.run(
        [*NEW_NETWORK, "true"], capture_output=True, text=True, check=False, timeout=120
    )
    assert possible.returncode == 0, (
        f"this test needs a network namespace of its own, by `{' '.join(NEW_NETWORK)}`"
        f" (in Docker: --security-opt seccomp=unconfined): {possible.stderr}"
    )
    done = subprocess.run(
        [*NEW_NETWORK, sys.executable, "-m", "tests.e2e.alone", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["attempts of a known talker"] >= 2  # the count would have seen it
    assert told["attempts"] == 0
    assert set(told["answers"].values()) == {200}
    assert "modelmon_feature_drift_score{" in told["metrics"]
    assert "healthy" in told["healthcheck"]
    assert told["ended"] == 0
