"""Several real daemons on one real database: one leads, whatever dies, sleeps or is mistaken."""

import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from monitor.store.sql import SqlStore
from monitor.store.tables import LEASES
from tests.commands import Command
from tests.e2e.deployment import (
    PATIENCE,
    get,
    is_stopped,
    make_deployment,
    register,
    samples,
    wait_for,
    write_day,
)
from tests.postgres_server import running

pytestmark = pytest.mark.slow

LEASE = "lease: {ttl: 3s}\n"
"""Soon over: what waits for its end waits for little."""
LASTING = "lease: {ttl: 30s}\n"
"""Not over because a machine is slow."""
WAYWARD = "tests.e2e.wayward"
HOURS = 5 * 3600


def series(address, name):
    """Return the one series of a name; None when it is not there."""
    return samples(get(f"{address}/metrics")[1]).get(f"modelmon_{name}")


def leads(address):
    return series(address, "leader") == 1


def stands_by(address):
    return series(address, "leader") == 0


def shows(address, window):
    """Return whether a page shows the results of a window, by its last day."""
    end = datetime.fromisoformat(window).replace(tzinfo=UTC) + timedelta(days=1)
    name = 'window_end_timestamp_seconds{model="credit"}'
    return series(address, name) == end.timestamp()


_OPENED = {}


@pytest.fixture(autouse=True)
def _closed():
    yield
    while _OPENED:
        _OPENED.popitem()[1].close()


def opened(url):
    """Return the store, opened once for each test: what is waited for is asked for again and again."""
    if url not in _OPENED:
        _OPENED[url] = SqlStore(url)
    return _OPENED[url]


def results(url):
    """Return each window's results with their revisions, but for the times of day."""
    store = opened(url)
    return {
        window: [(each.number, each.identity) for each in store.revisions("credit", window)]
        for window in store.heads("credit")
    }


def judged(url):
    """Return how many windows have results."""
    return len(opened(url).heads("credit"))


def lease(url):
    """Return the lease as it is stored, its times by the clock of the database."""
    with opened(url)._engine.connect() as connection:
        return connection.execute(select(LEASES)).one()


def deployed(folder, url="", days=8, settings=LEASE):
    """Return a deployment, and the results that a command on its own has of the same logs."""
    deployment = make_deployment(folder, days=days, settings=settings)
    register(deployment)
    deployment.call("run")
    expected = results(f"sqlite:///{deployment.database}")
    assert len(expected) == days - 4
    own = url or f"sqlite:///{folder / 'new.db'}"
    deployment.config.write_text(
        f"models: models\nstore: {{url: '{own}'}}\ncheck_every: 1s\n{settings}"
    )
    deployment.call("db", "upgrade")
    register(deployment)
    return deployment, expected


def test_one_leads_the_other_shows_the_same_and_takes_over_at_once_when_told(
    tmp_path, postgres_url
):
    deployment, _ = deployed(tmp_path, postgres_url, settings=LASTING)
    with deployment.daemon() as (first, one, log), deployment.daemon() as (second, two, other_log):
        assert leads(one) and stands_by(two)
        assert get(f"{two}/-/ready")[0] == get(f"{two}/-/healthy")[0] == 200
        wait_for(lambda: shows(two, "2024-01-08"), second, other_log)
        drift = re.compile(r"^modelmon_feature_drift_score\{.*$", re.MULTILINE)
        pages = [sorted(drift.findall(get(f"{each}/metrics")[1])) for each in (one, two)]
        assert pages[0] == pages[1] != []
        assert series(one, "lease_term") == series(two, "lease_term") == 1
        before = lease(postgres_url)
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE) == 0
        wait_for(lambda: leads(two), second, other_log)
        assert lease(postgres_url).acquired < before.expires, "it waited for the end of the lease"
        assert series(two, "lease_term") == 2
        assert series(two, "lease_takeovers_total") == 1
    assert "standing by" in other_log.read_text()
    assert "Traceback" not in log.read_text() + other_log.read_text()


