"""The rule file: what is committed, and its form."""

import re

import pytest
import yaml

from monitor.cli.main import root
from monitor.exposition.family import PREFIX
from monitor.exposition.resource import rule_resource
from monitor.exposition.rule import JOB, PAGES, RUNBOOKS, Alert, Group, rule_file
from monitor.exposition.rules import rules_for
from monitor.measures.measure import Family

RULES = rule_file(rules_for(JOB), RUNBOOKS, PAGES)


def every_rule():
    return [rule for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"]]


def test_the_committed_rules_are_those_of_the_code(golden):
    golden("../../dashboards/rules/modelmon.rules.yml", RULES)


def test_the_committed_resource_has_the_same_groups(golden):
    golden("../../deploy/kubernetes/prometheus-operator/rules.yaml", rule_resource(RULES))
    resource = yaml.safe_load(rule_resource(RULES))
    assert resource["spec"] == yaml.safe_load(RULES)


def test_every_family_of_measures_has_its_alert():
    named = set(re.findall(r'family="(\w+)"', RULES))
    assert named == {family.value for family in Family}


def test_text_survives_the_quotes_of_yaml():
    text = 'it\'s "{{ $labels.model }}": 50% of # it'
    alert = Alert("Name", 'up{job="x"}\n== 0', "warning", text, text, held=False, owned=False)
    ((rule,),) = [
        group["rules"] for group in yaml.safe_load(rule_file([Group("g", (), (alert,))], "b/", "p/"))["groups"]
    ]  # fmt: skip
    assert rule["annotations"] == {
        "summary": text,
        "description": text,
        "runbook_url": "b/Name.md",
    }
    assert rule["expr"] == 'up{job="x"}\n== 0'
    assert "for" not in rule


def test_no_alert_has_a_measured_score_in_its_text():
    for rule in every_rule():
        for text in rule.get("annotations", {}).values():
            assert "query" not in text.replace("urlquery", "")
            assert f"{PREFIX}disparity" not in text


@pytest.mark.parametrize("rule", [rule for rule in every_rule() if "alert" in rule], ids=str)
def test_an_alert_says_what_it_is_and_how_grave(rule):
    assert rule["alert"].startswith("ModelMon")
    of_model = {"evidence_url"} if "modelmon:model_owner:last" in rule["expr"] else set()
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url", *of_model}
    allowed = {"critical", "warning", "info", "none", "{{ $labels.severity }}"}
    assert rule["labels"]["severity"] in allowed


def test_the_command_prints_them_for_another_job_and_place(capsys):
    options = ["rules", "--job", "watcher", "--runbooks", "https://wiki.example/books"]
    options += ["--pages", "https://models.example/m/"]
    assert root.main(options, standalone_mode=False) is None
    said = capsys.readouterr().out
    assert said == rule_file(
        rules_for("watcher"), "https://wiki.example/books", "https://models.example/m/"
    )
    assert 'up{job="watcher"}' in said
    assert "https://wiki.example/books/ModelMonDown.md" in said
    assert "evidence_url: 'https://models.example/m/models/{{" in said
    assert f'up{{job="{JOB}"}}' not in said
