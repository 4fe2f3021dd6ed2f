"""Everything that is stored as one file, and a new store made from it.

The file is gzipped lines of JSON: a head, the rows of each table, and an end that says how many they
are and what their digests come to. It is the same for SQLite and PostgreSQL, so that a store can
be moved from one to the other.
"""

import gzip
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct, field
from sqlalchemy import Connection, LargeBinary, Table, func, insert, select, text

from monitor.domain.errors import StoreError
from monitor.store.connection import (
    connect_lazily,
    database_url,
    reported,
    shown,
    sqlite_file,
    writing,
)
from monitor.store.every_table import METADATA
from monitor.store.schema import REVISIONS, SchemaStatus, check, require_current, upgrade
from monitor.store.tables import Instant

FORMAT = 1
"""Number of the file's format."""

_BATCH = 500
"""Rows that are read or written at a time."""

_FEW = 8
"""Of those with bytes: a profile with many slices has tens of megabytes."""

_HELD = 1 << 24
"""Characters of lines, after which rows are written however few they are."""

_MODULUS = 1 << 256

_DAMAGED = (EOFError, OSError, zlib.error, ValueError, KeyError)
"""What reading a file raises that was cut off or changed."""


class _Sum(Struct):
    """How many rows there are, and the sum of their sha256: the same in any order."""

    rows: int = 0
    digest: int = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self.digest = (self.digest + int.from_bytes(sha256(line).digest())) % _MODULUS

    def told(self) -> dict[str, Any]:
        return {"rows": self.rows, "sum": f"{self.digest:064x}"}


