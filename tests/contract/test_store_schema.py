"""The migrated schema on each kind of database."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from monitor.domain.errors import StoreError
from monitor.store.schema import VERSION_TABLE, SchemaStatus, check, read_clock, try_write, upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import METADATA
from tests.stored import a_failure, a_filled


def test_alembic_finds_no_difference_between_the_tables_and_the_migrated_schema(store):
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []


@pytest.mark.slow
def test_a_postgresql_database_is_refused_until_it_is_upgraded(postgres_url):
    assert check(postgres_url).status is SchemaStatus.MISSING
    with pytest.raises(StoreError, match=r"there is no schema yet .* run `modelmon db upgrade`"):
        SqlStore(postgres_url)
    assert upgrade(postgres_url).status is SchemaStatus.CURRENT
    with closing(SqlStore(postgres_url)) as store:
        assert store.latest("credit") is None


@pytest.mark.slow
def test_a_postgresql_database_that_does_not_exist_is_named(postgres_url):
    url = postgres_url.replace("/test_", "/nowhere_")
    with pytest.raises(StoreError, match=r'database "nowhere_\d+" does not exist – is the server'):
        upgrade(url)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_clock_of_a_database_is_told_in_utc_and_trying_to_write_changes_nothing(
    kind, postgres_url, tmp_path
):
    url = f"sqlite:///{tmp_path / 'modelmon.db'}" if kind == "sqlite" else postgres_url
    upgrade(url)
    now = datetime.now(UTC)  # noqa: TID251  # held against the database's own
    assert abs(read_clock(url) - now) < timedelta(seconds=60)
    with closing(SqlStore(url)) as store:
        a_filled(store)
        before = store.latest("credit")
        try_write(url)
        assert store.latest("credit") == before


@pytest.mark.slow
def test_a_database_that_may_not_be_written_is_found_out_without_writing(postgres_url):
    upgrade(postgres_url)
    url = f"{postgres_url}&options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(StoreError, match=r"read-only transaction – name the primary server"):
        try_write(url)


@pytest.mark.slow
def test_a_standby_of_postgresql_is_refused_for_writing(postgres_url):
    upgrade(postgres_url)
    url = f"{postgres_url}&options=-c%20default_transaction_read_only%3Don"
    with (
        closing(SqlStore(url)) as store,
        pytest.raises(StoreError, match=r"read-only transaction – name the primary server"),
    ):
        store.fail(a_failure())
