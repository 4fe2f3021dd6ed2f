"""`make governance-demo` runs this script; what it shows of MLflow is in `test_mlflow.py`."""

import re

import pytest

from tests.governance_demo import main

pytestmark = pytest.mark.slow


def test_the_fifteen_checks_are_seen(capsys):
    code = main(["--without-mlflow", "--patient"])
    told = capsys.readouterr().out
    assert code == 0, told
    lines = told.partition("The fifteen checks\n")[2]
    marks = {
        int(number): mark for mark, number in re.findall(r"^([✓✗–]) +(\d+)  ", lines, re.MULTILINE)
    }
    assert list(marks) == list(range(1, 16))
    # Without MLflow, wholly or in part.
    assert {number for number, mark in marks.items() if mark != "✓"} == {3, 5, 14}
