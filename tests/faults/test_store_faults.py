"""A store that fails at any point has written all of a run, or nothing of it."""

import pickle
import signal
import subprocess
import sys

import pytest
from msgspec.structs import replace
from sqlalchemy import event, func, select

from monitor.domain.quarantine import drop
from monitor.engine.pruning import Pruning
from monitor.engine.retention import carried_out
from monitor.store.audit_store import AuditStore
from monitor.store.connection import connect_lazily, database_url
from monitor.store.schema import SchemaStatus, check, migrate, upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import METADATA
from tests.stored import (
    DAY,
    FIRST,
    a_baseline,
    a_failure,
    a_filled,
    a_policy,
    a_quarantined,
    a_run,
    a_window,
)


class BrokenError(Exception):
    """What the listener raises: no error that the store could know."""


@pytest.fixture
def url(tmp_path):
    found = f"sqlite:///{tmp_path / 'modelmon.db'}"
    upgrade(found)
    return found


def rows_of(url):
    """Return how many rows each table has, read over a fresh connection."""
    store = SqlStore(url)
    with store._engine.connect() as connection:
        counts = {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in METADATA.sorted_tables
        }
    store.close()
    return counts


def break_at(engine, statement):
    """Raise before the given statement (from 1) is executed; return the statements seen."""
    seen = []

    def listen(_connection, _cursor, text, *_):
        seen.append(text)
        if len(seen) == statement:
            raise BrokenError(text)

    event.listen(engine, "before_cursor_execute", listen)
    return seen


def break_at_commit(engine):
    def listen(_connection):
        raise BrokenError("commit")

    event.listen(engine, "commit", listen)


def commit(store):
    store.commit(a_run(1, policy="policy-2"), a_policy("policy-2"))


def register(store):
    store.register(a_baseline("3"))


def fail(store):
    store.fail(a_failure())


def note(store):
    store.note([a_quarantined("a.parquet"), drop(a_quarantined(), "ada", "sent again")])


def commit_with_files(store):
    store.commit(a_run(1), a_policy(), [a_quarantined("a.parquet"), a_quarantined("b.parquet")])


def prune(store):
    store.prune(Pruning("credit", a_window().end, frozenset(), FIRST + DAY), 12)


WRITES = [commit, register, fail, note, commit_with_files, prune]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_fails_at_any_statement_leaves_nothing(url, write):
    store = a_filled(SqlStore(url), days=1)
    store.note([a_quarantined()])
    store.close()
    before = rows_of(url)
    broken = 0
    while True:
        store = SqlStore(url)
        seen = break_at(store._engine, broken + 1)
        try:
            write(store)
        except BrokenError:
            broken += 1
            store.close()
            assert rows_of(url) == before, f"after {seen[-1]}"
        else:
            store.close()
            break
    assert broken == len(seen) >= 2
    assert rows_of(url) != before


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_fails_at_its_commit_leaves_nothing_and_succeeds_later(url, write):
    store = a_filled(SqlStore(url), days=1)
    store.note([a_quarantined()])
    store.close()
    before = rows_of(url)
    store = SqlStore(url)
    break_at_commit(store._engine)
    with pytest.raises(BrokenError):
        write(store)
    assert rows_of(url) == before
    store.close()
    store = SqlStore(url)
    write(store)
    store.close()
    assert rows_of(url) != before


def test_a_run_that_contradicts_itself_leaves_nothing(url):
    store = a_filled(SqlStore(url), days=1)
    before = rows_of(url)
    run = a_run(1)
    twice = replace(run, readings=run.readings * 2)
    with pytest.raises(ValueError, match="is there twice"):
        store.commit(twice, a_policy())
    assert rows_of(url) == before
    store.close()


