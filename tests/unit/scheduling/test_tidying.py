import logging
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from monitor.compute.local import LocalCompute
from monitor.domain.lease import Replica
from monitor.engine.run import Outside
from monitor.exposition.vitals import Vitals
from monitor.scheduling.leadership import Leadership
from monitor.scheduling.tidying import Tidying
from monitor.store.lease import SqlLeases
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from tests.lives import policy_of, told
from tests.stored import DAY, FIRST, a_baseline, a_policy

DAYS = 60
ADA, BOB = Replica("ada", "m1"), Replica("bob", "m1")
TTL = timedelta(seconds=60)


class At:
    def now(self):
        return FIRST + 400 * DAY


@pytest.fixture
def url(tmp_path):
    found = f"sqlite:///{tmp_path / 'modelmon.db'}"
    upgrade(found)
    store = SqlStore(found)
    store.register(a_baseline("1"))
    for day in range(DAYS):
        run = told(day, "oo")
        store.commit(run, policy_of(run))
    store.close()
    return found


class Replicated:
    """One of several replicas on a store."""

    def __init__(self, url, replica, retention=timedelta(days=30)):
        self.store = SqlStore(url)
        self.leases = SqlLeases(url)
        self.leadership = Leadership(self.leases, replica, TTL, At())
        self.vitals = Vitals(["credit"])
        self.stopping = False
        self.retention = retention
        self.tidy = Tidying(
            Outside(self.store, LocalCompute(), At(), "test"),
            self.leadership,
            self.vitals,
            retention=lambda: self.retention,
            policies=lambda: [a_policy()],
            policy_of=lambda _: a_policy(),
            stopping=lambda: self.stopping,
        )

    def gone(self):
        return sum(head.pruned is not None for head in self.store.heads("credit").values())

    def close(self):
        self.store.close()
        self.leases.close()


@pytest.fixture
def ada(url):
    found = Replicated(url, ADA)
    yield found
    found.close()


@pytest.mark.slow
def test_who_leads_prunes_what_is_older_than_the_settings_keep_it(ada, caplog):
    ada.tidy()
    assert (ada.gone(), ada.vitals.pruned_at) == (0, None)  # nobody leads yet
    ada.leadership.ask()
    with caplog.at_level(logging.INFO, "modelmon"):
        ada.tidy()
    assert ada.gone() == DAYS - 40
    assert ada.vitals.pruned_at == At().now()
    (line,) = [item for item in caplog.records if "pruned" in item.message]
    assert "pruned 20 windows" in line.message


@pytest.mark.slow
def test_without_a_setting_nothing_goes(ada):
    ada.leadership.ask()
    ada.retention = None
    ada.tidy()
    assert (ada.gone(), ada.vitals.pruned_at) == (0, None)


@pytest.mark.slow
def test_it_ends_between_two_batches_when_the_daemon_ends(ada):
    ada.leadership.ask()
    asked = []

    def stopping():
        asked.append(1)
        return len(asked) > 1

    ada.tidy._stopping = stopping
    ada.tidy()
    assert (ada.gone(), ada.vitals.pruned_at) == (12, None)


@pytest.mark.slow
def test_who_no_longer_leads_deletes_nothing(url, ada, caplog):
    ada.leadership.ask()
    engine = create_engine(url)
    with engine.begin() as connection:  # another one has taken over while this one was paused
        connection.execute(text("UPDATE modelmon_leases SET holder = 'bob', token = token + 1"))
    engine.dispose()
    ada.tidy()
    assert (ada.gone(), ada.vitals.pruned_at) == (0, None)
    assert ada.leadership.told().refused == 1
    assert "refused: term" in caplog.text


@pytest.mark.slow
def test_trouble_with_the_store_is_logged_and_tried_again(url, ada, caplog):
    ada.leadership.ask()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE modelmon_audit_records RENAME TO gone"))
    ada.tidy()
    assert "results could not be pruned" in caplog.text
    assert (ada.gone(), ada.vitals.pruned_at) == (0, None)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO modelmon_audit_records"))
    engine.dispose()
    ada.tidy()
    assert ada.gone() == DAYS - 40
