"""Delta Lake tables: which files a version consists of."""

import os
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pyarrow as pa

from monitor.domain.errors import SourceError
from monitor.domain.manifest import TableSnapshot
from monitor.sources.delta_log import commits
from monitor.sources.location import FoundFile, Locator, file_system, redacted
from monitor.sources.snapshot import SnapshotFile, SnapshotLocation

NEEDS = "Delta Lake tables need the package deltalake: pip install 'modelmon[delta]'"

_READ = {"appendOnly", "timestampNtz", "deletionVectors", "vacuumProtocolCheck", "v2Checkpoint"}
"""Features of a table that leave its data files plain parquet, with deleted rows named apart."""


def delta_table(path: str, directory: str, version: str = "") -> Locator:
    """Return what finds the files of a version of a table.

    Args:
        path: Folder of the table: a local path or a URI.
        directory: Folder that a relative path starts from.
        version: Which one; "" for the newest at each look.
    """

    def locate() -> SnapshotLocation:
        return _located(path, directory, int(version) if version else None)

    return locate


def _located(path: str, directory: str, wanted: int | None) -> SnapshotLocation:
    try:
        from deltalake import DeltaTable  # noqa: PLC0415  # an extra
        from deltalake.exceptions import DeltaError, TableNotFoundError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise SourceError(NEEDS) from None
    shown = redacted(path)
    try:
        filesystem, root = file_system(path, directory)
        root = root.rstrip("/")
        uri = path.partition("?")[0] if "://" in path else root
        table = DeltaTable(uri, wanted, storage_options=_options(path))
        _refuse_unreadable(shown, table)
        files = _files(table, root)
        version = table.version()
        history = partial(commits, filesystem, root, version)
        newest = next(history(), None)
    except TableNotFoundError as error:
        raise SourceError(
            f"{shown}: no Delta table: {redacted(str(error))}", retryable=True
        ) from None
    except (DeltaError, pa.ArrowException) as error:
        said = str(error).partition("\n")[0]
        raise SourceError(f"{shown}: {redacted(said)}") from None
    except OSError as error:
        problem = f"{shown}: cannot be reached: {redacted(str(error))}"
        raise SourceError(problem, retryable=True) from None
    committed = "" if newest is None else newest.at.isoformat(timespec="milliseconds")
    state = TableSnapshot("delta", str(version), committed)
    return SnapshotLocation(filesystem, root, "", shown, state, files, history)


def _options(uri: str) -> dict[str, str]:
    """Return what the query of an S3 URI says to pyarrow, in the words of the Delta library.

    Credentials come from the environment for both.
    """
    parts = urlsplit(uri)
    if parts.scheme != "s3":
        return {}
    said = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    options = {}
    endpoint = said.get("endpoint_override", "")
    if endpoint:
        scheme = "" if "://" in endpoint else f"{said.get('scheme', 'https')}://"
        options["AWS_ENDPOINT_URL"] = f"{scheme}{endpoint}"
    elif "AWS_ENDPOINT_URL" in os.environ:
        options["AWS_ENDPOINT_URL"] = os.environ["AWS_ENDPOINT_URL"]
    if options.get("AWS_ENDPOINT_URL", "").startswith("http://"):
        options["AWS_ALLOW_HTTP"] = "true"
    if "region" in said:
        options["AWS_REGION"] = said["region"]
    return options


def _refuse_unreadable(shown: str, table: Any) -> None:
    protocol = table.protocol()
    unknown = sorted(set(protocol.reader_features or ()) - _READ)
    mapping = table.metadata().configuration.get("delta.columnMapping.mode", "none")
    if mapping != "none" and "columnMapping" not in unknown:
        unknown.append("columnMapping")
    if unknown:
        raise SourceError(
            f"{shown}: the table uses {', '.join(unknown)}, which is not read; "
            "write a copy without it, or a view of it as parquet"
        )


def _files(table: Any, root: str) -> Mapping[str, SnapshotFile]:
    """Return the data files of the version that is loaded."""
    kept = _kept(table)
    actions = pa.table(table.get_add_actions())
    partitions = _partitions(actions)
    files = {}
    for place, action in enumerate(
        actions.select(["path", "size_bytes", "modification_time"]).to_pylist()
    ):
        path = unquote(action["path"])
        absolute = "://" in path or path.startswith("/")
        if absolute:
            raise SourceError(
                f"{redacted(path)}: a data file outside of the table's folder (a shallow clone?) "
                "is not read; name the table that it belongs to"
            )
        mask = kept.get(path)
        modified = str(action["modification_time"])
        if mask is not None:
            modified += f" {_digest(mask)}"
        found = FoundFile(path, action["size_bytes"], modified)
        keys = {name: values[place] for name, values in partitions.items()}
        files[path] = SnapshotFile(found, f"{root}/{path}", keys, mask)
    return files


def _partitions(actions: Any) -> Mapping[str, Any]:
    if "partition" not in actions.column_names:
        return {}
    struct = actions.column("partition").combine_chunks()
    return {kind.name: struct.field(index) for index, kind in enumerate(struct.type)}


def _kept(table: Any) -> Mapping[str, Any]:
    """Return the rows that are not deleted of each file that has deleted ones."""
    if "deletionVectors" not in (table.protocol().reader_features or ()):
        return {}
    base = table.table_uri.rstrip("/")
    masks = {}
    for batch in pa.RecordBatchReader.from_stream(table.deletion_vectors()):
        for uri, rows in zip(batch.column(0), batch.column(1), strict=True):
            path = unquote(uri.as_py()).removeprefix(unquote(base)).lstrip("/")
            masks[path] = pa.array(np.asarray(rows.values.to_numpy(zero_copy_only=False)))
    return masks


def _digest(mask: Any) -> str:
    bits = np.packbits(mask.to_numpy(zero_copy_only=False))
    return sha256(bits.tobytes()).hexdigest()[:16]