def test_an_upgrade_that_fails_at_any_statement_leaves_no_schema(tmp_path):
    url = f"sqlite:///{tmp_path / 'new.db'}"
    for broken in range(1, 200):
        engine = connect_lazily(database_url(url))
        seen = break_at(engine, broken)
        try:
            migrate(engine)
        except BrokenError:
            assert check(url).status is SchemaStatus.MISSING, f"after {seen[-1]}"
        else:
            break
        finally:
            engine.dispose()
    assert broken == len(seen) + 1 > 10
    assert check(url).status is SchemaStatus.CURRENT


KILLED = """
import os, pickle, signal, sys
from sqlalchemy import event
from monitor.store.sql import SqlStore

url, task, moment = sys.argv[1:]
with open(task, "rb") as file:
    run, policy = pickle.load(file)
store = SqlStore(url)
seen = []


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def count(connection, cursor, statement, *_):
    seen.append(statement)
    if moment == "before INSERT INTO modelmon_findings" and statement.startswith(moment[7:]):
        die()


def after(connection, cursor, statement, *_):
    if moment.startswith("after") and statement.startswith(moment[6:]):
        die()


event.listen(store._engine, "before_cursor_execute", count)
event.listen(store._engine, "after_cursor_execute", after)
if moment == "at commit":
    event.listen(store._engine, "commit", die)
store.commit(run, policy)
if moment == "once committed":
    die()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "kept"),
    [
        ("after BEGIN", False),
        ("after INSERT INTO modelmon_runs", False),
        ("after INSERT INTO modelmon_profiles", False),
        ("before INSERT INTO modelmon_findings", False),
        ("after INSERT INTO modelmon_findings", False),
        ("at commit", False),
        ("once committed", True),
    ],
)
def test_a_killed_process_leaves_all_or_nothing(url, tmp_path, moment, kept):
    store = a_filled(SqlStore(url), days=1)
    before = rows_of(url)
    run = a_run(1)
    task = tmp_path / "task.pickle"
    task.write_bytes(pickle.dumps((run, a_policy())))
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, url, task, moment], check=False, timeout=120
    )
    assert ended.returncode == -signal.SIGKILL
    assert (rows_of(url) != before) is kept
    # Started again, the daemon commits what it did not know to be committed.
    assert store.commit(run, a_policy()).new is not kept
    assert store.run("credit", run.window) == run
    assert store.counts("credit").completed == 2
    store.close()


PRUNING_KILLED = """
import os, pickle, signal, sys
from sqlalchemy import event
from monitor.engine.retention import carried_out
from monitor.store.sql import SqlStore

url, task, statements = sys.argv[1:]
with open(task, "rb") as file:
    pruning = pickle.load(file)
store = SqlStore(url)
left = [int(statements)]


def count(*_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)


event.listen(store._engine, "before_cursor_execute", count)
carried_out(store, pruning, lambda: True)
"""


@pytest.mark.slow
def test_a_killed_prune_leaves_whole_windows_and_the_next_one_goes_on(url, tmp_path):
    """Killed in the first transaction and in later ones; then it is done to its end."""
    store = a_filled(SqlStore(url), days=30)
    pruning = Pruning("credit", a_window(27).end, frozenset({a_window(26)}), FIRST + DAY)
    task = tmp_path / "task.pickle"
    task.write_bytes(pickle.dumps(pruning))
    ends = []
    for statements in (90, 150, 150):
        ended = subprocess.run(
            [sys.executable, "-c", PRUNING_KILLED, url, task, str(statements)],
            check=False,
            timeout=120,
        )
        assert ended.returncode == -signal.SIGKILL
        ends.append(until := store.pruned_until("credit"))
        for head in store.heads("credit").values():
            gone = until is not None and head.window.end <= until
            assert (head.pruned is not None) is gone
            if not gone:
                assert store.run("credit", head.window) is not None
        audit = AuditStore(url)
        assert audit.compared() == []
        audit.close()
    assert ends[0] is None
    assert None not in ends[1:]
    carried_out(store, pruning, lambda: True)
    assert store.pruned_until("credit") == a_window(27).end
    assert rows_of(url)["modelmon_readings"] == 30
    store.close()
