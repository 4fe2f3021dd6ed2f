"""Iceberg tables: which files a snapshot consists of."""

from collections.abc import Iterable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitor.domain.errors import SourceError
from monitor.domain.manifest import TableSnapshot, UnreadableFile
from monitor.domain.policy import NO_CATALOGS
from monitor.sources.iceberg_log import commits, instant
from monitor.sources.location import Fault, FoundFile, Locator, redacted
from monitor.sources.snapshot import SnapshotFile, SnapshotLocation, kept_rows

NEEDS = "Iceberg tables need the package pyiceberg: pip install 'modelmon[iceberg]'"

_IO = {"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}  # the reader is pyarrow's


def iceberg_table(
    path: str,
    directory: str,
    snapshot: str = "",
    catalogs: Mapping[str, Mapping[str, str]] = NO_CATALOGS,
) -> Locator:
    """Return what finds the files of a snapshot of a table.

    Args:
        path: ``catalog/namespace.table``, or a path or URI of one metadata file
            (``….metadata.json``).
        directory: Folder that a relative path of a metadata file starts from.
        snapshot: Which one, by its id; "" for the current one at each look.
        catalogs: Properties of catalogs by their names; pyiceberg's own configuration, and so the
            environment, says the rest.
    """

    def locate() -> SnapshotLocation:
        return _located(path, directory, snapshot, catalogs)

    return locate


def _located(
    path: str, directory: str, snapshot: str, catalogs: Mapping[str, Mapping[str, str]]
) -> SnapshotLocation:
    try:
        from pyiceberg.exceptions import (  # noqa: PLC0415  # an extra
            NoSuchNamespaceError,
            NoSuchTableError,
            RESTError,
            ValidationError,
        )
    except ModuleNotFoundError:
        raise SourceError(NEEDS) from None
    shown = redacted(path)
    try:
        return _snapshot(shown, _table(path, directory, catalogs), snapshot)
    except (NoSuchTableError, NoSuchNamespaceError) as error:
        raise SourceError(f"{shown}: no such table: {error}", retryable=True) from None
    except ValidationError as error:  # of several lines: what, why, and where to read more
        problem = "; ".join(line.strip() for line in str(error).splitlines()[:2])
        raise SourceError(f"{shown}: its metadata cannot be read: {redacted(problem)}") from None
    except (ValueError, pa.ArrowException) as error:  # also how pyiceberg refuses what it cannot do
        raise SourceError(f"{shown}: {redacted(str(error))}") from None
    except (OSError, RESTError) as error:
        problem = f"{shown}: cannot be reached: {redacted(str(error))}"
        raise SourceError(problem, retryable=True) from None


def _table(path: str, directory: str, catalogs: Mapping[str, Mapping[str, str]]) -> Any:
    from pyiceberg.catalog import load_catalog  # noqa: PLC0415  # an extra
    from pyiceberg.table import StaticTable  # noqa: PLC0415

    if path.endswith(".metadata.json"):
        uri = path if "://" in path else f"file://{Path(directory, path).absolute()}"
        return StaticTable.from_metadata(uri, dict(_IO))
    catalog, _, name = path.partition("/")
    return load_catalog(catalog, **_IO, **catalogs.get(catalog, {})).load_table(name)


def _snapshot(shown: str, table: Any, wanted: str) -> SnapshotLocation:
    from pyiceberg.manifest import FileFormat  # noqa: PLC0415  # an extra

    current = table.snapshot_by_id(int(wanted)) if wanted else table.current_snapshot()
    if wanted and current is None:
        raise SourceError(f"{shown}: snapshot {wanted} has expired")
    base = table.location().rstrip("/")
    filesystem = _filesystem(table, base)
    deletes = _Deletes(filesystem)
    files: dict[str, SnapshotFile] = {}
    others: list[UnreadableFile] = []
    for task in table.scan(snapshot_id=current and current.snapshot_id).plan_files():
        path = task.file.file_path.removeprefix(f"{base}/")
        if task.file.file_format != FileFormat.PARQUET:
            kind = f"the table keeps it as {task.file.file_format}"
            others.append(UnreadableFile(path, Fault.NOT_PARQUET, kind))
            continue
        gone = deletes.of(task.file.file_path, task.delete_files)
        modified = _digest(file.file_path for file in task.delete_files)
        found = FoundFile(path, task.file.file_size_in_bytes, modified)
        kept = kept_rows(task.file.record_count, gone) if gone else None
        place = _place(task.file.file_path)
        files[path] = SnapshotFile(found, place, _keys(table, task.file), kept)
    return SnapshotLocation(
        filesystem,
        _place(base),
        "",
        shown,
        state=_state(current),
        files=files,
        history=partial(commits, table, current, base),
        others=tuple(others),
        columns={item.field_id: item.name for item in _schema(table, current).fields},
    )


def _state(current: Any) -> TableSnapshot:
    if current is None:
        return TableSnapshot("iceberg", "")
    return TableSnapshot(
        "iceberg",
        str(current.snapshot_id),
        instant(current.timestamp_ms).isoformat(timespec="milliseconds"),
    )


def _schema(table: Any, current: Any) -> Any:
    """Return the schema of the table; of a former snapshot, the one that it was written with."""
    if current is None or current == table.current_snapshot():
        return table.schema()
    return table.schemas().get(current.schema_id, table.schema())


def _digest(deletes: Iterable[str]) -> str:
    """Return what tells a data file apart from itself with other rows deleted; "" for none."""
    named = "\n".join(sorted(deletes))
    return sha256(named.encode()).hexdigest()[:16] if named else ""


def _place(uri: str) -> str:
    from pyiceberg.io.pyarrow import PyArrowFileIO  # noqa: PLC0415  # an extra

    return str(PyArrowFileIO.parse_location(uri)[2])


def _filesystem(table: Any, base: str) -> Any:
    from pyiceberg.io.pyarrow import PyArrowFileIO  # noqa: PLC0415  # an extra

    scheme, host, _ = PyArrowFileIO.parse_location(base)
    return table.io.fs_by_scheme(scheme, host)


def _keys(table: Any, file: Any) -> Mapping[str, Any]:
    """Return partition values that are column values, which a file may leave out."""
    spec = table.specs()[file.spec_id]
    columns = table.schema().as_arrow()
    keys = {}
    for place, partition in enumerate(spec.fields):
        name = table.schema().find_column_name(partition.source_id)
        if str(partition.transform) == "identity" and name in columns.names:
            keys[name] = pa.scalar(file.partition[place], columns.field(name).type)
    return keys


class _Deletes:
    """Rows that are deleted by their positions, read from the files that name them.

    Args:
        filesystem: Where they are.
    """

    def __init__(self, filesystem: Any) -> None:
        self._filesystem = filesystem
        self._read: dict[str, Any] = {}

    def of(self, uri: str, files: Iterable[Any]) -> list[int]:
        """Return the positions of a data file's deleted rows.

        Raises:
            SourceError: Rows are deleted otherwise than by position in a parquet file.
        """
        from pyiceberg.manifest import DataFileContent, FileFormat  # noqa: PLC0415  # an extra

        gone: list[int] = []
        for file in files:
            parquet = file.file_format == FileFormat.PARQUET
            if file.content is not DataFileContent.POSITION_DELETES or not parquet:
                raise SourceError(
                    f"{file.file_path}: rows deleted by {file.content.name.lower()} in "
                    f"{file.file_format} are not read; compact the table (rewrite_data_files)"
                )
            if file.file_path not in self._read:
                place = _place(file.file_path)
                self._read[file.file_path] = pq.read_table(
                    place, columns=["file_path", "pos"], filesystem=self._filesystem
                )
            named = self._read[file.file_path]
            mine = pc.equal(named.column("file_path"), uri)
            gone += named.column("pos").filter(mine).to_pylist()
        return gone
