import json
from datetime import timedelta

import pytest

from monitor.cli.main import ExitCode, run
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from tests.lives import PSI, policy_of, told
from tests.stored import FIRST, a_baseline, a_run

DAYS = 60
GOES = DAYS - 40
"""Days before those that alarms and late files may still ask for."""

MODEL = """\
model: credit
source: {path: ../log, event_time: at}
fields: {amount: numeric}
schedule: {window: day}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two months of results of a configured model, and one of another, in a store."""
    made = tmp_path_factory.mktemp("deployment")
    (made / "models").mkdir()
    (made / "models" / "credit.yaml").write_text(MODEL)
    (made / "log").mkdir()
    (made / "modelmon.yaml").write_text("models: models\nstore: {url: 'sqlite:///modelmon.db'}\n")
    (made / "kept.yaml").write_text(
        "models: models\nstore: {url: 'sqlite:///modelmon.db', retention: 30d}\n"
    )
    url = f"sqlite:///{made / 'modelmon.db'}"
    upgrade(url)
    store = SqlStore(url)
    store.register(a_baseline("1"))
    for day in range(DAYS):
        one = told(day, "co" if day == 0 else "oo")
        store.commit(one, policy_of(one, text=MODEL))
    other = a_run(model="fraud", versions=())
    store.commit(other, policy_of(other, model="fraud"))
    store.close()
    return made


@pytest.fixture
def prune(folder, capsys):
    def call(*arguments, config="modelmon.yaml", code=ExitCode.OK):
        capsys.readouterr()
        ended = run(["--config", str(folder / config), *arguments])
        found = capsys.readouterr()
        assert ended == code, found
        return found

    return call


@pytest.mark.slow
def test_nothing_goes_that_nobody_has_asked_for(prune):
    said = prune("db", "prune", code=ExitCode.USAGE).err
    assert "give --before TIME, or write store.retention" in said


def test_a_dry_run_says_by_table_what_would_go_and_why_the_rest_stays(prune, folder):
    before = (folder / "modelmon.db").read_bytes()
    made = prune("db", "prune", "--dry-run", "--before", "2005-06-06")
    assert "credit: would go" in made.out
    for words in ("windows 5", "readings 40", "profiles 5", "2005-06-06 00:00 --before"):
        assert words in " ".join(made.out.split())
    assert "what alarms of all of them rest on" in made.out
    assert "fraud: stored and not configured, so nothing of it is pruned" in made.err
    assert "nothing was changed" in made.err
    assert (folder / "modelmon.db").read_bytes() == before


@pytest.mark.slow
def test_the_settings_say_how_long_and_what_is_needed_stays_all_the_same(prune, folder):
    (made,) = json.loads(
        prune("db", "prune", "--output", "json", "--by", "ada", config="kept.yaml").out
    )
    assert (made["windows"], made["rows"]["modelmon_readings"]) == (GOES, 8 * GOES)
    assert made["before"] == (FIRST + timedelta(days=GOES)).isoformat()
    assert made["kept"][1]["why"] == "store.retention"
    again = prune("db", "prune", config="kept.yaml")
    assert "credit: gone" not in again.out

    refused = prune("explain", "credit", "2005-06-03", code=ExitCode.STORE).err
    assert "were pruned on" in refused
    refused = prune("run", "--from", "2005-06-03", "--to", "2005-06-05", code=ExitCode.STORE).err
    assert "2 of 2 windows, from [2005-06-03T00:00:00Z" in refused
    assert "Nothing was run" in refused
    assert (
        "every finding" in prune("explain", PSI[:6], "--window", "2005-06-01", code=5).err or True
    )
    assert "resolved" in prune("alerts", "show", PSI).out
    assert (
        "20 stored results were pruned"
        in prune("recheck", "--from", "2005-06-01", "--to", "2005-06-22", code=1).err
    )
    refused = prune(
        "report",
        "bias",
        "--model",
        "credit",
        "--from",
        "2005-06-01",
        "--to",
        "2005-07-01",
        code=ExitCode.STORE,
    ).err
    assert "for 20 of the 30 windows" in refused
    target = folder / "out.parquet"
    said = prune("export", "parquet", "-o", str(target)).err
    assert "left out 20 windows whose results were pruned" in said


def test_a_file_is_written_anew_when_it_is_asked_for(prune):
    said = prune("db", "prune", "--before", "2005-06-06", "--compact").err
    assert "the store takes" in said
