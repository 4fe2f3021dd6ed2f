"""The real process: late files and labels make new revisions by themselves."""

import sqlite3
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.deployment import get, make_deployment, register, samples, wait_for, write_day
from tests.e2e.test_daemon import runs, series

pytestmark = pytest.mark.slow

LABELS = (
    "source: {path: ../log, event_time: at, id: id, labels: {path: ../labels, id: id, time: known}}"
)


def revisions(deployment, day):
    return sorted(run[2] for run in runs(deployment) if f"2024-01-{day:02}" in run[1])


def write_labels(folder, day, rows=600):
    rng = np.random.default_rng(day)
    table = {
        "id": [f"202401{day:02}-{row}" for row in range(rows)],
        "late": rng.integers(0, 2, rows),
        "known": pa.array(
            [datetime(2024, 1, day, tzinfo=UTC) + timedelta(days=1)] * rows,
            pa.timestamp("us", "UTC"),
        ),
    }
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(table), folder / f"{day:02}.parquet")


def labelled(folder):
    """Lay out a deployment whose labels come in a table of their own, a day later."""
    deployment = make_deployment(folder)
    model = folder / "models" / "credit.yaml"
    text = model.read_text().replace("source: {path: ../log, event_time: at, id: id}", LABELS)
    model.write_text(text + "label: {column: late, positive: [1], negative: [0]}\n")
    for day in range(1, 5):
        write_labels(folder / "labels", day)
    register(deployment)
    return deployment


def aucs(deployment, day):
    query = """
        select run.revision, reading.value, reading.absence from modelmon_runs as run
        join modelmon_readings as reading on reading.run = run.id
        where reading.measure = 'auc_drop' and run.window_start like ? order by run.revision
    """
    with sqlite3.connect(deployment.database) as connection:
        return connection.execute(query, (f"2024-01-{day:02}%",)).fetchall()


def test_a_late_file_is_found_by_the_running_daemon_and_survives_its_restart(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    with deployment.daemon() as (process, _, log):
        wait_for(lambda: len(runs(deployment)) == 4, process, log)
        write_day(tmp_path / "log" / "late.parquet", datetime(2024, 1, 6, tzinfo=UTC), rows=90)
        wait_for(lambda: revisions(deployment, 6) == [1, 2], process, log)
    before = sorted(runs(deployment))
    with deployment.daemon() as (process, address, log):
        name = 'modelmon_closed_windows_changed{model="credit"}'
        wait_for(lambda: series(address, name), process, log)
        assert series(address, name) == {name: 0}
    assert sorted(runs(deployment)) == before
    assert len(before) == 5


def test_labels_that_arrive_a_day_later_bring_the_auc(tmp_path):
    deployment = labelled(tmp_path)
    with deployment.daemon() as (process, _, log):
        wait_for(lambda: len(runs(deployment)) == 4, process, log)
        assert [absence for _, _, absence in aucs(deployment, 5)] == ["no_labels"]
        write_labels(tmp_path / "labels", 5)
        wait_for(lambda: revisions(deployment, 5) == [1, 2], process, log)
        write_labels(tmp_path / "labels", 6)
        wait_for(lambda: revisions(deployment, 6) == [1, 2], process, log)
    (_, first, waiting), (_, second, absence) = aucs(deployment, 5)
    assert (first, waiting) == (None, "no_labels")
    assert absence is None and abs(second) < 0.2
    assert revisions(deployment, 5) == [1, 2]  # the labels of the 6th were none of its
    assert "0 windows, 0 with new results" in deployment.call("run").stderr
    assert len(runs(deployment)) == 6


def test_what_is_too_late_is_named_and_counted_and_changes_nothing(tmp_path):
    deployment = make_deployment(tmp_path)
    model = tmp_path / "models" / "credit.yaml"
    model.write_text(model.read_text().replace("window: day,", "window: day, reopen: 0s,"))
    register(deployment)
    deployment.call("run")
    write_day(tmp_path / "log" / "late.parquet", datetime(2024, 1, 5, tzinfo=UTC), rows=90)
    done = deployment.call("run")
    assert "0 windows" in done.stderr
    assert "changed and not run again" in done.stdout and "late.parquet" in done.stdout
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: series(address, "modelmon_late_files"), process, log)
        shown = samples_of(address)
        assert shown['modelmon_late_files{model="credit"}'] == 1
        assert shown['modelmon_closed_windows_changed{model="credit"}'] == 1
        wait_for(lambda: "keeps its result" in log.read_text(), process, log)
    assert revisions(deployment, 5) == [1]


def samples_of(address):
    return samples(get(f"{address}/metrics")[1])


def test_a_back_fill_in_any_order_with_late_files_gives_the_same_store(tmp_path):
    found = []
    for name, days in (("forwards", (5, 6, 7, 8)), ("backwards", (8, 6, 7, 5))):
        deployment = make_deployment(tmp_path / name)
        register(deployment)
        late = tmp_path / name / "log" / "late.parquet"
        write_day(late, datetime(2024, 1, 6, tzinfo=UTC), rows=90)
        for day in days:
            deployment.call("run", "--from", f"2024-01-0{day}", "--to", f"2024-01-0{day + 1}")
        with sqlite3.connect(deployment.database) as connection:
            found.append(
                connection.execute(
                    "select run.window_start, run.revision, run.accounting, reading.position, "
                    "reading.measure, reading.value from modelmon_runs as run "
                    "join modelmon_readings as reading on reading.run = run.id order by 1, 2, 4"
                ).fetchall()
            )
    assert found[0] == found[1]
