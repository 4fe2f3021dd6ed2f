"""The dashboards are what the code makes, whole, and in the style that Grafana's linter asks for."""

import json
import re

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.boards.every import BOARDS, written
from dashboards.boards.queries import Scope
from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import Kind
from tests.dashboards.grafana import FOLDER, NAMES, expressions, panels, queries, read, variables

register_default_plugins()

COUNTERS = [family.name for family in CATALOGUE if family.kind is Kind.COUNTER]
PLACEHOLDER = re.compile(r"\$\{?(\w+)")

every_board = pytest.mark.parametrize("name", NAMES)


def test_every_dashboard_is_made_and_no_other_file_is_there():
    assert NAMES == sorted(BOARDS) == ["bias", "fleet", "model", "operations"]


@every_board
def test_the_committed_file_is_what_the_code_makes(name):
    committed = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert committed == written(BOARDS[name]()), "run `make dashboards`"


@every_board
def test_grafanas_own_model_reads_it_without_loss(name):
    held = read(name)
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(held))) == held


def test_a_misspelt_key_would_be_lost_in_the_model():
    held = read("fleet")
    held["panels"][1]["heading"] = held["panels"][1].pop("title")
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(held))) != held


@every_board
def test_it_is_a_view_that_only_the_code_changes(name):
    held = read(name)
    assert held["editable"] is False
    assert held["uid"] == f"modelmon-{name}"
    assert held["tags"] == ["modelmon"]
    assert held["schemaVersion"] >= 42
    assert held["description"]


@every_board
def test_the_data_source_is_chosen_once_and_used_everywhere(name):
    held = read(name)
    first = held["templating"]["list"][0]
    wanted = ("datasource", "datasource", "Data source", "prometheus")
    assert (first["name"], first["type"], first["label"], first["query"]) == wanted
    users = [*variables(held), *held["annotations"]["list"]]
    users += [panel for panel in panels(held) if panel["type"] != "text"]
    users += [target for _, target in queries(held)]
    assert {each["datasource"]["uid"] for each in users} == {"${datasource}"}


@every_board
def test_the_job_can_be_chosen_and_several_of_them(name):
    (job,) = [each for each in variables(read(name)) if each["name"] == "job"]
    assert (job["label"], job["multi"], job["allValue"]) == ("Job", True, ".+")


@every_board
def test_variables_are_labelled_and_asked_again_when_the_time_changes(name):
    for variable in variables(read(name)):
        assert variable["label"]
        assert variable["refresh"] == 2


@every_board
def test_every_panel_says_what_it_shows_in_which_unit_and_when_it_shows_nothing(name):
    for panel in panels(read(name)):
        assert panel["title"]
        assert panel["description"].endswith(".")
        if panel["type"] == "text":
            assert panel["options"]["content"]
            continue
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["fieldConfig"]["defaults"]["noValue"] == "no data"
        assert panel["targets"]


@every_board
def test_titles_are_told_apart(name):
    titles = [panel["title"] for panel in panels(read(name))]
    assert len(set(titles)) == len(titles)


@every_board
def test_every_query_is_limited_to_the_chosen_jobs(name):
    for where, expression in expressions(read(name)):
        selectors = re.findall(r"(\w+)\{([^}]*)\}", re.sub(r"\$\{\w+\}", "", expression))
        assert selectors, where
        for series, matchers in selectors:
            assert 'job=~"$job"' in matchers, f"{where}: {series}"


def test_what_a_process_says_is_told_apart_by_instance():
    held = read("operations")
    (instance,) = [each for each in variables(held) if each["name"] == "instance"]
    assert (instance["label"], instance["multi"], instance["allValue"]) == ("Instance", True, ".+")
    for where, expression in expressions(held):
        assert 'instance=~"$instance"' in expression, where
        assert re.search(r"by \([^)]*\binstance\b", expression), where


@every_board
def test_counters_are_asked_for_what_they_grew_by(name):
    for where, expression in expressions(read(name)):
        for counter in [*COUNTERS, "process_cpu_seconds_total"]:
            for start in (found.start() for found in re.finditer(rf"\b{counter}\b", expression)):
                assert re.search(r"(?:rate|increase)\($", expression[:start]), where
        assert set(re.findall(r"\[([^\]]+)\]", expression)) <= {"$__rate_interval"}, where


@every_board
def test_no_series_is_counted_once_for_each_replica(name):
    for where, expression in expressions(read(name)):
        for found in re.finditer(r"\bmodelmon_\w+\{", expression):
            before = expression[: found.start()]
            assert re.search(r"max (?:by \([^)]*\) )?\((?:increase\()?$", before), where


@every_board
def test_every_placeholder_is_a_variable_of_the_dashboard(name):
    held = read(name)
    declared = {each["name"] for each in held["templating"]["list"]} | {"__rate_interval"}
    texts = [expression for _, expression in expressions(held)]
    texts += [variable["definition"] for variable in variables(held)]
    texts += [panel["title"] for panel in panels(held)]
    texts += [panel["options"]["content"] for panel in panels(held) if panel["type"] == "text"]
    assert {named for text in texts for named in PLACEHOLDER.findall(text)} <= declared


@every_board
def test_panels_do_not_lie_upon_each_other(name):
    taken = set()
    for panel in read(name)["panels"]:
        place = panel["gridPos"]
        assert place.get("x", 0) + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place.get("x", 0), place.get("x", 0) + place["w"])
            for y in range(place.get("y", 0), place.get("y", 0) + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@every_board
def test_limits_and_bounds_are_drawn_from_series(name):
    """A number that is written into a panel as a limit would not be the one that was judged by."""
    for panel in panels(read(name)):
        if panel["type"] == "timeseries":
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            assert [step["value"] for step in steps] == [None]


@every_board
def test_marks_are_at_the_times_that_series_hold(name):
    marks = read(name)["annotations"]["list"]
    assert marks
    for mark in marks:
        assert mark["useValueForTime"] is True
        assert re.search(r"1000 \* max by .*_timestamp_seconds", mark["expr"]), mark["name"]


def test_a_ratio_is_never_shown_without_the_rates_and_the_records_beside_it():
    (groups,) = [panel for panel in panels(read("bias")) if panel["title"] == "Groups"]
    asked = " ".join(target["expr"] for target in groups["targets"])
    for name in ("group_records", "group_outcome_ratio", "disparity_ratio_lower_bound"):
        assert f"modelmon_{name}{{" in asked


def test_a_metric_that_is_not_exposed_cannot_be_asked_for():
    with pytest.raises(KeyError):
        Scope().latest("no_such_metric")
    with pytest.raises(ValueError, match="counter"):
        Scope().latest("check_runs_total")
    with pytest.raises(ValueError, match="gauge"):
        Scope().increase("models")


def test_the_sdk_is_no_part_of_what_is_shipped():
    root = FOLDER.parents[1]
    shipped = [root / "requirements.lock", *(root / "monitor").rglob("*.py")]
    assert len(shipped) > 100
    sdk = re.compile("grafana.foundation")
    named = [path for path in shipped if sdk.search(path.read_text(encoding="utf-8"))]
    assert named == []
