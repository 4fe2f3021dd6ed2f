"""What is stored as a file, and a store made from it, on each kind of database on a disk."""

import gzip
import json
import tracemalloc
from datetime import UTC, datetime
from io import BytesIO
from threading import Event, Thread

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, event, insert, select
from sqlalchemy.exc import OperationalError

from monitor.domain.errors import StoreError
from monitor.store.backup import check_backup, restore, write_backup
from monitor.store.connection import connect_lazily, database_url, writing
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import METADATA
from tests.stored import a_failure, a_filled, a_policy, a_quarantined, a_run

NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request, tmp_path):
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'one.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def filled(url):
    """Return the URL of a store with something in every table that a run or a person fills."""
    upgrade(url)
    store = a_filled(SqlStore(url))
    store.fail(a_failure())
    store.note([a_quarantined()])
    store.close()
    return url


def backed_up(url, path):
    target = BytesIO()
    made = write_backup(url, target, "1.2.3", NOW)
    path.write_bytes(target.getvalue())
    return made


def everything(url):
    engine = connect_lazily(database_url(url))
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in METADATA.sorted_tables
        }
    engine.dispose()
    return found


def test_a_restored_store_has_every_row_of_every_table(filled, tmp_path):
    made = backed_up(filled, tmp_path / "backup")
    assert (made.code, made.made_at) == ("1.2.3", NOW)
    assert check_backup(tmp_path / "backup") == made
    other = f"sqlite:///{tmp_path / 'new folder' / 'two.db'}"
    assert restore(other, tmp_path / "backup") == made
    before = everything(filled)
    assert everything(other) == before
    assert made.tables == {name: len(rows) for name, rows in before.items()}
    assert before["modelmon_runs"]
    assert before["modelmon_quarantine"]


@pytest.mark.slow
def test_a_store_moves_to_a_server_and_goes_on_there(filled, tmp_path, request):
    backed_up(filled, tmp_path / "backup")
    if filled.startswith("sqlite"):
        server = request.getfixturevalue("postgres_url")
        restore(server, tmp_path / "backup")
    else:
        server = f"sqlite:///{tmp_path / 'two.db'}"
        restore(server, tmp_path / "backup")
    assert everything(server) == everything(filled)
    store = SqlStore(server)
    store.commit(a_run(9), a_policy())  # its number is one that no row has
    store.fail(a_failure())
    assert store.latest("credit") == a_run(9)
    store.close()


