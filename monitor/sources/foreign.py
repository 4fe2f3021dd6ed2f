"""Folders that a table format keeps: what lies in them is not all of it in the table."""

from typing import Any

from pyarrow import fs

_SIGNS = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}
_METADATA = ".metadata.json"
_SAY = {
    "Delta Lake": "say source.format: delta",
    "Iceberg": "say source.format: iceberg, with the table's name in its catalog or a metadata file as the path",
    "Hudi": "write a copy of it as parquet",
}


def kept_by(filesystem: Any, root: str) -> str:
    """Return what is to be done about a folder that a table format keeps; "" for any other.

    Beside the files of the table there are those that it has replaced or deleted rows of, until
    they are cleaned up: whoever reads all of them counts rows twice that are there once or no more.

    Args:
        filesystem: A pyarrow file system.
        root: The folder on it.

    Raises:
        OSError: The folder cannot be looked into.
    """
    paths = [f"{root}/{name}" for name in (*_SIGNS, "metadata")]
    found = filesystem.get_file_info(paths)
    there = [info.type is fs.FileType.Directory for info in found]
    kinds = [kind for kind, known in zip(_SIGNS.values(), there, strict=False) if known]
    if there[-1] and _has_metadata(filesystem, paths[-1]):
        kinds.append("Iceberg")
    if not kinds:
        return ""
    return (
        f"it is a table of {kinds[0]}, whose folder holds rows that the table has no more: "
        f"{_SAY[kinds[0]]}"
    )


def _has_metadata(filesystem: Any, folder: str) -> bool:
    infos = filesystem.get_file_info(fs.FileSelector(folder))
    return any(info.path.endswith(_METADATA) for info in infos)
