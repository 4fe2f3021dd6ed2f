"""Which schema a database has, and how it is brought to the one this code needs."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Connection, Engine, false, func, inspect, select, text, update

from monitor.domain.errors import StoreError
from monitor.store.connection import (
    connect_lazily,
    database_url,
    reported,
    shown,
    sqlite_file,
    writing,
)
from monitor.store.tables import RUNS

VERSION_TABLE = "modelmon_alembic_version"
"""Where Alembic notes the revision: a table of our own, so that another tool's migrations may live
in the same database."""

REVISIONS = tuple(f"{number:04}" for number in range(1, 20))
"""Every revision this code knows, oldest first; the last one is what it needs."""

_MIGRATION_LOCK = 0x6D6F64656C6D6F6E  # "modelmon" in ASCII: the key of PostgreSQL's advisory lock


class SchemaStatus(StrEnum):
    """How a database's schema compares with what this code needs."""

    MISSING = "missing"
    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"


class SchemaState(Struct, frozen=True):
    """The schema of a database.

    Attributes:
        status: How it compares with what this code needs.
        revision: The revision found; "" when there is none.
        needed: The revision this code needs.
        written_by: Version of modelmon of the newest run in it; "" when that is not known.
    """

    status: SchemaStatus
    revision: str
    needed: str
    written_by: str = ""

    def __str__(self) -> str:
        """Return the state as a sentence that says what would be right."""
        match self.status:
            case SchemaStatus.MISSING:
                return (
                    f"there is no schema yet ({self.needed} is needed): run `modelmon db upgrade`"
                )
            case SchemaStatus.BEHIND:
                return (
                    f"the schema is {self.revision} and {self.needed} is needed: "
                    "run `modelmon db upgrade`"
                )
            case SchemaStatus.CURRENT:
                return f"the schema is current ({self.revision})"
            case SchemaStatus.AHEAD:
                writer = f"modelmon {self.written_by}" if self.written_by else "a newer modelmon"
                return (
                    f"the schema is {self.revision}, made by {writer}; this one knows "
                    f"{self.needed}: run that version, or restore the backup made before upgrading"
                )


def check(url: str) -> SchemaState:
    """Return the state of a database's schema, changing nothing.

    Raises:
        StoreError: The database cannot be reached.
    """
    where = database_url(url)
    file = sqlite_file(where)
    if file is not None and not file.exists():
        # Connecting would leave an empty file behind.
        if not file.parent.is_dir():
            raise StoreError(
                f"the folder {file.parent} of the store does not exist: mount its disk or bring it "
                "back if there was one; for a new deployment `modelmon db upgrade` makes it"
            )
        return SchemaState(SchemaStatus.MISSING, "", REVISIONS[-1])
    engine = connect_lazily(where, looking=True)
    try:
        with reported(where, "reading its schema"), engine.connect() as connection:
            return _state(connection)
    finally:
        engine.dispose()


def read_clock(url: str) -> datetime:
    """Return the present as the database has it, to the second at the least.

    Raises:
        StoreError: The database cannot be reached.
    """
    where = database_url(url)
    engine = connect_lazily(where, looking=True)
    try:
        with reported(where, "asking for the time"), engine.connect() as connection:
            told: datetime = connection.execute(select(func.now())).scalar_one()
            # SQLite has no zones: its time is in UTC.
            return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    finally:
        engine.dispose()


def try_write(url: str) -> None:
    """Write nothing, in a transaction and with a statement that need the right to write.

    Raises:
        StoreError: The database cannot be reached, is read-only, or refuses this user the right.
    """
    where = database_url(url)
    engine = connect_lazily(where)
    try:
        with reported(where, "trying whether it may be written"), writing(engine) as connection:
            connection.execute(update(RUNS).where(false()).values(revision=RUNS.c.revision))
    finally:
        engine.dispose()


def require_current(url: str) -> None:
    """Refuse a database whose schema this code cannot work with.

    Raises:
        StoreError: It is missing, behind or ahead, or the database cannot be reached.
    """
    state = check(url)
    if state.status is not SchemaStatus.CURRENT:
        raise StoreError(f"{shown(database_url(url))}: {state}")


def upgrade(url: str) -> SchemaState:
    """Bring a database's schema to what this code needs, and return its state.

    All migrations happen in one transaction, under a lock: of several processes that upgrade at
    once, one does it and the others find it done. The folder of a SQLite file is made.

    Raises:
        StoreError: The database cannot be reached, or its schema is ahead of this code.
    """
    where = database_url(url)
    file = sqlite_file(where)
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder {file.parent} cannot be made: {error.strerror}"
            ) from error
    engine = connect_lazily(where, new=file is not None and not file.exists())
    try:
        return migrate(engine)
    finally:
        engine.dispose()


def migrate(engine: Engine) -> SchemaState:
    """Bring the schema behind an engine to what this code needs; see `upgrade`."""
    with reported(engine.url, "upgrading its schema"), writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        found = _state(connection)
        if found.status is SchemaStatus.AHEAD:
            raise StoreError(f"{shown(engine.url)}: {found}")
        if found.status is SchemaStatus.CURRENT:
            return found
        _run_migrations(connection)
        return _state(connection)


def _state(connection: Connection) -> SchemaState:
    needed = REVISIONS[-1]
    inspector = inspect(connection)
    if not inspector.has_table(VERSION_TABLE):
        return SchemaState(SchemaStatus.MISSING, "", needed)
    # The table's name is a constant of this module.
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    if found is None:
        return SchemaState(SchemaStatus.MISSING, "", needed)
    if found == needed:
        return SchemaState(SchemaStatus.CURRENT, found, needed)
    if found in REVISIONS:
        return SchemaState(SchemaStatus.BEHIND, found, needed)
    return SchemaState(SchemaStatus.AHEAD, found, needed, _newest_writer(connection))


def _newest_writer(connection: Connection) -> str:
    # A schema from the future may have moved what it knew about runs.
    inspector = inspect(connection)
    if not inspector.has_table(RUNS.name):
        return ""
    if not {"id", "code"} <= {column["name"] for column in inspector.get_columns(RUNS.name)}:
        return ""
    newest = select(RUNS.c.code).order_by(RUNS.c.id.desc()).limit(1)
    return connection.scalar(newest) or ""


def _run_migrations(connection: Connection) -> None:
    # Alembic takes 0.1 s to import and is needed here alone.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
