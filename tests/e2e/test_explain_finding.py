"""The real command line: from a finding that was printed to what made it, and back to the store."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from math import fsum
from pathlib import Path

import pytest

from tests.commands import modelmon

REPOSITORY = Path(__file__).parents[2]
MODEL = "card-late-payment"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the demo after its run, without the logs: nothing here needs them."""
    folder = tmp_path_factory.mktemp("explain")
    shutil.copytree(REPOSITORY / "demo", folder / "demo")
    shutil.copytree(REPOSITORY / "config", folder / "config")
    ended = call(folder, "demo", "--once")
    assert ended.returncode == 0, ended.stderr
    shutil.rmtree(folder / "demo")
    return folder


def call(folder, *arguments, **environment):
    if not environment:
        return modelmon(*arguments, cwd=folder)
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def fingerprint(folder, measure, window="latest", **subject):
    listed = json.loads(call(folder, "explain", MODEL, window, "--output", "json").stdout)
    (found,) = [
        item["fingerprint"]
        for item in listed["findings"]
        if item["measure"] == measure
        and all(item["subject"][name] == value for name, value in subject.items())
    ]
    return found


def lasting(text):
    """Return an explanation without its digests, which differ from one run of the demo to the next."""
    told, _, _ = text.partition("What it rests on")
    return "\n".join(line.rstrip() for line in told.splitlines()) + "\n"


def test_a_printed_finding_is_explained(folder, golden):
    told = call(folder, "explain", fingerprint(folder, "psi", field="repay_status")[:8])
    assert (told.returncode, told.stderr) == (0, "")
    golden("demo/explain-psi.txt", lasting(told.stdout))


def test_a_rate_is_explained_by_groups(folder, golden):
    told = call(folder, "explain", fingerprint(folder, "decision_rate"))
    golden("demo/explain-decision-rate.txt", lasting(told.stdout))


def test_an_explanation_needs_no_more_than_ascii(folder):
    told = call(
        folder, "explain", fingerprint(folder, "psi", field="pay_amt"), PYTHONIOENCODING="ascii"
    )
    assert told.returncode == 0
    assert told.stdout.isascii()
    assert "\\" not in told.stdout
    assert "####" in told.stdout and "|-*|" in told.stdout


def test_a_terminal_of_80_columns_is_enough(folder):
    name = fingerprint(folder, "psi", field="pay_amt")
    script = (
        "import pty, sys; sys.exit(pty.spawn([sys.executable, '-m', 'monitor', 'explain', "
        f"'{name}']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"},
    )
    assert not re.search(r"\x1b\[[\d;]*3[0-7]m", ended.stdout)  # no colour
    lines = re.sub(r"\x1b\[[\d;]*m|\r", "", ended.stdout).splitlines()
    assert max(map(len, lines)) <= 80
    (row,) = [line for line in lines if line.startswith("  (500, 1000]")]
    assert row.rstrip().endswith("0.091     " + "█" * 24)


def test_machines_get_the_same_and_the_parts_add_up(folder):
    name = fingerprint(folder, "psi", field="repay_status")
    told = json.loads(call(folder, "explain", name, "--json").stdout)
    assert told == json.loads(call(folder, "explain", name, "--output", "json").stdout)
    parts = told["parts"]
    assert parts["total"] == told["result"]["value"]
    assert fsum(item["contribution"] for item in parts["parts"]) == pytest.approx(parts["total"])
    assert [item["verdict"] for item in told["history"]] == ["ok", "ok", "ok", "critical"]
    assert told["provenance"]["policy"] == told["provenance"]["policy_in_force"]
    assert told["provenance"]["audit_record"]["sequence"] > 0
    rate = json.loads(
        call(folder, "explain", fingerprint(folder, "decision_rate"), "--json").stdout
    )
    for item in rate["decompositions"]:
        assert item["mix"] + item["within"] == pytest.approx(rate["result"]["value"], abs=1e-12)
    assert len(rate["decompositions"]) == 5


def test_an_earlier_window_can_be_asked_for(folder):
    name = fingerprint(folder, "psi", field="repay_status")
    told = json.loads(call(folder, "explain", name, "2005-07", "--json").stdout)
    assert told["window"]["start"] == "2005-07-01T00:00:00+00:00"
    assert len(told["history"]) == 2
    assert told == json.loads(call(folder, "explain", name, "--window", "2005-07", "--json").stdout)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["0000"], "no stored finding's fingerprint begins so"),
        (["no-model"], "no such model: no-model; configured: card-late-payment"),
        (["abc"], "no such model: abc"),
        ([MODEL, "2005-06", "--window", "2005-06"], "are the same; give one of them"),
        ([MODEL, "2004-06"], "has no result for a window that starts at 2004-06"),
    ],
)
def test_what_cannot_be_explained_is_a_usage_error(folder, arguments, complaint):
    told = call(folder, "explain", *arguments)
    assert told.returncode == 2
    assert complaint in told.stderr


def changed(folder, *statements):
    """Change a copy of the database behind the program's back."""
    with closing(sqlite3.connect(folder / "var" / "modelmon.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_digits_of_several_findings_list_them(folder, tmp_path):
    copied = shutil.copytree(folder, tmp_path / "copy")
    changed(copied, "update modelmon_findings set fingerprint = 'abcd' || substr(fingerprint, 5)")
    told = call(copied, "explain", "abcd")
    assert told.returncode == 2
    assert "several findings begin with abcd:" in told.stderr
    assert told.stderr.count(f", version 1 of {MODEL}\n") == 5


def test_everything_is_recomputed_and_a_tampered_number_is_found(folder, tmp_path):
    copied = shutil.copytree(folder, tmp_path / "copy")
    told = call(copied, "recheck")
    assert (told.returncode, told.stderr) == (0, f"{MODEL}: 4 of 4 stored results are equal\n")
    changed(
        copied,
        "update modelmon_runs set code = '0.0.1' where id = 1",
        "update modelmon_readings set value = 0.01 where run = 4 and measure = 'psi'"
        " and field = 'repay_status'",
    )
    told = call(copied, "recheck", MODEL)
    assert told.returncode == 1
    assert f"{MODEL}: 3 of 4 stored results are equal" in told.stderr
    assert "reading psi of repay_status, version 1: value" in told.stdout
    assert "0.0.1 " in told.stdout
    (document,) = json.loads(call(copied, "recheck", "--output", "json").stdout)
    assert [item["agreement"] for item in document["results"]] == ["equal"] * 3 + ["different"]
    assert document["results"][0]["code"] == "0.0.1"
    period = ("--from", "2005-06-01", "--to", "2005-09-01")
    assert call(copied, "recheck", MODEL, *period).returncode == 0
    nothing = call(copied, "recheck", "--from", "2004-06-01", "--to", "2004-09-01")
    assert nothing.returncode == 2
    assert "no results of card-late-payment are stored in this period" in nothing.stderr
