import json

import pytest

from monitor.cli.main import run
from monitor.exposition.catalogue import CATALOGUE


def test_every_metric_is_listed_with_what_the_catalogue_says_of_it(capsys):
    assert run(["metrics", "list", "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told] == [family.name for family in CATALOGUE]
    for one, family in zip(told, CATALOGUE, strict=True):
        assert one["help"] == family.help
        assert (one["type"], one["unit"], one["part"]) == (family.kind, family.unit, family.part)
        assert tuple(one["labels"]) == family.labels
        assert one["empty_when_healthy"] is family.empty_when_healthy


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["modelmon_SERIES_limit", "may take"], {"modelmon_series_limit"}),
        (["runs", "failure"], {"modelmon_check_runs_total", "modelmon_check_run_failures_total"}),
        (["no such metric"], set()),
    ],
)
def test_words_choose_by_name_and_meaning(capsys, words, names):
    assert run(["metrics", "list", *words, "--output", "json"]) == 0
    assert {one["name"] for one in json.loads(capsys.readouterr().out)} == names


def test_the_table_has_a_line_a_metric(capsys):
    assert run(["metrics", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("modelmon_" in line for line in lines) >= len(CATALOGUE)
