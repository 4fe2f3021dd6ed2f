import json
from pathlib import Path

from monitor.cli.main import run
from monitor.exposition.rule import JOB, PAGES, RUNBOOKS, rule_file
from monitor.exposition.rules import rules_for

COMMITTED = Path(__file__).parents[3] / "dashboards" / "grafana"


def test_dashboards_and_rules_are_written_as_they_are_committed(tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    assert run(["dashboards", "--write", str(folder)]) == 0
    assert "4 dashboards" in capsys.readouterr().err
    rules = folder / "modelmon.rules.yml"
    assert rules.read_text() == rule_file(rules_for(JOB), RUNBOOKS, PAGES)
    written = {path.name: path.read_bytes() for path in folder.iterdir() if path != rules}
    assert written == {path.name: path.read_bytes() for path in COMMITTED.iterdir()}


def test_they_are_listed_with_their_titles(capsys):
    assert run(["dashboards", "--output", "json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    assert {row["file"]: row["uid"] for row in table["rows"]} == {
        "bias.json": "modelmon-bias",
        "fleet.json": "modelmon-fleet",
        "model.json": "modelmon-model",
        "operations.json": "modelmon-operations",
    }


def test_a_place_that_cannot_be_written_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(["dashboards", "--write", str(tmp_path / "file" / "below")]) == 2
    assert "cannot be made: Not a directory" in capsys.readouterr().err