def test_the_same_store_gives_the_same_bytes(filled, tmp_path):
    backed_up(filled, tmp_path / "one")
    backed_up(filled, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_backup_is_of_one_instant_though_somebody_writes(filled, tmp_path):
    over = Event()

    def write():
        store = SqlStore(filled)
        day = 10
        while not over.is_set():
            store.commit(a_run(day), a_policy())
            day += 1
        store.close()

    writer = Thread(target=write)
    writer.start()
    try:
        made = [backed_up(filled, tmp_path / f"backup-{n}") for n in range(5)]
    finally:
        over.set()
        writer.join()
    assert made[0].tables["modelmon_runs"] < made[-1].tables["modelmon_runs"]
    restore(f"sqlite:///{tmp_path / 'two.db'}", tmp_path / "backup-4")
    tables = made[-1].tables
    assert tables["modelmon_profiles"] == 2 * tables["modelmon_runs"]


def test_a_file_cut_off_anywhere_is_refused_and_nothing_is_written(filled, tmp_path):
    whole = tmp_path / "whole"
    backed_up(filled, whole)
    data, cut = whole.read_bytes(), tmp_path / "cut"
    for length in {0, 1, 9, 10, len(data) // 3, len(data) // 2, len(data) - 9, len(data) - 1}:
        cut.write_bytes(data[:length])
        with pytest.raises(StoreError, match="cut off or damaged"):
            restore(f"sqlite:///{tmp_path / 'two.db'}", cut)
    assert not (tmp_path / "two.db").exists()


def test_a_changed_missing_or_doubled_row_is_refused(filled, tmp_path):
    backed_up(filled, tmp_path / "whole")
    lines = gzip.decompress((tmp_path / "whole").read_bytes()).splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if line[:1] == b"[" and b'"credit"' in line)
    broken = {
        "missing": lines[:place] + lines[place + 1 :],
        "doubled": [*lines[: place + 1], *lines[place:]],
        "changed": [
            *lines[:place],
            lines[place].replace(b'"credit"', b'"cresit"'),
            *lines[place + 1 :],
        ],
        "endless": lines[:-1],
        "no row but text": [*lines[:place], b"[not json\n", *lines[place + 1 :]],
        "rows of no table": [lines[0], *lines[2:]],
    }
    for what, text in broken.items():
        (tmp_path / "broken").write_bytes(gzip.compress(b"".join(text)))
        with pytest.raises(StoreError, match="cut off or damaged"):
            restore(f"sqlite:///{tmp_path / 'two.db'}", tmp_path / "broken")
        assert not (tmp_path / "two.db").exists(), what


def test_another_format_and_another_schema_are_said(filled, tmp_path):
    backed_up(filled, tmp_path / "whole")
    lines = gzip.decompress((tmp_path / "whole").read_bytes()).splitlines(keepends=True)
    head = json.loads(lines[0])
    for change, said in (
        ({"schema": "0001"}, "has schema 0001.*restore it with modelmon 1.2.3"),
        ({"schema": "9999"}, "has schema 9999"),
        ({"modelmon_backup": 2}, "is no backup of format 1"),
    ):
        first = json.dumps({**head, **change}).encode() + b"\n"
        (tmp_path / "other").write_bytes(gzip.compress(b"".join([first, *lines[1:]])))
        with pytest.raises(StoreError, match=said):
            restore(f"sqlite:///{tmp_path / 'two.db'}", tmp_path / "other")
    with pytest.raises(StoreError, match="No such file"):
        check_backup(tmp_path / "nowhere")


def test_a_store_that_is_not_empty_stays_as_it_is(filled, tmp_path):
    backed_up(filled, tmp_path / "backup")
    before = everything(filled)
    with pytest.raises(StoreError, match=r"is not empty.*another database"):
        restore(filled, tmp_path / "backup")
    assert everything(filled) == before


def test_a_lease_alone_makes_a_store_not_empty_for_somebody_uses_it(filled, tmp_path):
    backed_up(filled, tmp_path / "backup")
    target = f"sqlite:///{tmp_path / 'two.db'}"
    upgrade(target)
    table, engine = METADATA.tables["modelmon_leases"], connect_lazily(database_url(target))
    with writing(engine) as connection:
        row = ["main", "a", "b", 1, NOW, NOW, NOW]
        connection.execute(insert(table), dict(zip(table.columns.keys(), row, strict=True)))
    engine.dispose()
    with pytest.raises(StoreError, match="modelmon_leases have rows"):
        restore(target, tmp_path / "backup")


@pytest.mark.parametrize("n", range(1, 40, 6))
def test_a_restore_that_fails_at_any_statement_leaves_the_store_empty(filled, tmp_path, n):
    backed_up(filled, tmp_path / "backup")
    target = f"sqlite:///{tmp_path / 'two.db'}"
    upgrade(target)
    left = [n]

    def fail(*_):
        left[0] -= 1
        if left[0] == 0:
            raise OperationalError("broken on purpose", None, Exception("disk is full"))

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(StoreError, match="disk is full"):
            restore(target, tmp_path / "backup")
    finally:
        event.remove(Engine, "before_cursor_execute", fail)
    assert not any(everything(target).values())


@pytest.mark.slow
def test_no_more_than_a_few_large_profiles_are_held_at_once(filled, tmp_path):
    """A profile with many slices has tens of megabytes, and a store has one of each window."""
    store = SqlStore(filled)
    megabyte, windows = 1 << 20, 80
    for day in range(9, 9 + windows):
        run = a_run(day)
        (result, *others) = run.results
        large = replace(result, profile=bytes([day]) * megabyte)
        store.commit(replace(run, results=(large, *others)), a_policy())
    store.close()
    other = f"sqlite:///{tmp_path / 'two.db'}"
    with (tmp_path / "backup").open("wb") as target:
        written = most_held(lambda: write_backup(filled, target, "1.2.3", NOW))
    restored = most_held(lambda: restore(other, tmp_path / "backup"))
    assert everything(other) == everything(filled)
    assert max(written, restored) < windows * megabyte / 2


def most_held(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
