"""The snapshots of an Iceberg table: when each was made, and what it changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from monitor.sources.commits import Changed, Commit

_WRITES = {"append", "overwrite"}
"""Operations that a writer of rows makes: one without rows says that there were none."""

_MOVES = "replace"
"""The operation that puts the same rows into other files."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(milliseconds: int) -> datetime:
    """Return the instant that a table's metadata means."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def commits(table: Any, current: Any, base: str) -> Iterator[Commit]:
    """Yield the snapshots that led to one, newest first, as far as they have not expired.

    Args:
        table: A table of pyiceberg's.
        current: The snapshot to begin with; None for none.
        base: Where the table is: paths are shown without it.
    """
    while current is not None:
        yield _commit(table, current, base)
        parent = current.parent_snapshot_id
        current = None if parent is None else table.snapshot_by_id(parent)


def _commit(table: Any, snapshot: Any, base: str) -> Commit:
    operation = "" if snapshot.summary is None else snapshot.summary.operation.value
    return Commit(
        id=str(snapshot.snapshot_id),
        at=instant(snapshot.timestamp_ms),
        brings_rows=operation in _WRITES,
        changes_rows=operation != _MOVES,
        changed=partial(_changed, table, snapshot, base),
    )


def _changed(table: Any, snapshot: Any, base: str) -> Changed:
    from pyiceberg.manifest import ManifestContent, ManifestEntryStatus  # noqa: PLC0415  # an extra

    files: dict[bool, set[str]] = {False: set(), True: set()}
    anywhere = False
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id != snapshot.snapshot_id:
            continue  # it came with an earlier one
        anywhere = anywhere or manifest.content is ManifestContent.DELETES
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
            if entry.snapshot_id == snapshot.snapshot_id:
                gone = entry.status is ManifestEntryStatus.DELETED
                files[gone].add(entry.data_file.file_path.removeprefix(f"{base}/"))
    return Changed(frozenset(files[False]), frozenset(files[True]), anywhere)
