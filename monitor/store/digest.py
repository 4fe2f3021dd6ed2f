"""The digest of a run's results as they are stored: what the audit log says they were."""

import json
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select

from monitor.store.tables import FINDINGS, PROFILES, READINGS, SCHEMA_CHANGES

_AT_ONCE = 1000  # rows that are held while they are digested

_TABLES = (PROFILES, READINGS, FINDINGS, SCHEMA_CHANGES)


def results_digest(connection: Connection, run: int) -> str:
    """Return sha256 over every row of a run's results, in their order.

    It is the same in every database that holds the same rows: the rows' number of the run, which
    another database gives out in another order, takes no part.
    """
    found = sha256()
    for table in _TABLES:
        columns = [column for column in table.columns if column.name != "run"]
        found.update(f"{table.name} {' '.join(column.name for column in columns)}\n".encode())
        query = select(*columns).where(table.c.run == run)
        for row in _ordered(connection, table, query):
            found.update(_DIGESTED.encode(list(row)).encode() + b"\n")
    return found.hexdigest()


def _ordered(connection: Connection, table: Table, query: Select[Any]) -> Iterable[Row[Any]]:
    if table is PROFILES:  # few and large: those that a database sorts it holds several times
        return sorted(connection.execute(query), key=attrgetter("position"))
    ordered = query.order_by(table.c.position)
    return connection.execute(ordered, execution_options={"yield_per": _AT_ONCE})


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return sha256(value).hexdigest()
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no column holds a {type(value).__name__}")


_DIGESTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_as_text)
