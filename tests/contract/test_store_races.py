"""Two processes on one store: nothing lost, nothing doubled, nobody turned away."""

import pickle
import subprocess
import sys
from contextlib import closing
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from monitor.store.schema import SchemaStatus, check, upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import POLICIES, REGISTRATIONS
from tests.stored import a_baseline, a_filled, a_policy, a_run

pytestmark = pytest.mark.slow

WRITER = """
import pickle, sys
from dataclasses import replace
from datetime import timedelta
from monitor.domain.window import Window
from monitor.store.sql import SqlStore

url, task, who, times = sys.argv[1:]
with open(task, "rb") as file:
    run, policy, baseline = pickle.load(file)
store = SqlStore(url)
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(times)):
    newer = replace(policy, digest=f"policy-{n}")
    own = replace(run, identity=f"{who}-{n}", policy=newer.digest)
    later = timedelta(days=1000 + n)
    window = Window(run.window.start + later, run.window.end + later)
    both = replace(run, identity=f"both-{n}", policy=newer.digest, window=window)
    assert store.commit(own, newer).new
    print(int(store.commit(both, newer).new), int(store.register(baseline[n % 2])), flush=True)
"""

TRIER = """
import sys
from monitor.domain.quarantine import retry
from monitor.store.sql import SqlStore
from tests.stored import FIRST, a_quarantined

url, who, times = sys.argv[1:]
store = SqlStore(url)
print("ready", flush=True)
sys.stdin.readline()
written = 0
for n in range(int(times)):
    files = store.quarantine("credit").values()
    written += store.note([retry(file, who, str(n), FIRST) for file in files])
    written += store.note([a_quarantined(f"{n}.parquet")])
print(written, flush=True)
"""

UPGRADER = """
import sys
from monitor.store.schema import upgrade
print("ready", flush=True)
sys.stdin.readline()
print(upgrade(sys.argv[1]).status.value)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'modelmon.db'}"
    return request.getfixturevalue("postgres_url")


def race(*racing):
    """Run two processes from the same moment on; return what each printed, line by line."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for program, arguments in racing
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=120)[0].splitlines() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    return said


def test_two_writing_processes_lose_and_double_nothing(new_url, tmp_path):
    times = 50
    upgrade(new_url)
    with closing(SqlStore(new_url)) as store:
        a_filled(store, days=1)
        baselines = (a_baseline("9", "9" * 8), a_baseline("9", "8" * 8))
        task = tmp_path / "race.pickle"
        task.write_bytes(pickle.dumps((a_run(5), a_policy(), baselines)))
        said = race(*((WRITER, [new_url, task, who, str(times)]) for who in ("ada", "bob")))
        answers = [tuple(map(int, line.split())) for lines in said for line in lines]
        assert len(answers) == 2 * times
        assert sum(new for new, _ in answers) == times, "each shared run was new to one of them"
        window = a_run(5).window
        heads = store.heads("credit")
        assert heads[window].revision == 2 * times
        assert {store.run("credit", window, n).identity for n in range(1, 2 * times + 1)} == {
            f"{who}-{n}" for who in ("ada", "bob") for n in range(times)
        }
        shared = [head for head in heads.values() if head.identity.startswith("both-")]
        assert len(shared) == times
        assert {head.revision for head in shared} == {1}
        with store._engine.connect() as connection:
            registered = connection.scalars(
                select(REGISTRATIONS.c.baseline)
                .where(REGISTRATIONS.c.version == "9")
                .order_by(REGISTRATIONS.c.sequence)
            ).all()
            policies = connection.scalar(select(func.count()).select_from(POLICIES))
        assert len(registered) == sum(new for _, new in answers)
        assert all(one != next_one for one, next_one in pairwise(registered))
        assert policies == times, "policy-1 was there before"


def test_of_two_processes_that_write_the_quarantine_each_state_is_written_once(new_url):
    times = 20
    upgrade(new_url)
    said = race(*((TRIER, [new_url, who, str(times)]) for who in ("ada", "bob")))
    with closing(SqlStore(new_url)) as store:
        files = store.quarantine("credit")
    assert len(files) == times
    assert sum(file.change for file in files.values()) == sum(int(line) for (line,) in said)


def test_two_upgrading_processes_both_find_it_done(new_url):
    said = race(*[(UPGRADER, [new_url])] * 2)
    assert said == [["current"], ["current"]]
    assert check(new_url).status is SchemaStatus.CURRENT
