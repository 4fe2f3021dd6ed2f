"""Remote files read by byte ranges that are fetched together."""

import io
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from typing import Any

from monitor.sources.reaching import nothing_asked, reaching
from monitor.sources.thrift import Shape, read_struct

# Numbers of fields in parquet.thrift, and what is wanted of them.
_ROW_GROUPS, _COLUMNS, _METADATA, _SIZE, _DATA_PAGE, _DICTIONARY_PAGE = 4, 1, 3, 7, 9, 11
_OF_CHUNK: Shape = dict.fromkeys((_SIZE, _DATA_PAGE, _DICTIONARY_PAGE), int)
_OF_FILE: Shape = {_ROW_GROUPS: ({_COLUMNS: ({_METADATA: _OF_CHUNK},)},)}

Range = tuple[int, int]
"""First byte, and the first byte after it."""

HOLE = 2**20
"""Bytes between two ranges that cost less than another request would."""

TOGETHER = 64 * 2**20
"""Bytes that are held at once; of more, each range is a request of its own, made when it is read.

Columns of such a row group are so large that the wait for a request is little beside its bytes.
"""


class RangedFile(io.RawIOBase):
    """A file of an object store, whose announced ranges are fetched with few requests.

    Reading outside of what was announced is a request each. What was fetched is let go when
    something else is announced.

    Args:
        handle: The file, a pyarrow NativeFile.
        path: What the file is called in messages.
        ask: Asks the storage for what it gave before.
    """

    def __init__(
        self, handle: Any, path: str = "", ask: Callable[[], object] = nothing_asked
    ) -> None:
        self._handle = handle
        self._path = path
        self._ask = ask
        self._size: int = handle.size()
        self._at = 0
        self._begins: list[int] = []
        self._buffers: list[bytes] = []

    def fetch(self, ranges: Collection[Range]) -> None:
        """Fetch some ranges in as few requests as pays, if they are not too large to hold."""
        self._begins, self._buffers = [], []
        if sum(end - begin for begin, end in ranges) > TOGETHER:
            return
        for begin, end in merged(ranges):
            self._buffers.append(self._fetched(begin, end))
            self._begins.append(begin)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def size(self) -> int:
        """Return the bytes of the file."""
        return self._size

    def tell(self) -> int:
        """Return the place that is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return bytes from the present place on."""
        begin = self._at
        end = self._size if size < 0 else min(begin + size, self._size)
        self._at = max(begin, end)
        held = bisect_right(self._begins, begin) - 1
        if held >= 0:
            offset = begin - self._begins[held]
            if offset + end - begin <= len(self._buffers[held]):
                return self._buffers[held][offset : offset + end - begin]
        return self._fetched(begin, end) if end > begin else b""

    def _fetched(self, begin: int, end: int) -> bytes:
        with reaching(self._path, self._ask):
            content: bytes = self._handle.read_at(end - begin, begin)
            return content

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._buffers = []
            self._handle.close()
        super().close()


def merged(ranges: Collection[Range]) -> Sequence[Range]:
    """Return ranges in their order, near ones as one with what lies between."""
    together: list[Range] = []
    for begin, end in sorted(ranges):
        if together and begin <= together[-1][1] + HOLE:
            together[-1] = (together[-1][0], max(end, together[-1][1]))
        else:
            together.append((begin, end))
    return together


def column_ranges(data: bytes, groups: Collection[int], leaves: Collection[int]) -> list[Range]:
    """Return where the column chunks of some row groups lie in a parquet file.

    A chunk that the footer does not place (an encrypted one) has none.

    Args:
        data: The file's footer; pyarrow's account of a column chunk may end the process.
        groups: Numbers of row groups.
        leaves: Indices of parquet columns.
    """
    ranges = []
    row_groups = read_struct(data, _OF_FILE).get(_ROW_GROUPS, [])
    for group in groups:
        columns = row_groups[group].get(_COLUMNS, [])
        for leaf in leaves:
            chunk = columns[leaf].get(_METADATA, {}) if leaf < len(columns) else {}
            if chunk.get(_SIZE, 0) > 0 and chunk.get(_DATA_PAGE, 0) > 0:
                begin = min(chunk[_DATA_PAGE], chunk.get(_DICTIONARY_PAGE) or chunk[_DATA_PAGE])
                ranges.append((begin, begin + chunk[_SIZE]))
    return ranges
