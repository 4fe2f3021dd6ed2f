"""Unit tests of the shipped rules, run by Prometheus' own tool."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

RULES = Path(__file__).parents[2] / "dashboards" / "rules" / "modelmon.rules.yml"

BAD, OUTAGE, WELL, END = 10, 100, 130, 170
"""Minutes: when the trouble begins, when the exporter dies in it, when it is back and all is well."""


def promtool(*arguments):
    """Return the exit code, and what it said."""
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def parsed(text):
    """Return name and labels of a series as it is written."""
    name, _, rest = text.partition("{")
    labels = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    return name, labels


@dataclass
class Story:
    """What an exporter shows, minute by minute, and who is to be told.

    Values are numbers, None for a series that is not there, or functions of the minute.
    """

    alert: str
    bad: dict
    well: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    annotations: dict = field(default_factory=dict)

    def series(self):
        for written in {**USUAL, **self.bad, **self.well}:
            name, labels = parsed(written)
            told = {"job": "modelmon", "instance": "a", **labels}
            inside = ",".join(f'{key}="{value}"' for key, value in told.items())
            values = " ".join(self._at(written, minute) for minute in range(END))
            yield {"series": f"{name}{{{inside}}}", "values": values}

    def _at(self, written, minute):
        if written.startswith("up") and OUTAGE <= minute < WELL:
            return "0"
        if OUTAGE <= minute < WELL:
            return "stale" if minute == OUTAGE else "_"
        shown = {**dict.fromkeys(self.bad), **USUAL, **self.well}
        if BAD <= minute < OUTAGE:
            shown = {**USUAL, **self.well, **self.bad}
        value = shown[written]
        value = value(minute) if callable(value) else value
        return "stale" if value is None else str(value)


USUAL = {
    "up": 1,
    "modelmon_results_exported_timestamp_seconds": lambda minute: 60 * minute,
    "modelmon_scheduler_heartbeat_timestamp_seconds": lambda minute: 60 * minute,
    'modelmon_model_info{model="credit",model_version="1",model_owner="risk team",baseline="ab"}': 1,
    'modelmon_check_last_success_timestamp_seconds{model="credit"}': lambda minute: 60 * minute,
    'modelmon_check_interval_seconds{model="credit"}': 600,
}


def told(story):
    """Return what Alertmanager is sent of a story while it is bad."""
    links = {"runbook_url": f"docs/runbooks/{story.alert}.md"}
    if "owner" in story.labels:
        page = f"http://localhost:9108/models/{story.labels['model']}"
        finding = story.labels.get("finding")
        links["evidence_url"] = f"{page}/findings/{finding}" if finding else page
    return [
        {
            "exp_labels": {"job": "modelmon", **story.labels},
            "exp_annotations": {**story.annotations, **links},
        }
    ]


@cache
def shipped():
    """Return the groups of the shipped rules."""
    return yaml.safe_load(RULES.read_text())["groups"]


def needed(asked):
    """Return the shipped groups with those rules only that a text names, and what those rest on.

    All of them are ninety, and each is worked out at each minute of a test: who asks for one alert
    would wait for the others.
    """
    named = set()
    while True:
        kept = [
            {**group, "rules": [rule for rule in group["rules"] if name_of(rule) in asked]}
            for group in shipped()
        ]
        rules = [rule for group in kept for rule in group["rules"]]
        if named == (named := {name_of(rule) for rule in rules}):
            return [group for group in kept if group["rules"]]
        asked = " ".join([asked, *(rule["expr"] for rule in rules)])


def name_of(rule):
    return rule.get("record") or rule["alert"]


def check(folder, series, expected, values=(), rules=None):
    """Run one test: at each minute, the alerts of a name are these, and expressions have values."""
    if rules is None:
        asked = " ".join([name for _, name, _ in expected] + [text for _, text, *_ in values])
        rules = folder / "needed.yml"
        rules.write_text(json.dumps({"groups": needed(asked)}))
    alerts = [
        {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": firing}
        for minute, name, firing in expected
    ]
    numbers = [
        {
            "eval_time": f"{minute}m",
            "expr": text,
            "exp_samples": [{"labels": "".join(labels) or "{}", "value": value}],
        }
        for minute, text, value, *labels in values
    ]
    story = {
        "interval": "1m",
        "input_series": list(series),
        "alert_rule_test": alerts,
        "promql_expr_test": numbers,
    }
    content = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [story]}
    tests = folder / "test.yml"
    tests.write_text(json.dumps(content))
    code, said = promtool("test", "rules", str(tests))
    assert code == 0, said
