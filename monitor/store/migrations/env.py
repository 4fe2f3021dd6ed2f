"""Run by Alembic: migrates on the connection, and in the transaction, that it is given."""

from alembic import context

from monitor.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