def test_whoever_leads_is_killed_again_and_again_and_every_window_has_one_result(
    tmp_path, postgres_url
):
    pauses = iter(random.Random(20240101).choices(range(200), k=99))  # noqa: S311
    kills = 0
    deployment, expected = deployed(tmp_path, postgres_url, days=34)
    with ExitStack() as stack:

        def start():
            log = stack.enter_context((tmp_path / f"{time.monotonic_ns()}.log").open("w"))
            told = ("--config", str(deployment.config), "serve", "--port", "0")
            process = Command(*told, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process.pid, process

        replicas = dict(start() for _ in range(3))
        while (before := judged(postgres_url)) < len(expected):
            wait_for(lambda before=before: judged(postgres_url) > before)
            time.sleep(next(pauses) / 1000)
            if judged(postgres_url) == len(expected):
                break
            leader = lease(postgres_url).holder
            replicas.pop(pid_of(leader)).kill()
            kills += 1
            replicas |= [start()]
            wait_for(lambda leader=leader: lease(postgres_url).holder != leader)
            assert pid_of(lease(postgres_url).holder) in replicas
    assert kills >= 5, kills
    assert results(postgres_url) == expected
    assert {number for each in expected.values() for number, _ in each} == {1}


def pid_of(name):
    return int(name.split(":")[1])


@pytest.mark.parametrize("step", ["commit", "INSERT INTO modelmon_findings"])
def test_a_leader_that_is_paused_beyond_its_lease_is_refused_and_stands_by(
    step, tmp_path, postgres_url
):
    deployment, expected = deployed(tmp_path, postgres_url)
    flag = tmp_path / "pause"
    wayward = {"PAUSE_BEFORE": step, "PAUSE_WHEN": str(flag)}
    with deployment.daemon(program=WAYWARD, **wayward) as (paused, one, log):
        assert leads(one)
        flag.touch()
        wait_for(lambda: is_stopped(paused.pid))
        assert results(postgres_url) == {}
        with deployment.daemon(program=WAYWARD) as (process, two, other_log):
            wait_for(lambda: results(postgres_url) == expected, process, other_log)
            assert leads(two)
            paused.send_signal(signal.SIGCONT)
            wait_for(lambda: series(one, "fenced_writes_total") == 1, paused, log)
            wait_for(lambda: stands_by(one), paused, log)
            wait_for(lambda: shows(one, "2024-01-08"), paused, log)
            assert series(one, "lease_term") == 2
            process.kill()
            wait_for(lambda: leads(one), paused, log)
    assert results(postgres_url) == expected
    assert opened(postgres_url).counts("credit").failed == {}
    assert re.search(r"refused: term 1 of \S+ is over and \S+ leads in term 2", log.read_text())
    assert "no longer leading" in log.read_text()


HOURLY = """\
model: credit
source: {{path: ../log, event_time: at, id: id}}
fields:
  amount: numeric
  score: {{role: score, kind: numeric}}
decision: {{column: approved, positive: [true], positive_is: favourable}}
schedule: {{window: hour, start: {start}}}
"""


def test_clocks_that_are_hours_off_neither_take_the_lease_nor_judge_a_window_early(
    tmp_path, postgres_url
):
    deployment = make_deployment(tmp_path, days=0, store=postgres_url, settings=LEASE)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # noqa: TID251
    start = hour - timedelta(hours=3)
    model = tmp_path / "models" / "credit.yaml"
    model.write_text(HOURLY.format(start=f"{start:%Y-%m-%dT%H:%M:%SZ}"))
    write_day(tmp_path / "log" / "rows.parquet", hour - timedelta(hours=24), rows=20_000)
    write_day(tmp_path / "log" / "more.parquet", hour, rows=20_000)
    period = (f"{hour - timedelta(hours=20):%Y-%m-%dT%H:%M}", f"{start:%Y-%m-%dT%H:%M}")
    deployment.call(
        *("baseline", "register", "credit", "--from", period[0], "--to", period[1], "--why", "x")
    )
    fast, slow = {"CLOCK_OFF": str(HOURS)}, {"CLOCK_OFF": str(-HOURS)}
    with (
        deployment.daemon(program=WAYWARD, **slow) as (process, one, log),
        deployment.daemon(program=WAYWARD, **fast) as (other, two, other_log),
    ):
        wait_for(lambda: judged(postgres_url) >= 3, process, log)
        assert leads(one) and stands_by(two)
        assert series(one, "clock_skew_seconds") == pytest.approx(HOURS, abs=60)
        assert series(two, "clock_skew_seconds") == pytest.approx(-HOURS, abs=60)
        process.kill()
        process.wait(PATIENCE)
        before = lease(postgres_url)
        wait_for(lambda: leads(two), other, other_log)
        after = lease(postgres_url)
        assert before.expires <= after.acquired < before.expires + timedelta(minutes=5)
        ahead = series(two, "scheduler_heartbeat_timestamp_seconds") - time.time()  # noqa: TID251
        assert abs(ahead) < 60
        time.sleep(3)  # two checks of the one whose clock is fast
    now = datetime.now(UTC)  # noqa: TID251
    found = results(postgres_url)
    assert all(window.end <= now for window in found)
    assert {number for each in found.values() for number, _ in each} == {1}


def test_a_database_that_restarts_in_a_run_is_used_again_and_nothing_is_doubled(tmp_path):
    with running() as server:
        url = server.new_database()
        deployment, expected = deployed(tmp_path, url, days=16)
        with deployment.daemon() as (process, address, log):
            for windows in (1, 5):
                wait_for(lambda n=windows: judged(url) >= n, process, log)
                server.stop()
                wait_for(lambda: series(address, "store_reachable") == 0, process, log)
                assert get(f"{address}/-/healthy")[0] == get(f"{address}/-/ready")[0] == 200
                server.start()
                wait_for(lambda: series(address, "store_reachable") == 1, process, log)
            wait_for(lambda: judged(url) == len(expected), process, log)
            assert series(address, "lease_failures_total") >= 2
            assert leads(address)
            assert series(address, "lease_term") == 1
        assert results(url) == expected
    said = log.read_text()
    assert said.count("the store cannot be asked for the lease") == 2
    assert said.count("the store can be asked for the lease again") == 2


def test_a_second_daemon_on_a_sqlite_file_stands_by_and_commands_work_beside_both(tmp_path):
    deployment, expected = deployed(tmp_path, days=12, settings=LASTING)
    database = tmp_path / "new.db"
    url = f"sqlite:///{database}"
    with deployment.daemon() as (first, one, log), deployment.daemon() as (second, two, other_log):
        assert leads(one) and stands_by(two)
        run = deployment.command("run", "--from", "2024-01-05", "--to", "2024-01-13")
        again = deployment.command(
            *("baseline", "register", "credit", "--from", "2024-01-01", "--to", "2024-01-05"),
            *("--why", "the first four days"),
        )
        commands = [
            subprocess.Popen(each, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for each in (run, again, run)
        ]
        for each in commands:
            assert each.wait(PATIENCE) == 0, each.stdout.read()
            each.stdout.close()
        wait_for(lambda: judged(url) == len(expected), first, log)
        wait_for(lambda: shows(two, "2024-01-12"), second, other_log)
    assert results(url) == expected
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select count(*) from modelmon_registrations").fetchone() == (1,)
        assert connection.execute("select count(*) from modelmon_failures").fetchone() == (0,)
    assert "locked" not in log.read_text() + other_log.read_text()


def test_a_second_daemon_on_another_machine_refuses_a_sqlite_file(tmp_path):
    deployment = make_deployment(tmp_path, settings=LASTING)
    with deployment.daemon() as (_, address, _log):
        assert leads(address)
        other = deployment.command("serve", "--port", "0", program=WAYWARD)
        done = subprocess.run(
            other,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "MACHINE": "elsewhere"},
        )
    assert done.returncode == 5
    assert "on another machine" in done.stderr and "PostgreSQL" in done.stderr
