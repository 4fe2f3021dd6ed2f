"""A daemon that is killed at any step of a run: the next one goes on, and nothing is doubled."""

import json
import shutil
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from monitor.store.sql import SqlStore
from monitor.store.tables import METADATA
from tests.e2e.deployment import make_deployment, register

pytestmark = pytest.mark.slow

START = datetime(2024, 1, 1, tzinfo=UTC)
ASKED_AGAIN = {"modelmon_leases", "modelmon_changes"}
"""Tables that tell how often a daemon asked, and not what it found."""

WRITING = ("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE", "SET LOCAL", "COMMIT")
"""How the steps begin that change the database, or lock it."""


class Zygote:
    """Starts daemons in no time."""

    def __init__(self, process, deployment, folder):
        self._process = process
        self._deployment = deployment
        self._log = folder / "daemons.log"

    def run(self, **environment):
        """Run a daemon until its first check as leader has ended; return its exit code.

        The next one waits for the lease of one that is killed. Others keep theirs until they stop,
        however slow the machine is: what a daemon records as it stops it records as leader.
        """
        told = {"ONCE": ""} | ({"LEASE": "0.3"} if "DIE_AT" in environment else {}) | environment
        arguments = ["--config", str(self._deployment.config), "serve", "--port", "0"]
        self._process.stdin.write(json.dumps([arguments, told, str(self._log)]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    @property
    def log(self):
        return self._log.read_text()


@contextmanager
def zygote(deployment, folder):
    command = [sys.executable, "-m", "tests.e2e.wayward"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Zygote(process, deployment, folder)
        process.stdin.close()
    assert process.returncode == 0


def found(url):
    """Return all that is stored, but for the times of day."""
    with closing(SqlStore(url)) as store:
        runs = [
            (head.revision, replace(store.run("credit", window), started=START, finished=START))
            for window, head in store.heads("credit").items()
        ]
    return runs, rows(url)


def rows(url):
    """Return how many rows each table has."""
    names = [each.name for each in METADATA.sorted_tables if each.name not in ASKED_AGAIN]
    counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in names)  # noqa: S608  # our own
    with closing(SqlStore(url)) as store, store._engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {counts}").one()
    return dict(zip(names, found, strict=True))


class OnSqlite:
    """Copies of a file, under the same name."""

    def __init__(self, folder):
        self.url = f"sqlite:///{folder / 'modelmon.db'}"
        self._file, self._kept = folder / "modelmon.db", folder / "kept.db"

    def keep(self):
        shutil.copy(self._file, self._kept)

    def begin_again(self):
        for name in ("modelmon.db-wal", "modelmon.db-shm"):
            self._file.with_name(name).unlink(missing_ok=True)
        shutil.copy(self._kept, self._file)


class OnPostgres:
    """Copies of a database, under the same name."""

    def __init__(self, server):
        self.url = server.new_database()
        self._server = server
        self._name = self.url.partition("@/")[2].partition("?")[0]

    def keep(self):
        self._server.new_database(self._name, named=f"{self._name}_kept")

    def begin_again(self):
        self._server.drop(self._name)
        self._server.new_database(f"{self._name}_kept", named=self._name)


def telling(steps):
    """Return the numbers, from 1, of all steps that write, and of the reads next to one.

    A read leaves nothing behind. What comes after a death before one read of a row, or before the
    next, finds the same; so the first and the last of each row stand for all. That a read leaves
    nothing behind is seen at some of the others.
    """
    writes = [step.startswith(WRITING) for step in steps]
    before, after = (True, *writes[:-1]), (*writes[1:], True)
    return {n for n, near in enumerate(zip(writes, before, after, strict=True), 1) if any(near)}


def test_what_comes_after_is_told_by_writes_and_by_both_ends_of_a_row_of_reads():
    steps = ["heads", "SELECT a", "SELECT b", "INSERT INTO a", "COMMIT", "SELECT c", "SELECT d"]
    assert telling([*steps, "SELECT e"]) == {1, 3, 4, 5, 6, 8}


@pytest.mark.parametrize(
    ("kind", "stride", "every"),
    # Each step that tells something where several daemons may share the database; of the same steps,
    # some on the other.
    [("sqlite", 11, False), ("postgresql", 9, True)],
)
def test_killed_at_any_step_of_a_run_it_goes_on_and_nothing_is_lost_or_doubled(
    kind, stride, every, tmp_path, request
):
    database = (
        OnSqlite(tmp_path)
        if kind == "sqlite"
        else OnPostgres(request.getfixturevalue("postgres_server"))
    )
    deployment = make_deployment(tmp_path, days=5, store=database.url)
    register(deployment)
    (tmp_path / "log" / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    database.keep()
    names = tmp_path / "steps.txt"
    with zygote(deployment, tmp_path) as daemons:
        assert daemons.run(STEPS=str(names)) == 0, daemons.log
        undisturbed = found(database.url)
        steps = names.read_text().splitlines()
        assert {"survey", "scan", "commit", "INSERT INTO modelmon_runs", "COMMIT"} <= set(steps)
        assert [revision for revision, _ in undisturbed[0]] == [1]
        assert undisturbed[1]["modelmon_quarantine"] == 1
        database.begin_again()
        begun, gone_on = rows(database.url), []
        numbers = set(range(1, len(steps) + 1, stride)) | (telling(steps) if every else set())
        for number in sorted(numbers):
            name = steps[number - 1]
            killed = daemons.run(DIE_AT=str(number))
            if killed == 0:  # so slow that its short lease lapsed before: it stopped earlier
                database.begin_again()
                killed = daemons.run(DIE_AT=str(number), LEASE="30")
            assert killed == -signal.SIGKILL, (number, name, daemons.log)
            left = rows(database.url)
            if left not in gone_on or number in telling(steps):
                gone_on.append(left)
                assert daemons.run() == 0, (number, name, daemons.log)
                assert found(database.url) == undisturbed, (number, name)
                left = None
            if left != begun:
                database.begin_again()
        recorded = undisturbed[1]["modelmon_audit_records"]
        killed_last = {**undisturbed[1], "modelmon_audit_records": recorded - 1}  # but for its end
        assert killed_last in gone_on and begun in gone_on
