"""`make demo` runs this command: its story, its re-run, its metrics."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import modelmon

REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return a function that calls modelmon in a copy of the repository's demo."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(REPOSITORY / "demo", folder / "demo")
    shutil.copytree(REPOSITORY / "config", folder / "config")

    def call(*arguments):
        return modelmon(*arguments, cwd=folder, check=True)

    return call


def test_the_demo_tells_its_story(demo, golden):
    told = demo("demo", "--once")
    lines = [line.rstrip() for line in told.stdout.splitlines()]
    golden("demo/summary.txt", "\n".join(lines) + "\n")
    assert "16,000 rows of April and May 2005" in told.stderr
    again = demo("demo", "--once")
    assert again.stdout == told.stdout
    assert "every window had been run before" in again.stderr


def test_the_figures_are_those_of_the_data(demo):
    demo("demo", "--once")
    period = ("--from", "2005-06-01", "--to", "2005-10-01")
    tables = {
        table["title"]: table["rows"]
        for table in json.loads(demo("run", *period, "--output", "json").stdout)
    }
    windows = tables["card-late-payment, window by window (baseline in brackets)"]
    assert [row["flagged rate"] for row in windows] == [
        "18.3% (15.6%)",
        "22.2% (15.6%)",
        "23.6% (15.6%)",
        "30.8% (15.6%)",
    ]
    assert [row["AUC"].split()[0] for row in windows] == ["0.848", "0.864", "0.742", "0.715"]
    assert [row["drifted fields"] for row in windows][:2] == ["none", "none"]
    (new,) = [
        row
        for row in tables["What changed against the baseline"]
        if row["measure"] == "unseen_rate"
    ]
    assert (new["window"], new["what"]) == ("2005-09", "repay_status")
    assert new["then → now"].startswith("0.000 → 0.123; new: '1' (979)")
    apart = next(rows for title, rows in tables.items() if title.startswith("Farthest apart"))
    sex = [float(row["lowest / highest"]) for row in apart if row["by"] == "sex"]
    assert sex == [0.75, 0.78, 0.75, 0.85]


def test_a_baseline_can_be_listed_and_shown(demo):
    demo("demo", "--once")
    (listed,) = json.loads(demo("baseline", "list", "--output", "json").stdout)[0]["rows"]
    assert (listed["state"], listed["rows"], listed["who"]) == (
        "in force",
        "16,000",
        "modelmon demo",
    )
    about, parts, files = json.loads(
        demo("baseline", "show", listed["digest"], "--output", "json").stdout
    )
    assert {"what": "period", "is": "[2005-04-01T00:00:00Z, 2005-06-01T00:00:00Z)"} in about["rows"]
    assert [row["window"] for row in parts["rows"]] == ["2005-04", "2005-05"]
    assert {row["kind"] for row in files["rows"]} == {"log", "labels"}


def test_the_configuration_can_be_checked_shown_and_described(demo):
    assert "card-late-payment: ok" in demo("config", "check").stderr
    assert "model: card-late-payment" in demo("config", "show", "card-late-payment").stdout
    assert json.loads(demo("config", "schema").stdout)["properties"]["model"]
    assert json.loads(demo("config", "schema", "--daemon").stdout)["properties"]["store"]


def test_init_writes_a_file_that_can_be_completed(demo):
    text = demo("init", "demo/taiwan_credit/log", "--model", "mine").stdout
    assert "event_time: event_time" in text
    assert "repay_status" in text


def test_promtool_has_nothing_to_say_on_the_results_of_the_demo(demo, tmp_path):
    demo("demo", "--once")
    page = tmp_path / "demo.prom"
    demo("run", *PERIOD, "--textfile", str(page))
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: install Debian's package prometheus"
    linted = subprocess.run(
        [promtool, "check", "metrics"], input=page.read_bytes(), capture_output=True, check=False
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, b"")
    assert page.read_text().count("\nmodelmon_") > 500


PERIOD = ("--model", "card-late-payment", "--from", "2005-06-01", "--to", "2005-10-01")


def test_the_report_tells_the_same_story_and_can_be_made_again(demo, golden, tmp_path):
    demo("demo", "--once")
    document = json.loads(demo("report", "bias", *PERIOD, "--format", "json").stdout)
    golden("demo/report-summary.txt", "\n".join(document["summary"]) + "\n")
    (version,) = document["versions"]
    education = next(item for item in version["populations"] if item["name"] == "education")
    golden("demo/report-education.json", json.dumps(education, indent=1) + "\n")
    page = tmp_path / "report.html"
    told = demo("report", "bias", *PERIOD, "-o", str(page))
    assert document["summary"][0] in told.stderr
    assert page.read_text() == demo("report", "bias", *PERIOD).stdout
    assert "every number and word" in demo("report", "verify", str(page)).stderr


def test_a_report_is_linked_to_the_one_before_and_says_what_changed(demo, tmp_path):
    demo("demo", "--once")
    model = ("--model", "card-late-payment")
    august, september = tmp_path / "august.html", tmp_path / "september.json"
    before = ("--from", "2005-08-01", "--to", "2005-09-01")
    demo("report", "bias", *model, *before, "-o", str(august))
    digest = json.loads(demo("report", "bias", *model, *before, "--format", "json").stdout)[
        "digest"
    ]
    now = ("--from", "2005-09-01", "--to", "2005-10-01")
    demo("report", "bias", *model, *now, "--previous", str(august), "-o", str(september))
    document = json.loads(september.read_text())
    assert document["identity"]["before"]["digest"] == digest
    moved = [item for item in document["since"]["moved"] if item["population"] == "sex"]
    assert [(item["before"], item["now"]) for item in moved] == [
        ("suspected", "review"),
        ("breach", "review"),
    ]
    assert "every number and word" in demo("report", "verify", str(september)).stderr
    unnamed = json.loads(demo("report", "bias", *model, *now, "--format", "json").stdout)
    assert unnamed["identity"]["before"]["digest"] == ""
    assert unnamed["since"] == document["since"]
    august.write_text(august.read_text().replace("suspected", "within", 1))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        demo("report", "bias", *model, *now, "--previous", str(august))
    assert "cannot be the report before" in refused.value.stderr


def test_a_report_that_was_changed_is_refused(demo, tmp_path):
    demo("demo", "--once")
    page = tmp_path / "report.html"
    demo("report", "bias", *PERIOD, "-o", str(page))
    page.write_text(page.read_text().replace("1,579 of 5,300", "1,079 of 5,300"))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        demo("report", "verify", str(page), "--output", "json")
    assert refused.value.returncode == 1
    differences = json.loads(refused.value.stdout)["differences"]
    assert differences
    assert all("1,579 of 5,300" in item["store"] for item in differences)
