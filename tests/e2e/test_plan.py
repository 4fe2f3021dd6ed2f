"""An edited file, and what it would change, as its author sees it."""

import json

import pytest

from monitor.cli.main import run
from tests.e2e.deployment import make_deployment, register

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    made = make_deployment(tmp_path_factory.mktemp("plan"), days=6)
    register(made)
    made.call("run")
    return made


@pytest.fixture
def planned(deployment, tmp_path, capsys):
    """Return a function that plans an edit in this process: its code, what it says and its tables."""

    def plan(more, *options):
        path = tmp_path / "credit.yaml"
        path.write_text((deployment.folder / "models" / "credit.yaml").read_text() + more)
        code = run(["--config", str(deployment.config), "plan", str(path), *options])
        said = capsys.readouterr()
        return code, said.err, said.out

    return plan


def test_a_looser_limit_is_told_with_who_would_not_have_been_called(planned):
    never = "limits: {drift: {psi: {warning: never, critical: never}}}\n"
    code, said, out = planned(never, "--fail-on", "loosen", "--output", "json")
    assert code == 1
    assert "credit: loosen; 2 stored windows were judged by both" in said
    document = json.loads(out)
    assert {(item["key"], item["change"]) for item in document["keys"]} == {
        ("limits.drift.psi.warning", "loosen"),
        ("limits.drift.psi.critical", "loosen"),
    }
    amount = [item for item in document["called"] if item["subject"]["field"] == "amount"]
    assert [len(item["before"]) for item in amount] == [1]
    assert [item["after"] for item in amount] == [[]]


def test_a_tighter_one_is_no_failure_and_people_read_tables(planned):
    code, said, out = planned("limits: {drift: {psi: {warning: 0.01}}}\n", "--fail-on", "loosen")
    assert (code, "credit: tighten" in said) == (0, True)
    assert "limits.drift.psi.warning   0.1" in out


def test_nothing_changes_by_a_comment(planned):
    assert planned("# why\n")[:2] == (
        0,
        "credit: nothing changes; 2 stored windows were judged by both\n",
    )


def test_two_files_are_compared_and_one_of_another_model_is_refused(planned, deployment, tmp_path):
    other = tmp_path / "other.yaml"
    mine = (deployment.folder / "models" / "credit.yaml").read_text()
    other.write_text(mine.replace("model: credit", "model: debit"))
    code, said, _ = planned("", "--against", str(other))
    assert (code, "--against is of the model debit, and not of credit" in said) == (2, True)
    other.write_text(mine + "owner: risk\n")
    assert planned("", "--against", str(other))[1].startswith("credit: neutral")


def test_a_wrong_file_is_told_as_by_the_check(planned):
    code, said, _ = planned("ownr: risk\n")
    assert (code, "unknown key" in said) == (3, True)
