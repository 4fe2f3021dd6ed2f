"""The n-th operation of the store fails, for every n of a whole check: all is as if it had not.

A check here is what the daemon does for a model when it is due: it takes files into quarantine, runs
several windows, stores each with its findings, and puts the results on the metrics page.
"""

import logging
import re

import pytest

from tests.e2e.deployment import make_deployment, register
from tests.e2e.test_killed_at_every_step import OnPostgres, OnSqlite, found
from tests.faults.in_process import Broken, running

pytestmark = pytest.mark.slow

OF_THE_FAULT = re.compile(
    r"(check_run_failures|check_errors|log_messages|lease_|leader|process_|python_|results_exported"
    r"|config_|clock_|scheduler_|store_|fenced_|check_runs|check_last_|files_quarantined_oldest"
    r"|alert_started)"
)
"""Series on the fault itself, on the process, and times of day."""


def shown(daemon):
    """Return what the page says of the model's data."""
    series = daemon.series()
    return {name: value for name, value in series.items() if not OF_THE_FAULT.match(name)}


def told(daemon):
    """Return how often the page says that something went wrong with the store."""
    series = daemon.series()
    failures = series.get('check_run_failures_total{model="credit",reason="StoreError"}', 0)
    return failures + series['check_errors_total{model="credit"}']


def stored(url):
    """Return runs, and rows by table, but for failures and their records in the audit log."""
    runs, rows = found(url)
    rows["modelmon_audit_records"] -= rows.pop("modelmon_failures")
    return runs, rows


@pytest.fixture
def database(request, tmp_path):
    if request.param == "postgresql":
        return OnPostgres(request.getfixturevalue("postgres_server"))
    return OnSqlite(tmp_path)


@pytest.fixture
def deployment(database, windows, tmp_path):
    made = make_deployment(tmp_path, days=4 + windows, store=database.url)
    register(made)
    (tmp_path / "log" / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    database.keep()
    return made


def telling(operations):
    """Return the numbers, from 1, of all operations of transactions that write, and of others' last.

    A transaction that only reads ends in the same way wherever it fails: nothing is there to take
    back, and whoever asked for it is told the same.
    """
    found, transaction = set(), []
    for number, name in [*enumerate(operations, 1), (0, "BEGIN")]:
        if name.startswith("BEGIN"):
            writes = any(not each.startswith(("BEGIN", "SELECT")) for _, each in transaction)
            found.update(each for each, _ in (transaction if writes else transaction[-1:]))
            transaction = []
        transaction.append((number, name))
    return found


def test_a_transaction_that_only_reads_is_told_by_its_last_operation():
    reads, writes = (
        ["BEGIN", "SELECT a", "SELECT b"],
        ["BEGIN IMMEDIATE", "SELECT a", "INSERT INTO a"],
    )
    assert telling([*reads, *writes, "COMMIT", *reads]) == {3, 4, 5, 6, 7, 10}


@pytest.mark.parametrize(
    ("database", "windows", "lasting", "stride"),
    # Every operation that tells something once; where a window has gone before, where the same ones
    # fail for good, and on the other database, some of all.
    [
        ("sqlite", 1, False, None),
        ("sqlite", 2, False, 13),
        ("sqlite", 1, True, 9),
        ("postgresql", 1, False, 9),
    ],
    indirect=["database"],
    ids=["sqlite", "sqlite, two windows", "sqlite, from then on", "postgresql"],
)
def test_an_operation_that_fails_loses_nothing_doubles_nothing_and_is_told(
    database, windows, deployment, lasting, stride, caplog
):
    with running(deployment.config) as daemon:
        with Broken(daemon.engine, 0) as counted:
            assert daemon.check() is None
        page = shown(daemon)
        assert told(daemon) == 0
    undisturbed = stored(database.url)
    assert len(undisturbed[0]) == windows
    assert {"COMMIT", "INSERT INTO modelmon_quarantine"} <= set(counted.operations)

    every = range(1, len(counted.operations) + 1)
    for number in every[::stride] if stride else sorted(telling(counted.operations)):
        name = counted.operations[number - 1]
        database.begin_again()
        caplog.clear()
        with running(deployment.config) as daemon:
            with Broken(daemon.engine, number, lasting=lasting) as broken:
                error = daemon.check()
                daemon.follow()
            assert broken.operations[number - 1] == name
            runs, _ = stored(database.url)
            assert runs == undisturbed[0][: len(runs)], (number, name)
            assert told(daemon) >= 1, (number, name)
            logged = [each for each in caplog.records if each.levelno >= logging.ERROR]
            assert error or any("the disk has a hole" in each.getMessage() for each in logged)
            assert daemon.answer("/-/healthy") == daemon.answer("/-/ready") == 200

            assert daemon.check() is None, (number, name)
            daemon.follow()
            assert stored(database.url) == undisturbed, (number, name)
            assert shown(daemon) == page, (number, name)
