"""How a database is reached, and what is said when it cannot be."""

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DisconnectionError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)

from monitor.domain.errors import StoreError

WAIT_SECONDS = 10
"""How long a connection waits for a server to answer."""

TURN_SECONDS = 30
"""How long a writer of a SQLite file waits for its turn. SQLite keeps no queue: who writes again
and again may be served many times before one that waits, the more so on a busy machine."""

_ENGINES: WeakSet[Engine] = WeakSet()

IDLE_SECONDS = 30
"""How long a server waits in a transaction for the next statement of a writer, which may have been
paused or cut off, before it gives up the writer and what it has locked."""

ATTEMPTS = 20
"""How often a write is tried whose unique key another process took first: each time somebody else
has got further, so more than a handful means that something else is wrong."""

VACUUM_IN_STEPS = "PRAGMA auto_vacuum = INCREMENTAL"
"""Has a new SQLite file, or one that is then written anew, give free room back bit by bit."""

_WRITES = "modelmon_writes"

_Written = TypeVar("_Written")

_AGAIN = "the server went down or was started again; the same is done again at the next check"

_ADVICE = (
    ("database is locked", f"another process has been writing for {TURN_SECONDS} s; try again"),
    ("attempt to write a readonly", "give this user the right to write the file and its folder"),
    ("permission denied", "give this user the right to read and write there"),
    ("disk is full", "make room on the disk"),
    ("no space left", "make room on the disk"),
    ("unable to open database file", "name a file in a folder that this user may write"),
    ("file is not a database", "name a SQLite file, or one that does not exist yet"),
    ("malformed", "the file is damaged: restore a backup"),
    ("no such table", "run `modelmon db check`"),
    ("undefinedtable", "run `modelmon db check`"),
    ("read-only transaction", "name the primary server, not a standby"),
    ("failed to resolve host", "is the host's name right?"),
    ("idle-in-transaction", "the process was paused; the same is done again at the next check"),
    ("connection failed", "is the server up, and are host, port, user and database right?"),
    ("connection to server", "is the server up, and are host, port, user and database right?"),
    ("server closed the connection", _AGAIN),
    ("terminating connection", _AGAIN),
    ("consuming input failed", _AGAIN),
)
"""Words of a driver's message, and what would be right."""


def database_url(url: str) -> URL:
    """Return a parsed URL whose driver is one that modelmon uses.

    Raises:
        StoreError: The URL is none, or names a database that is not supported.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text is not shown: what cannot be parsed may hold a password anywhere.
        raise StoreError(
            "the store's URL cannot be read; right are sqlite:////var/lib/modelmon/modelmon.db "
            "and postgresql://user:password@host:5432/database"
        ) from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return parsed.set(drivername="sqlite")
        case "postgresql" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise StoreError(
                f"the store's URL begins with {other}://; right are sqlite:// and postgresql://"
            )


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite URL; None for a database in memory or on a server."""
    if url.drivername != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def shown(url: URL) -> str:
    """Return a URL without its passwords."""
    return url.difference_update_query(_secrets(url)).render_as_string(hide_password=True)


def connect_lazily(url: URL, *, looking: bool = False, new: bool = False) -> Engine:
    """Return an engine whose connections are set up the way the store needs them.

    Nothing is connected yet. A database in memory is one connection for all threads. Parameters of
    statements are the model owner's data and stay out of error messages.

    Args:
        url: The database.
        looking: Leave a SQLite file in the journal mode that it has: it may be somebody else's.
        new: A SQLite file is not there yet: it is made so that it can give room back bit by bit.

    Raises:
        StoreError: The driver is not installed.
    """
    if url.drivername == "sqlite":
        engine = _sqlite_engine(url, looking=looking, new=new)
    else:
        engine = _postgresql_engine(url)
    _ENGINES.add(engine)
    return engine


@atexit.register
def _give_back() -> None:
    """Close what is open when the process ends: SQLite then leaves one file, and not three."""
    for engine in list(_ENGINES):
        engine.dispose()


