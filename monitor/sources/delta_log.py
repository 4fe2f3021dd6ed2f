"""The commits of a Delta Lake table: when each was made, and what it changed."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from monitor.domain.errors import SourceError
from monitor.sources.commits import Changed, Commit

_WRITES = {"WRITE", "MERGE", "STREAMING UPDATE", "COPY INTO"}
"""Operations that a writer of rows makes: one without rows says that there were none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def commits(filesystem: Any, root: str, version: int) -> Iterator[Commit]:
    """Yield the commits of a table, newest first, up to where its log was cleaned up.

    Args:
        filesystem: Where the table is, a pyarrow file system.
        root: Its folder there.
        version: The version to begin with.

    Raises:
        SourceError: A commit cannot be understood.
        OSError: One cannot be read.
    """
    for number in range(version, -1, -1):
        path = f"{root}/_delta_log/{number:020}.json"
        try:
            with filesystem.open_input_file(path) as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return
        try:
            actions = [json.loads(line) for line in lines if line.strip()]
            yield _commit(number, actions, filesystem, path)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
            raise SourceError(f"version {number} of the table's log is damaged: {error}") from None


def _commit(number: int, actions: list[Mapping[str, Any]], filesystem: Any, path: str) -> Commit:
    added = [action["add"] for action in actions if action.get("add")]
    removed = [action["remove"] for action in actions if action.get("remove")]
    info: Mapping[str, Any] = next(
        (action["commitInfo"] for action in actions if action.get("commitInfo")), {}
    )
    at = info.get("inCommitTimestamp") or info.get("timestamp")
    if at is None:  # then the time of the file is the commit's, as the protocol has it
        at = filesystem.get_file_info(path).mtime_ns // 10**6
    changes = any(action.get("dataChange", True) for action in (*added, *removed))
    brings = any(action.get("dataChange", True) for action in added)
    files = Changed(
        frozenset(unquote(action["path"]) for action in added),
        frozenset(unquote(action["path"]) for action in removed),
    )
    return Commit(
        id=str(number),
        at=_EPOCH + timedelta(milliseconds=int(at)),
        brings_rows=brings or info.get("operation") in _WRITES,
        changes_rows=changes,
        changed=lambda: files,
    )
