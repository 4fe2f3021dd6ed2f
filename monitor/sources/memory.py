"""A table in memory, given to the same reader as a log on disk."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write_table(data: Any, path: Path) -> None:
    """Write a pandas frame or a pyarrow table to one parquet file.

    Args:
        data: A pandas DataFrame, a pyarrow Table, or anything with the Arrow stream interface.
        path: The file.

    Raises:
        TypeError: ``data`` is none of these.
    """
    if isinstance(data, pa.Table):
        table = data
    elif hasattr(data, "__arrow_c_stream__"):
        table = pa.table(data)
    elif hasattr(data, "columns"):
        table = pa.Table.from_pandas(data, preserve_index=False)
    else:
        raise TypeError(f"a pandas frame or a pyarrow table is needed, not {type(data).__name__}")
    pq.write_table(table, path)
