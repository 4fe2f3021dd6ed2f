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


def test_there_are_examples_of_every_format():
    assert [re.search(r"--format (\w+)", command)[1] for command, _ in RUNS] == [
        "kserve",
        "sagemaker",
        "records",
        "records",
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
        "inference.jsonl",
        "monitor.jsonl",
        "requests.jsonl",
    ]


@pytest.mark.parametrize(("extra", "code"), [((), 0), (("--strict",), 1)])
def test_a_script_may_insist_on_every_record(folder, extra, code):
    assert modelmon(folder, *RUNS[0][0].split(), *extra).returncode == code


@pytest.mark.parametrize("names", ["income,income", "income,,region"])
def test_names_of_features_must_be_names(folder, names):
    arguments = ("requests.jsonl", "x.parquet", "--format", "kserve", "--features", names)
    assert modelmon(folder, "convert", *arguments).returncode == 2


def test_records_of_others_come_to_rows(folder):
    _, _, inference, monitor = (command.split() for command, _ in RUNS)
    assert modelmon(folder, *inference).returncode == 0
    rows = pq.read_table(folder / "inference.parquet").to_pylist()
    assert [(row["id"], row["income"], row["region"], row["prediction"]) for row in rows] == [
        ("7e1c-0", 52000, "north", 0.91),
        ("7e1c-1", 18000, "south", 0.34),
    ]
    assert modelmon(folder, *monitor).returncode == 0
    (row,) = pq.read_table(folder / "monitor.parquet").to_pylist()
    assert (row["id"], row["prediction"], row["request_id"]) == (None, "a", "9001")
    assert row["event_time"].isoformat() == "2005-06-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "records"), "--event-time"),
        (("--format", "records", "--event-time", "at", "--request", "in"), "--response"),
        (("--format", "kserve", "--request", "in"), "kserve says where they are"),
        (("--format", "records", "--event-time", "at", "--timezone", "Zurich"), "no IANA zone"),
    ],
)
def test_options_that_say_too_little_are_refused(folder, options, said):
    done = modelmon(folder, "convert", "monitor.jsonl", "x.parquet", *options)
    assert (done.returncode, said in done.stderr) == (2, True)
