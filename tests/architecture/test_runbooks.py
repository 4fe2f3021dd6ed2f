"""Every alert has a page that says what to do, with commands that exist, and every page its alert."""

import re
from pathlib import Path

import click
import pytest

from monitor.cli.main import root
from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.rule import JOB, RUNBOOKS, rule_file
from monitor.exposition.rules import rules_for
from monitor.store.tables import METADATA

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / RUNBOOKS).glob("*.md"))
ALERTS = [alert for group in rules_for(JOB) for alert in group.alerts]
RULES = rule_file(rules_for(JOB), RUNBOOKS, "http://localhost:9108")

COMMAND = re.compile(r"modelmon ([a-z]+)((?: [a-z]+)?)(.*)")
FROM_OTHERS = {
    "process_cpu_seconds_total",
    "prometheus_notifications_dropped_total",
    "alertmanager_notifications_failed_total",
}


def name_of(path):
    return path.stem


def commands_in(text):
    """Return the commands that a page tells people to type: in fences, and in ticks."""
    fenced = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.split("#")[0] for block in fenced for line in block.splitlines()]
    return [*lines, *re.findall(r"`(modelmon [^`]+)`", text)]


def test_every_alert_has_its_page_and_every_page_its_alert():
    assert [page.stem for page in PAGES] == sorted(alert.name for alert in ALERTS)


def test_alerts_have_names_of_their_own():
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


def test_the_rules_point_at_the_pages():
    named = re.findall(r"runbook_url: '(.+)'", RULES)
    assert len(named) == len(ALERTS)
    assert [url for url in named if not (ROOT / url).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_has_the_four_parts_with_something_in_each(page):
    title, *parts = re.split(r"^##? ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert title.strip() == page.stem
    headings = [part.split("\n", 1)[0] for part in parts]
    assert headings == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert [part for part in parts if len(part.split()) < 8] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_and_options_of_a_page_exist(page):
    context = click.Context(root)
    for line in commands_in(page.read_text(encoding="utf-8")):
        for name, second, rest in COMMAND.findall(line):
            command = root.get_command(context, name)
            assert command, line
            if isinstance(command, click.Group):
                command = command.get_command(context, second.strip())
                assert command, line
            known = {option for parameter in command.params for option in parameter.opts}
            assert set(re.findall(r"(?<=\s)--?[a-z]+", rest.split("&&")[0])) <= known, line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_series_of_a_page_exist(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:modelmon|process|prometheus|alertmanager)_[a-z_]+\b", text))
    tables = set(METADATA.tables)
    assert named <= {family.name for family in CATALOGUE} | FROM_OTHERS | tables
    recorded = set(re.findall(r"modelmon:[\w:]+", text))
    assert recorded <= set(re.findall(r"record: (.+)", RULES))
