"""Two processes on one store: nothing lost, nothing doubled, nobody turned away."""

from contextlib import closing
from datetime import timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from monitor.domain.quarantine import retry
from monitor.domain.window import Window
from monitor.store.schema import SchemaStatus, check, upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import POLICIES, REGISTRATIONS
from tests.races import race
from tests.stored import FIRST, a_baseline, a_filled, a_policy, a_quarantined, a_run

pytestmark = pytest.mark.slow


def write(url, run, policy, baselines, who, times):
    """Write runs of one's own and runs of both; return of each time what was new."""
    store, told = SqlStore(url), []
    for n in range(times):
        newer = replace(policy, digest=f"policy-{n}")
        own = replace(run, identity=f"{who}-{n}", policy=newer.digest)
        later = timedelta(days=1000 + n)
        window = Window(run.window.start + later, run.window.end + later)
        both = replace(run, identity=f"both-{n}", policy=newer.digest, window=window)
        assert store.commit(own, newer).new
        told.append((store.commit(both, newer).new, store.register(baselines[n % 2])))
    store.close()
    return told


def quarantine(url, who, times):
    """Put files into quarantine, and try all that are there; return how often was written."""
    store, written = SqlStore(url), 0
    for n in range(times):
        files = store.quarantine("credit").values()
        written += store.note([retry(file, who, str(n), FIRST) for file in files])
        written += store.note([a_quarantined(f"{n}.parquet")])
    store.close()
    return written


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'modelmon.db'}"
    return request.getfixturevalue("postgres_url")


def test_two_writing_processes_lose_and_double_nothing(new_url):
    times = 50
    upgrade(new_url)
    with closing(SqlStore(new_url)) as store:
        a_filled(store, days=1)
        baselines = (a_baseline("9", "9" * 8), a_baseline("9", "8" * 8))
        shared = (new_url, a_run(5), a_policy(), baselines)
        told = race(*((write, *shared, who, times) for who in ("ada", "bob")))
        answers = [answer for each in told for answer in each]
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
    written = race(*((quarantine, new_url, who, times) for who in ("ada", "bob")))
    with closing(SqlStore(new_url)) as store:
        files = store.quarantine("credit")
    assert len(files) == times
    assert sum(file.change for file in files.values()) == sum(written)


def test_two_upgrading_processes_both_find_it_done(new_url):
    found = race(*[(upgrade, new_url)] * 2)
    assert [each.status for each in found] == [SchemaStatus.CURRENT] * 2
    assert check(new_url).status is SchemaStatus.CURRENT
