"""What is known of quarantined files, in SQL."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from monitor.domain.quarantine import QuarantinedFile, QuarantineState
from monitor.store.tables import QUARANTINE

_RENAMED = {"by": "decided_by"}
"""Attributes whose names are words of SQL."""

_COLUMNS = {name: _RENAMED.get(name, name) for name in QuarantinedFile.__struct_fields__}
_KEY = ("model", "path_digest")


def write_files(
    connection: Connection, files: Sequence[QuarantinedFile]
) -> Sequence[QuarantinedFile]:
    """Write those files whose stored state is the one that theirs follows from.

    Returns:
        Those that were written.
    """
    written: list[QuarantinedFile] = []
    for model in sorted({file.model for file in files}):
        stored = _changes(connection, model)
        # One order for all writers: no deadlock.
        rows = {_path_digest(file): file for file in files if file.model == model}
        of_model = sorted(rows.items())
        new = [file for path, file in of_model if path not in stored and file.change == 1]
        following = [file for path, file in of_model if stored.get(path) == file.change - 1]
        if new:
            connection.execute(insert(QUARANTINE), [_row(file) for file in new])
        written += new
        written += [file for file in following if _update(connection, _row(file))]
    return written


def read_files(connection: Connection, model: str) -> Mapping[str, QuarantinedFile]:
    """Return the files of a model by path, in the order in which they were first seen."""
    query = (
        select(QUARANTINE)
        .where(QUARANTINE.c.model == model)
        .order_by(QUARANTINE.c.first_seen, QUARANTINE.c.path)
    )
    return {row["path"]: _file(row) for row in connection.execute(query).mappings()}


def _changes(connection: Connection, model: str) -> dict[str, int]:
    query = select(QUARANTINE.c.path_digest, QUARANTINE.c.change).where(QUARANTINE.c.model == model)
    found: dict[str, int] = dict(connection.execute(query).all())
    return found


def _update(connection: Connection, row: dict[str, Any]) -> int:
    # The condition is looked at again where the row is locked: another writer may have been quicker
    # since `_changes` on a database that lets several write at once.
    statement = update(QUARANTINE).where(
        *(QUARANTINE.c[name] == bindparam(f"of_{name}") for name in _KEY),
        QUARANTINE.c.change == bindparam("before"),
    )
    found = {f"of_{name}": row[name] for name in _KEY} | {"before": row["change"] - 1}
    parts = {name: value for name, value in row.items() if name not in _KEY}
    return connection.execute(statement, {**parts, **found}).rowcount


def _row(file: QuarantinedFile) -> dict[str, Any]:
    parts = {_COLUMNS[name]: value for name, value in asdict(file).items()}
    return {**parts, "path_digest": _path_digest(file)}


def _path_digest(file: QuarantinedFile) -> str:
    return sha256(file.path.encode("utf-8", "surrogatepass")).hexdigest()


def _file(row: RowMapping) -> QuarantinedFile:
    parts = {name: row[column] for name, column in _COLUMNS.items()}
    return QuarantinedFile(**{**parts, "state": QuarantineState(row["state"])})
