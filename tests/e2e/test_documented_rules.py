"""The Prometheus snippets of the documentation are accepted by Prometheus' own tool."""

import re
from pathlib import Path

import pytest

from monitor.exposition.rule import JOB
from monitor.exposition.rules import rules_for
from tests.e2e.promtool import RULES, promtool

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-it-under-prometheus.md"

pytestmark = pytest.mark.slow


def snippet(first_word):
    (found,) = re.findall(rf"```yaml\n({first_word}:.*?)```", PAGE.read_text(), re.DOTALL)
    return found


def test_the_configuration_is_valid_and_loads_the_shipped_rules(tmp_path):
    config = tmp_path / "prometheus.yml"
    config.write_text(snippet("scrape_configs") + snippet("rule_files"))
    (tmp_path / "modelmon.rules.yml").write_bytes(RULES.read_bytes())
    code, said = promtool("check", "config", str(config))
    assert code == 0, said
    assert "1 rule files found" in said
    assert re.search(r"SUCCESS: \d\d rules found", said)


def test_the_page_has_every_alert_with_its_severity():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `ModelMon")]
    told = {}
    for row in rows:
        _, names, severities, *_ = row.split("|")
        for name in re.findall(r"`(ModelMon\w+)`", names):
            told[name] = severities.strip()
    alerts = [alert for group in rules_for(JOB) for alert in group.alerts]
    assert set(told) == {alert.name for alert in alerts}
    for alert in alerts:
        shown = "that of the verdict" if "{{" in alert.severity else alert.severity
        assert shown in told[alert.name], alert.name
