import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import monitor.store.schema
from monitor.domain.errors import StoreError
from monitor.store.connection import connect_lazily, database_url, writing
from monitor.store.schema import REVISIONS, SchemaState, SchemaStatus, check, upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import METADATA
from tests.stored import a_filled


@pytest.fixture
def file(tmp_path):
    return tmp_path / "modelmon.db"


@pytest.fixture
def url(file):
    return f"sqlite:///{file}"


def pretend(url, revision):
    engine = connect_lazily(database_url(url))
    with writing(engine) as connection:
        connection.execute(
            text("UPDATE modelmon_alembic_version SET version_num = :new"), {"new": revision}
        )
    engine.dispose()


def test_a_database_that_is_not_there_has_no_schema_and_is_not_made(url, file):
    assert check(url) == SchemaState(SchemaStatus.MISSING, "", REVISIONS[-1])
    with pytest.raises(StoreError, match=r"there is no schema yet .* run `modelmon db upgrade`"):
        SqlStore(url)
    assert not file.exists()


def test_a_folder_that_is_not_there_is_named_and_made_by_an_upgrade(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'deep' / 'modelmon.db'}"
    for look in (check, SqlStore):
        with pytest.raises(StoreError, match=r"the folder .*new/deep of the store does not exist"):
            look(url)
    upgrade(url)
    assert check(url).status is SchemaStatus.CURRENT


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"the folder .*file cannot be made: "):
        upgrade(f"sqlite:///{tmp_path / 'file' / 'modelmon.db'}")


def test_an_upgrade_makes_the_schema_and_again_changes_nothing(url, file):
    current = SchemaState(SchemaStatus.CURRENT, REVISIONS[-1], REVISIONS[-1])
    assert upgrade(url) == current
    made = file.read_bytes()
    assert upgrade(url) == current
    assert file.read_bytes() == made
    assert check(url) == current
    with closing(SqlStore(url)) as store:
        assert store.latest("credit") is None


def test_a_schema_behind_the_code_is_refused(url, monkeypatch):
    upgrade(url)
    monkeypatch.setattr(monitor.store.schema, "REVISIONS", (*REVISIONS, "9998"))
    assert check(url).status is SchemaStatus.BEHIND
    with pytest.raises(StoreError, match=rf"is {REVISIONS[-1]} and 9998 is needed: run `modelmon"):
        SqlStore(url)


def test_a_schema_ahead_of_the_code_is_refused_and_its_maker_named(url):
    upgrade(url)
    with closing(SqlStore(url)) as store:
        a_filled(store, days=1)
    pretend(url, "9999")
    assert check(url) == SchemaState(SchemaStatus.AHEAD, "9999", REVISIONS[-1], "0.1.0")
    for act in (SqlStore, upgrade):
        with pytest.raises(StoreError, match=r"the schema is 9999, made by modelmon 0\.1\.0"):
            act(url)


def test_a_schema_ahead_of_the_code_without_runs_was_made_by_a_newer_modelmon(url):
    upgrade(url)
    pretend(url, "9999")
    assert check(url).written_by == ""
    assert "made by a newer modelmon" in str(check(url))


def test_a_schema_from_the_future_may_have_moved_its_runs(url):
    upgrade(url)
    pretend(url, "9999")
    engine = connect_lazily(database_url(url))
    with writing(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE modelmon_runs RENAME COLUMN code TO made_by")
    assert check(url).written_by == ""
    with writing(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE modelmon_runs RENAME TO modelmon_executions")
    engine.dispose()
    assert check(url).status is SchemaStatus.AHEAD


def test_a_look_leaves_a_database_of_somebody_else_as_it_is(url, file):
    with closing(sqlite3.connect(file)) as theirs:
        theirs.execute("CREATE TABLE orders (id INTEGER)")
        assert check(url).status is SchemaStatus.MISSING
        with pytest.raises(StoreError, match="there is no schema yet"):
            SqlStore(url)
        assert theirs.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_another_tool_s_migrations_may_live_in_the_same_database(url):
    engine = connect_lazily(database_url(url))
    with writing(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('theirs')")
    upgrade(url)
    with engine.connect() as connection:
        theirs = connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
    engine.dispose()
    assert theirs == [("theirs",)]
    assert check(url).status is SchemaStatus.CURRENT


def test_a_database_in_memory_brings_its_schema_with_it():
    with closing(SqlStore("sqlite://")) as store:
        a_filled(store, days=1)
        assert store.counts("credit").completed == 1


def test_the_known_revisions_are_the_migrations():
    from alembic.script import ScriptDirectory

    folder = Path(monitor.store.schema.__file__).with_name("migrations")
    scripts = [script.revision for script in ScriptDirectory(folder).walk_revisions()]
    assert tuple(reversed(scripts)) == REVISIONS


def test_the_migrations_make_the_tables_to_the_letter(url, tmp_path):
    upgrade(url)
    created = create_engine(f"sqlite:///{tmp_path / 'created.db'}")
    METADATA.create_all(created)
    migrated = create_engine(url)
    written = []
    for engine in (created, migrated):
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%'"
            )
            lines = {
                # A column that was added later stands behind the others, on the last line.
                name: {part.strip(" ,\t()") for part in re.split(r"\n|, ", sql or "")}
                for name, sql in rows
            }
        engine.dispose()
        written.append(lines)
    assert written[0] == written[1]
    assert "modelmon_findings" in written[0]


@pytest.mark.slow
def test_neither_alembic_nor_postgresql_is_imported_to_use_a_store():
    program = (
        "import sys\n"
        "import monitor.store.sql, monitor.store.schema\n"
        "monitor.store.sql.SqlStore('sqlite://').close()\n"
        "assert 'alembic' not in sys.modules\n"
        "assert 'sqlalchemy.dialects.postgresql' not in sys.modules\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert ended.returncode == 0, ended.stderr.decode()
