import re
from pathlib import Path

import pytest

import monitor
from monitor.domain.errors import BaselineError

REPOSITORY = Path(__file__).parents[2]
CONFIG = REPOSITORY / "config" / "models" / "card-late-payment.yaml"


def test_the_example_in_the_documentation_runs(monkeypatch, capsys):
    monkeypatch.chdir(REPOSITORY)
    page = (REPOSITORY / "docs" / "how-to" / "use-the-python-api.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    names: dict = {}
    for block in blocks:
        exec(compile(block, "use-the-python-api.md", "exec"), names)  # noqa: S102
    printed = capsys.readouterr().out
    assert "repay_status" in printed
    assert names["baseline"].rows == 16_000
    assert names["psi"]["repay_status"] == pytest.approx(1.066, abs=1e-3)


def test_nothing_is_compared_without_a_baseline():
    with pytest.raises(BaselineError, match="register"):
        monitor.open_model(CONFIG).compare(start="2005-09-01", end="2005-10-01")


def test_registering_the_same_data_again_changes_nothing():
    model = monitor.open_model(CONFIG)
    period = {"start": "2005-04-01", "end": "2005-06-01"}
    first = model.register(**period, why="first")
    again = model.register(**period, why="again")
    assert [item.digest for item in first] == [item.digest for item in again]
    assert len(model.outside.store.baselines(model.policy.model)) == 1


def test_what_is_compared_is_what_is_run():
    model = monitor.open_model(CONFIG)
    model.register(start="2005-04-01", end="2005-06-01", why="the calm months")
    (ran,) = model.run(start="2005-09-01", end="2005-10-01")
    compared = model.compare(start="2005-09-01", end="2005-10-01")
    assert ran.run.results == compared.examination.results
    (again,) = model.run(start="2005-09-01", end="2005-10-01")
    assert again.committed.new is False


def test_a_frame_without_rows_in_the_period_is_no_clean_bill():
    model = monitor.open_model(CONFIG)
    model.register(start="2005-04-01", end="2005-06-01", why="the calm months")
    empty = model.compare(start="2006-01-01", end="2006-02-01")
    assert [item.reason for item in empty.found()] == ["no_data"]
    assert set(empty.findings()["verdict"]) == {"unknown"}
