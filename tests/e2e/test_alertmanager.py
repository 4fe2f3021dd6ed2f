"""The example for Alertmanager is accepted by its own tool, and each alert reaches whom it should."""

import re
import subprocess
from pathlib import Path

import pytest

from monitor.exposition.rule import JOB
from monitor.exposition.rules import rules_for

CONFIG = Path(__file__).parents[2] / "dashboards" / "alertmanager" / "alertmanager.yml"

pytestmark = pytest.mark.slow


def amtool(*arguments):
    done = subprocess.run(
        ["amtool", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_example_is_valid():
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "ModelMonDrift", "severity": "critical", "model": "credit"}, "on-call"),
        ({"alertname": "ModelMonDrift", "severity": "warning", "model": "credit"}, "model-owners"),
        ({"alertname": "ModelMonDrift", "severity": "warning", "owner": "risk team"}, "risk-team"),
        ({"alertname": "ModelMonDisparity", "severity": "critical"}, "governance"),
        ({"alertname": "ModelMonCheckStale", "severity": "critical"}, "on-call"),
        ({"alertname": "ModelMonDown", "severity": "critical"}, "on-call"),
        ({"alertname": "ModelMonChecksLateSlow", "severity": "warning"}, "monitoring-team"),
        ({"alertname": "ModelMonConfigReloadFailed", "severity": "warning"}, "monitoring-team"),
        ({"alertname": "ModelMonNoLeader", "severity": "critical"}, "on-call"),
        ({"alertname": "ModelMonSeveralLeaders", "severity": "warning"}, "monitoring-team"),
        ({"alertname": "ModelMonWatchdog", "severity": "none"}, "dead-mans-switch"),
    ],
)
def test_an_alert_reaches_whom_it_should(labels, receiver):
    told = [f"{name}={value}" for name, value in labels.items()]
    options = ("config", "routes", "test", f"--config.file={CONFIG}")
    assert amtool(*options, *told) == receiver


def test_it_names_alerts_that_exist():
    names = {alert.name for group in rules_for(JOB) for alert in group.alerts}
    patterns = re.findall(r'alertname =~? "?(ModelMon[^",\]]*)', CONFIG.read_text())
    assert len(patterns) > 5
    for pattern in patterns:
        # Every branch of an alternation, not only the whole of it, must name an alert.
        first, _, rest = pattern.partition("(")
        branches = rest.rstrip(")").split("|") if rest else [""]
        for branch in branches:
            assert any(re.fullmatch(first + branch, name) for name in names), first + branch


def test_alarms_of_models_are_not_silenced_by_what_keeps_them_from_being_renewed():
    # A monitor that is down explains why an alarm is not renewed; it is no reason to drop it.
    targets = re.findall(r"target_matchers: \[(.*)\]", CONFIG.read_text())
    assert targets
    for alarm in ("Drift", "Disparity", "Quality", "Performance", "Segment", "Down"):
        assert not any(alarm in target for target in targets)