class Backup(Struct, frozen=True):
    """What a backup holds.

    Attributes:
        schema: The revision of the schema that its rows are of.
        code: The version of modelmon that wrote it.
        made_at: When.
        tables: Table to the number of its rows.
    """

    schema: str
    code: str
    made_at: datetime
    tables: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Return how many rows there are."""
        return sum(self.tables.values())


def write_backup(url: str, target: BinaryIO, code: str, now: datetime) -> Backup:
    """Write everything that is stored as of one instant; whoever writes meanwhile does not wait.

    Args:
        url: The database.
        target: Where the file goes.
        code: The version of modelmon.
        now: The present.

    Raises:
        StoreError: The database cannot be read, or has not the schema of this version.
    """
    require_current(url)
    where = database_url(url)
    engine = connect_lazily(where)
    sums = {table.name: _Sum() for table in METADATA.sorted_tables}
    about = {"modelmon_backup": FORMAT, "schema": REVISIONS[-1], "code": code}
    try:
        with (
            gzip.GzipFile(filename="", fileobj=target, mode="wb", mtime=0) as file,
            reported(where, "backing it up"),
            engine.connect() as connection,
        ):
            file.write(_line({**about, "made_at": now.isoformat()}))
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                for table in METADATA.sorted_tables:
                    file.write(_line({"table": table.name, "columns": table.columns.keys()}))
                    for line in _lines(connection, table):
                        sums[table.name].add(line)
                        file.write(line)
            file.write(_line({"end": {name: each.told() for name, each in sums.items()}}))
    finally:
        engine.dispose()
    return Backup(REVISIONS[-1], code, now, {name: each.rows for name, each in sums.items()})


def check_backup(path: Path) -> Backup:
    """Read a backup to its end, and return what it holds.

    Raises:
        StoreError: It is none, or is cut off or damaged.
    """
    sums: dict[str, _Sum] = {}
    told: Any = None
    with _readable(path) as lines:
        about = _head(path, next(lines, b""))
        table = ""
        for line in lines:
            if line.startswith(b"["):
                sums[table].add(line)
                continue
            mark = json.loads(line)
            told = mark.get("end")
            table = mark.get("table", "")
            sums.setdefault(table, _Sum())
    sums.pop("", None)
    if told != {name: each.told() for name, each in sums.items()}:
        raise _damaged(path, "its end is missing, or does not go with its rows")
    return Backup(
        about["schema"],
        about["code"],
        datetime.fromisoformat(about["made_at"]),
        {name: each.rows for name, each in sums.items()},
    )


def restore(url: str, path: Path) -> Backup:
    """Fill an empty store with a backup; all or nothing.

    The backup is read to its end before anything is written, and what was written is read again and
    held against it before it is committed. The schema is made where there is none.

    Raises:
        StoreError: The backup is damaged or of another schema, or the store is not empty or cannot
            be written.
    """
    backup = check_backup(path)
    if backup.schema != REVISIONS[-1]:
        raise StoreError(
            f"{path} has schema {backup.schema}, and this version of modelmon needs "
            f"{REVISIONS[-1]}: restore it with modelmon {backup.code}, which wrote it, and then run "
            "`modelmon db upgrade` of this one"
        )
    where = database_url(url)
    file = sqlite_file(where)
    if (file is not None and not file.exists()) or check(url).status is SchemaStatus.MISSING:
        upgrade(url)
    require_current(url)
    engine = connect_lazily(where)
    try:
        with reported(where, f"restoring {path}"), writing(engine) as connection:
            _require_empty(connection, shown(where))
            with _readable(path) as lines:
                next(lines)
                _fill(connection, lines)
            for table in METADATA.sorted_tables:
                _go_on_counting(connection, table)
            _require_same(connection, path)
    finally:
        engine.dispose()
    return backup


def _fill(connection: Connection, lines: Iterator[bytes]) -> None:
    """Insert the rows as they come, a batch at a time."""
    table, batch, held = METADATA.sorted_tables[0], list[dict[str, Any]](), 0
    for line in lines:
        full = len(batch) == _BATCH or held > _HELD
        if batch and (full or not line.startswith(b"[")):
            connection.execute(insert(table), batch)
            batch, held = [], 0
        if line.startswith(b"["):
            batch.append(_row(table, json.loads(line)))
            held += len(line)
        elif "table" in (mark := json.loads(line)):
            table = METADATA.tables[mark["table"]]


def _require_empty(connection: Connection, where: str) -> None:
    filled = [
        table.name
        for table in METADATA.sorted_tables
        if connection.execute(select(table).limit(1)).first() is not None
    ]
    if filled:
        raise StoreError(
            f"{where} is not empty ({', '.join(filled)} have rows), and a backup is restored into "
            "an empty store only: name another database in store.url"
        )


def _require_same(connection: Connection, path: Path) -> None:
    """Hold what was written against the end of the backup."""
    with _readable(path) as lines:
        told = json.loads([line for line in lines if line.startswith(b'{"end"')][-1])["end"]
    for table in METADATA.sorted_tables:
        found = _Sum()
        for line in _lines(connection, table):
            found.add(line)
        if found.told() != told[table.name]:
            raise StoreError(
                f"what {table.name} gives back is not what {path} has: nothing was restored"
            )


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number new rows from the last one on; SQLite does so by itself."""
    number = table.autoincrement_column
    if number is None or connection.dialect.name != "postgresql":
        return
    last = connection.scalar(select(func.max(number)))
    if last is not None:
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, :number), :last)"),
            {"name": table.name, "number": number.name, "last": last},
        )


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield the rows of a table as lines, in the order of its key."""
    query = select(table).order_by(*table.primary_key)
    large = any(isinstance(column.type, LargeBinary) for column in table.columns)
    batch = _FEW if large else _BATCH
    streamed = connection.execution_options(stream_results=True, yield_per=batch)
    for row in streamed.execute(query):
        yield _line([_told(value) for value in row])


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return value + 0.0  # SQLite has no negative zero
    return b64encode(value).decode() if isinstance(value, bytes) else value


def _row(table: Table, values: list[Any]) -> dict[str, Any]:
    return {
        column.name: None if value is None else _READ.get(type(column.type), _as_it_is)(value)
        for column, value in zip(table.columns, values, strict=True)
    }


def _as_it_is(value: Any) -> Any:
    return value


_READ: Mapping[type, Callable[[Any], Any]] = {
    Instant: datetime.fromisoformat,
    LargeBinary: b64decode,
}


def _line(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@contextmanager
def _readable(path: Path) -> Iterator[Iterator[bytes]]:
    """Open a backup; what is wrong with it, where its lines are used, is told as a StoreError."""
    try:
        with gzip.open(path, "rb") as file:
            yield iter(file)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.strerror:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error
        raise _damaged(path, str(error)) from error


def _head(path: Path, line: bytes) -> dict[str, Any]:
    about: Any = json.loads(line)
    if not isinstance(about, dict) or about.get("modelmon_backup") != FORMAT:
        raise StoreError(
            f"{path} is no backup of format {FORMAT}, which `modelmon db backup` of this version writes"
        )
    return about


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(f"{path} is cut off or damaged ({why}): restore another backup")
