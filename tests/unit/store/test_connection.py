import sqlite3
import sys
from contextlib import closing
from datetime import datetime

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from monitor.domain.errors import StoreError
from monitor.store import connection
from monitor.store.connection import connect_lazily, database_url, reported, shown, writing
from monitor.store.schema import REVISIONS, check, upgrade
from monitor.store.sql import SqlStore
from tests.stored import a_failure, a_filled

SECRET = "s3cr@t/:"  # noqa: S105  # what must not be shown
ENCODED = "s3cr%40t%2F%3A"


@pytest.fixture
def url(tmp_path):
    found = f"sqlite:///{tmp_path / 'modelmon.db'}"
    upgrade(found)
    return found


@pytest.mark.parametrize(
    "url",
    [
        "modelmon.db",
        f"postgresql://ada:{ENCODED}@db:fivefourthreetwo/modelmon",
        f"mysql://ada:{ENCODED}@db/modelmon",
        f"postgresql+psycopg2://ada:{ENCODED}@db/modelmon",
    ],
)
def test_a_url_that_names_no_store_says_which_do_and_shows_no_password(url):
    with pytest.raises(StoreError, match=r"right are sqlite:.* and postgresql://") as raised:
        database_url(url)
    assert ENCODED not in str(raised.value)
    assert raised.value.__cause__ is None


def test_postgresql_is_reached_through_psycopg_3():
    assert database_url("postgresql://h/db").drivername == "postgresql+psycopg"
    assert database_url("postgresql+psycopg://h/db").drivername == "postgresql+psycopg"


def test_no_password_is_shown():
    url = database_url(f"postgresql://ada:{ENCODED}@h/db?sslpassword={ENCODED}&sslmode=require")
    assert shown(url) == "postgresql+psycopg://ada:***@h/db?sslmode=require"


def test_a_server_that_is_not_there_is_named_without_its_password():
    with pytest.raises(StoreError) as raised:
        check(f"postgresql://ada:{ENCODED}@127.0.0.1:1/modelmon?sslpassword={ENCODED}")
    said = str(raised.value)
    assert "postgresql+psycopg://ada:***@127.0.0.1:1/modelmon failed while" in said
    assert "is the server up, and are host, port, user and database right?" in said
    assert SECRET not in said and ENCODED not in said


def test_a_password_in_a_driver_s_message_is_hidden():
    url = database_url(f"postgresql://ada:{ENCODED}@h/db")
    said = psycopg.OperationalError(f"no such option: {SECRET}")
    with pytest.raises(StoreError) as raised, reported(url, "trying"):
        raise OperationalError("", None, said)
    assert SECRET not in str(raised.value)
    assert "no such option: ***" in str(raised.value)


def test_a_driver_that_is_not_installed_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'modelmon\[postgres\]'"):
        connect_lazily(database_url("postgresql://h/db"))


def test_a_locked_database_says_who_is_waited_for(url, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "TURN_SECONDS", 0)
    with (
        closing(SqlStore(url)) as store,
        closing(sqlite3.connect(tmp_path / "modelmon.db")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"storing a failure of credit: .* another process"):
            store.fail(a_failure())
        assert store.latest("credit") is None, "readers do not wait for a writer"


@pytest.mark.parametrize(
    ("pragma", "advice"),
    [
        ("PRAGMA max_page_count = 1", "make room on the disk"),
        ("PRAGMA query_only = ON", "the right to write the file and its folder"),
    ],
)
def test_a_write_that_the_disk_refuses_says_what_would_be_right(url, pragma, advice):
    with closing(SqlStore(url)) as store:
        store._engine.dispose()

        def restrict(opened, _):
            opened.execute(pragma)

        event.listen(store._engine, "connect", restrict)
        with pytest.raises(StoreError, match=advice):
            a_filled(store, days=30)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database " * 100)
    with pytest.raises(StoreError, match="file is not a database – name a SQLite file"):
        check(f"sqlite:///{file}")
    assert file.read_text() == "not a database " * 100


def test_sqlite_is_set_up_for_several_processes_and_power_cuts(url):
    engine = connect_lazily(database_url(url))
    with engine.connect() as opened:
        found = {
            name: opened.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    engine.dispose()
    full = 2
    assert found == {
        "journal_mode": "wal",
        "synchronous": full,
        "busy_timeout": 30_000,
        "foreign_keys": 1,
    }


def test_a_transaction_that_raises_is_rolled_back(url):
    engine = connect_lazily(database_url(url))

    def write_and_raise():
        with writing(engine) as opened:
            opened.exec_driver_sql("UPDATE modelmon_alembic_version SET version_num = 'x'")
            raise KeyError

    with pytest.raises(KeyError):
        write_and_raise()
    engine.dispose()
    assert check(url).revision == REVISIONS[-1]


def test_a_naive_instant_in_a_write_is_named():
    failure = replace(a_failure(), started=datetime(2005, 6, 1))  # noqa: DTZ001  # what is refused
    with (
        closing(SqlStore("sqlite://")) as store,
        pytest.raises(
            StoreError, match=r"storing a failure of credit: an instant carries a time zone"
        ),
    ):
        store.fail(failure)


def test_a_file_that_is_moved_away_while_open_is_trouble_until_it_is_back(url, tmp_path):
    store, path, away = SqlStore(url), tmp_path / "modelmon.db", tmp_path / "away.db"
    a_filled(store, days=2)
    before = store.heads("credit")
    assert before
    path.rename(away)
    for _ in range(2):
        with pytest.raises(
            StoreError, match=r"modelmon\.db was moved or deleted while it was open"
        ):
            store.heads("credit")
    assert not path.exists()  # none is made in its place
    away.rename(path)
    assert store.heads("credit") == before
