"""One lease, on each kind of database: taken, renewed, released, and asked in every write."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Event

import pytest
from msgspec.structs import replace
from sqlalchemy import func, insert, select

from monitor.domain.errors import FencedError, StoreError
from monitor.domain.lease import Replica
from monitor.store import connection as store_connection
from monitor.store.connection import connect_lazily, database_url, writing
from monitor.store.lease import SqlLeases, require_term
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import CHANGES, METADATA
from tests.stored import a_baseline, a_failure, a_filled, a_policy, a_quarantined, a_run

ADA, BOB = Replica("ada", "m1"), Replica("bob", "m1")
LONG, SHORT = timedelta(minutes=5), timedelta(seconds=0.2)


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request, tmp_path):
    if request.param == "file":
        found = f"sqlite:///{tmp_path / 'modelmon.db'}"
    else:
        found = request.getfixturevalue("postgres_url")
    upgrade(found)
    return found


@pytest.fixture
def leases(url):
    with closing(SqlLeases(url)) as opened:
        yield opened


def rows_of(store):
    with store._engine.connect() as connection:
        return {
            table.name: connection.execute(select(table)).all()
            for table in METADATA.sorted_tables
            if table.name != "modelmon_leases"
        }


def test_one_has_it_and_the_others_are_told_who(leases):
    lease, present = leases.ask(ADA, LONG)
    assert (lease.holder, lease.token) == ("ada", 1)
    assert lease.expires - lease.renewed == LONG
    assert lease.renewed <= present
    found, later = leases.ask(BOB, LONG)
    assert found == lease
    assert later >= present


def test_renewing_keeps_the_term_and_moves_the_end(leases):
    lease, _ = leases.ask(ADA, LONG)
    time.sleep(0.02)
    renewed, _ = leases.ask(ADA, LONG)
    assert renewed.term == lease.term
    assert renewed.acquired == lease.acquired
    assert renewed.expires > lease.expires


def test_it_is_taken_over_when_it_has_expired(leases):
    leases.ask(ADA, LONG)
    assert leases.ask(BOB, SHORT)[0].holder == "ada"
    leases.ask(ADA, SHORT)
    time.sleep(SHORT.total_seconds() + 0.05)
    lease, _ = leases.ask(BOB, LONG)
    assert (lease.holder, lease.token) == ("bob", 2)
    assert leases.ask(ADA, LONG)[0] == lease


def test_released_it_is_free_at_once(leases):
    lease, _ = leases.ask(ADA, LONG)
    leases.release(lease.term)
    assert leases.ask(BOB, LONG)[0].token == 2
    leases.release(lease.term)  # of a term that is over: nothing happens
    assert leases.ask(ADA, LONG)[0].holder == "bob"


def test_of_many_that_ask_for_a_lease_one_gets_it(url):
    with ThreadPoolExecutor(8) as pool:

        def ask(number):
            with closing(SqlLeases(url)) as own:
                return own.ask(Replica(f"r{number}", "m1"), LONG)[0]

        found = list(pool.map(ask, range(8)))
    assert len({lease.term for lease in found}) == 1
    assert found[0].token == 1


WRITES = {
    "commit": lambda store: store.commit(a_run(1), a_policy(), [a_quarantined("x.parquet")]),
    "register": lambda store: store.register(a_baseline("3")),
    "fail": lambda store: store.fail(a_failure()),
    "note": lambda store: store.note([a_quarantined("y.parquet")]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_goes_through_in_its_term_and_after_it_leaves_nothing(url, leases, write):
    with closing(a_filled(SqlStore(url), days=1)) as store:
        ours = store.under(leases.ask(ADA, LONG)[0].term)
        before = rows_of(store)
        leases.release(leases.ask(ADA, LONG)[0].term)
        with pytest.raises(FencedError, match="term 1 of ada is over and nobody leads"):
            write(ours)
        theirs = store.under(leases.ask(BOB, LONG)[0].term)
        with pytest.raises(FencedError, match=r"over and bob leads in term 2: nothing was written"):
            write(ours)
        assert rows_of(store) == before
        write(theirs)
        assert rows_of(store) != before


def test_an_expired_term_that_nobody_took_may_write(url, leases):
    with closing(a_filled(SqlStore(url), days=1)) as store:
        ours = store.under(leases.ask(ADA, SHORT)[0].term)
        time.sleep(SHORT.total_seconds() + 0.05)
        ours.fail(a_failure())
        assert store.counts("credit").failed == {"SourceError": 1}


def test_a_term_that_came_again_is_another_one(url, leases):
    with closing(a_filled(SqlStore(url), days=1)) as store:
        first = leases.ask(ADA, LONG)[0].term
        leases.release(first)
        leases.ask(ADA, LONG)
        with pytest.raises(FencedError, match="ada leads in term 2"):
            store.under(first).fail(a_failure())


def test_commands_write_without_a_term_while_a_replica_leads(url, leases):
    leases.ask(ADA, LONG)
    with closing(a_filled(SqlStore(url), days=1)) as store:
        assert store.register(a_baseline("3"))


def test_a_store_that_nobody_ever_led_refuses_a_term(url, leases):
    lease, _ = leases.ask(ADA, LONG)
    with closing(SqlStore(url)) as store, writing(store._engine) as connection:
        require_term(connection, lease.term)
        with pytest.raises(FencedError):
            require_term(connection, replace(lease.term, token=9))


@pytest.mark.slow
def test_a_takeover_waits_for_a_write_under_way_and_a_renewal_does_not(postgres_url):
    upgrade(postgres_url)
    engine = connect_lazily(database_url(postgres_url))
    with closing(SqlLeases(postgres_url)) as ada, closing(SqlLeases(postgres_url)) as bob:
        term = ada.ask(ADA, LONG)[0].term
        with ThreadPoolExecutor(1) as pool:
            with writing(engine) as connection:
                require_term(connection, term)
                assert ada.ask(ADA, SHORT)[0].term == term
                time.sleep(SHORT.total_seconds() + 0.05)
                taken = pool.submit(bob.ask, BOB, LONG)
                time.sleep(0.3)
                assert not taken.done()
            lease, present = taken.result(60)
        assert (lease.holder, lease.token) == ("bob", 2)
        assert lease.acquired <= present
        assert lease.expires == lease.renewed + LONG
    engine.dispose()


def one_row(connection):
    connection.execute(insert(CHANGES), {"model": "a", "change": 1})


def many_rows(connection):
    connection.execute(insert(CHANGES), [{"model": f"{n}", "change": 1} for n in range(2000)])


@pytest.mark.slow
@pytest.mark.parametrize("write", [one_row, many_rows])
def test_a_writer_that_is_paused_in_its_transaction_is_given_up(write, postgres_url, monkeypatch):
    upgrade(postgres_url)
    with closing(SqlStore(postgres_url)) as store, closing(SqlLeases(postgres_url)) as leases:
        ours = store.under(leases.ask(ADA, SHORT)[0].term)
        time.sleep(SHORT.total_seconds() + 0.05)
        written, taken = Event(), Event()
        with ThreadPoolExecutor(1) as pool:

            def paused():
                with store_connection.reported(store._url, "writing"):
                    store_connection.retried(store._engine, lambda to: pause(to, ours._term))

            def pause(connection, term):
                require_term(connection, term)
                write(connection)
                written.set()
                assert taken.wait(60)
                connection.execute(select(func.now()))

            with monkeypatch.context() as soon:
                soon.setattr(store_connection, "IDLE_SECONDS", 1)
                writer = pool.submit(paused)
                tries = 0
                while not written.wait(1):
                    tries += 1
                    assert tries < 60
                    if writer.done():
                        writer = pool.submit(paused)  # a busy machine had paused it before that
            assert leases.ask(BOB, LONG)[0].holder == "bob", "while the writer is paused"
            taken.set()
            with pytest.raises(StoreError, match=r"idle-in-transaction.*process was paused"):
                writer.result(60)


def test_a_sqlite_file_is_refused_while_another_machine_uses_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'modelmon.db'}"
    upgrade(url)
    with closing(SqlLeases(url)) as leases:
        leases.ask(ADA, LONG)
        far = Replica("eve", "m2")
        with pytest.raises(StoreError, match=r"in use by ada on another machine.*PostgreSQL"):
            leases.ask(far, LONG)
        leases.ask(ADA, SHORT)
        time.sleep(SHORT.total_seconds() + 0.05)
        assert leases.ask(far, LONG)[0].holder == "eve"


@pytest.mark.slow
def test_machines_share_a_postgresql_database(postgres_url):
    upgrade(postgres_url)
    with closing(SqlLeases(postgres_url)) as leases:
        leases.ask(ADA, LONG)
        assert leases.ask(Replica("eve", "m2"), LONG)[0].holder == "ada"


def test_every_write_is_a_change_of_its_model_and_of_no_other(url):
    with closing(SqlStore(url)) as store:
        assert store.changes() == {}
        a_filled(store, days=1)
        for write in WRITES.values():
            before = store.changes()
            write(store)
            after = store.changes()
            assert set(after) == {"credit"}
            assert after["credit"] > before["credit"]
