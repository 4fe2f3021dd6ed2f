"""The Prometheus snippets of the documentation are accepted by Prometheus' own tool."""

import re
import subprocess
from pathlib import Path

import pytest

from monitor.exposition.catalogue import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-it-under-prometheus.md"

pytestmark = pytest.mark.slow


def snippet(first_word):
    (found,) = re.findall(rf"```yaml\n({first_word}:.*?)```", PAGE.read_text(), re.DOTALL)
    return found


def promtool(*arguments):
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stdout + done.stderr


def test_the_rules_are_valid_and_name_series_that_exist(tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text(snippet("groups"))
    code, said = promtool("check", "rules", "--lint=all", str(rules))
    assert code == 0, said
    assert "4 rules found" in said
    named = set(re.findall(r"modelmon_\w+", rules.read_text()))
    assert named
    assert named <= {family.name for family in CATALOGUE}


def test_the_scrape_configuration_is_valid(tmp_path):
    config = tmp_path / "prometheus.yml"
    config.write_text(snippet("scrape_configs"))
    code, said = promtool("check", "config", str(config))
    assert code == 0, said
