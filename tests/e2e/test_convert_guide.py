"""The examples of the guide to converting JSON logs, as they stand there."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from monitor.sources.json_logs.record import Reason
from tests import commands

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "how-to" / "convert-json-logs.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```json lines=(\S+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
RUNS = re.findall(r"^```console\n\$ modelmon (.+)\n((?:.*\n)*?)```$", GUIDE, re.MULTILINE)

pytestmark = pytest.mark.slow


def words(text):
    return [line.split() for line in text.splitlines() if line.strip(" ─")]


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES:
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def modelmon(folder, *arguments):
    return commands.modelmon(*arguments, cwd=folder)


@pytest.mark.parametrize(("command", "output"), RUNS)
def test_an_example_gives_what_is_shown(folder, command, output):
    done = modelmon(folder, *command.split())
    assert done.returncode == 0, done.stderr
    assert words(done.stdout + done.stderr) == words(output)


def test_there_are_examples_of_both_formats():
    assert [re.search(r"--format (\w+)", command)[1] for command, _ in RUNS] == [
        "kserve",
        "sagemaker",
    ]


def test_the_rows_are_those_that_are_shown(folder):
    assert modelmon(folder, *RUNS[0][0].split()).returncode == 0
    header, *rows = re.findall(r"^\| (f0c5-.*|id \| event.*) \|$", GUIDE, re.MULTILINE)
    names = header.split(" | ")
    found = pq.read_table(folder / "credit.parquet").to_pylist()
    assert [[str(row[name]) for name in names] for row in found] == [
        row.split(" | ") for row in rows
    ]


def test_every_reason_is_explained():
    table = re.findall(r"^\| (`[^|]*`) \|", GUIDE, re.MULTILINE)
    assert {word for cell in table for word in re.findall(r"`(\w+)`", cell)} >= set(Reason)


def test_what_was_converted_can_be_watched(folder):
    assert modelmon(folder, *RUNS[0][0].split()).returncode == 0
    made = modelmon(folder, "init", "credit.parquet", "--write", "m.yaml")
    assert made.returncode == 0, made.stderr
    checked = modelmon(folder, "config", "check", "m.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_nothing_is_written_over(folder):
    (folder / "credit.parquet").write_bytes(b"mine")
    done = modelmon(folder, *RUNS[0][0].split())
    assert done.returncode == 2
    assert (folder / "credit.parquet").read_bytes() == b"mine"
    assert sorted(path.name for path in folder.iterdir()) == [
        "capture.jsonl",
        "credit.parquet",
        "requests.jsonl",
    ]


@pytest.mark.parametrize(("extra", "code"), [((), 0), (("--strict",), 1)])
def test_a_script_may_insist_on_every_record(folder, extra, code):
    assert modelmon(folder, *RUNS[0][0].split(), *extra).returncode == code


@pytest.mark.parametrize("names", ["income,income", "income,,region"])
def test_names_of_features_must_be_names(folder, names):
    arguments = ("requests.jsonl", "x.parquet", "--format", "kserve", "--features", names)
    assert modelmon(folder, "convert", *arguments).returncode == 2