def _postgresql_engine(url: URL) -> Engine:
    asked = {
        "connect_timeout": WAIT_SECONDS,
        # A server that is gone without a word is noticed by what is not acknowledged.
        "tcp_user_timeout": WAIT_SECONDS * 1000,
        "application_name": "modelmon",
    }
    defaults = {name: value for name, value in asked.items() if name not in url.query}
    try:
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=defaults)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"PostgreSQL needs a driver that is not installed ({error.name}); "
            "right would be: pip install 'modelmon[postgres]'"
        ) from error
    # Many rows in one statement, not in a pipeline of many: after one of those PostgreSQL does not
    # count how long a transaction is idle.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes: committed at the end, rolled back on any exception.

    SQLite takes its only write lock at once. A transaction that reads first and asks for the lock
    later fails without waiting when another process wrote in between.
    """
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
            )
        yield connection


@contextmanager
def of_one_instant(engine: Engine) -> Iterator[Connection]:
    """Open a transaction whose every statement reads the same: nothing is seen half of a change."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # SQLite reads so in any case
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def retried(engine: Engine, write: Callable[[Connection], _Written]) -> _Written:
    """Write in one transaction, and again when another process was quicker.

    A unique key that is taken means that what the other one wrote can be read now, so the same
    steps come to another, right end.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(IntegrityError), writing(engine) as connection:
            return write(connection)
    with writing(engine) as connection:
        return write(connection)


@contextmanager
def reported(url: URL, doing: str) -> Iterator[None]:
    """Turn what SQLAlchemy raises into a StoreError that says what would be right.

    Args:
        url: The database; its password is never shown.
        doing: What was being done, as words that follow "while".
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(_explained(error, url, doing)) from error


def _explained(error: SQLAlchemyError, url: URL, doing: str) -> str:
    cause = error.orig if isinstance(error, StatementError) else error
    said = " ".join(str(cause).split())
    for secret in (url.password, *(url.query[name] for name in _secrets(url))):
        if secret:
            said = said.replace(str(secret), "***")
    known = f"{type(cause).__name__} {said}".lower()
    advice = next((f" – {right}" for words, right in _ADVICE if words in known), "")
    return f"the store {shown(url)} failed while {doing}: {said}{advice}"


def _secrets(url: URL) -> list[str]:
    return [name for name in url.query if "password" in name]


def _sqlite_engine(url: URL, *, looking: bool, new: bool) -> Engine:
    if (path := sqlite_file(url)) is not None:
        engine = create_engine(url, hide_parameters=True)
    else:
        shared = {"check_same_thread": False}
        engine = create_engine(url, hide_parameters=True, poolclass=StaticPool, connect_args=shared)
    event.listen(engine, "connect", _set_up_sqlite)
    if new:
        event.listen(engine, "connect", _vacuum_in_steps)
    if not looking:
        event.listen(engine, "connect", _write_ahead)
    event.listen(engine, "begin", _begin_sqlite)
    if path is not None:
        _hold_to_its_file(engine, path)
    return engine


def _hold_to_its_file(engine: Engine, path: Path) -> None:
    """Refuse an open connection whose file has gone from its path; connect anew to another one.

    SQLite goes on with a file that was moved or deleted: what is written there is lost, and
    everything seems well. Connections listen last, when the file is there.
    """
    known: set[tuple[int, int]] = set()

    def require_file(*_: object) -> None:
        if known and _identity(path) is None:
            raise StoreError(
                f"the database file {path} was moved or deleted while it was open; bring it back, or "
                "mount its disk again: a new one would have no baselines and no history"
            )

    def remember(_: object, record: Any) -> None:
        record.info["file"] = found = _identity(path)
        known.update(() if found is None else (found,))

    def require_same(_: object, record: Any, __: object) -> None:
        require_file()
        if record.info["file"] not in {None, _identity(path)}:
            raise DisconnectionError(f"{path} is another file than the one that was open")

    event.listen(engine, "do_connect", require_file)
    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", require_same)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _set_up_sqlite(connection: Any, record: object) -> None:
    _ = record
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says so
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {TURN_SECONDS * 1000}")
    # A run is one commit, so waiting for the disk is cheap, and what was alerted on survives a
    # power cut (NORMAL may lose the last commits of a write-ahead log).
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _vacuum_in_steps(connection: Any, record: object) -> None:
    _ = record
    connection.execute(VACUUM_IN_STEPS).close()  # heard only before anything is in the file


def _write_ahead(connection: Any, record: object) -> None:
    _ = record
    connection.execute("PRAGMA journal_mode = WAL").close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
