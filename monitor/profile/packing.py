"""A header and named arrays as one compressed stream, written and read piece by piece.

A profile with many slices is ten times larger in memory than its bytes form is: neither way holds
all of it beside the arrays themselves.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
"""Arrays by name; they are written in the order of the names."""

Layout = Iterable[tuple[str, str, list[int]]]
"""Name, dtype and shape of arrays in the order in which they are written."""

_LEVEL = 5  # of compression: 6 takes twice the time for two bytes in a hundred
_FORM = 4  # bytes that say what it is
_PIECE = 1 << 16  # bytes that are passed over at once
_PACKED = 1 << 14  # bytes that are given to decompress: what it leaves of them is copied each time


def pack(form: bytes, header: Mapping[str, Any], arrays: Arrays) -> bytes:
    """Return the bytes form of a header and arrays, the same on every machine.

    Args:
        form: First four bytes, not compressed: what it is, and the version of the layout.
        header: What JSON can hold; ``arrays`` is added to it.
        arrays: Written as little endian.
    """
    names = sorted(arrays)
    layout = [
        [name, arrays[name].dtype.newbyteorder("<").str, list(arrays[name].shape)] for name in names
    ]
    text = json.dumps(
        {**header, "arrays": layout}, sort_keys=True, ensure_ascii=True, separators=(",", ":")
    ).encode()
    stream = zlib.compressobj(_LEVEL)
    packed = [form, stream.compress(len(text).to_bytes(4, "little")), stream.compress(text)]
    for name in names:
        little = arrays[name].dtype.newbyteorder("<")
        packed.append(stream.compress(np.ascontiguousarray(arrays[name], little).data))
    packed.append(stream.flush())
    return b"".join(packed)


def unpack(form: bytes, data: bytes) -> tuple[dict[str, Any], "Body"]:
    """Return the header of a bytes form, and what its arrays can be read from.

    Args:
        form: What it must begin with.
        data: The bytes form.

    Raises:
        ValueError: The bytes are something else, or of a layout this version does not read.
        zlib.error: They are damaged.
    """
    if data[:3] != form[:3]:
        raise ValueError(f"not a {form[:3].decode()} document: it begins with {data[:_FORM]!r}")
    if data[:_FORM] != form:
        raise ValueError(
            f"layout {data[:_FORM]!r} is not read by this version, which reads {form!r}"
        )
    body = Body(data)
    header = json.loads(body.read(int.from_bytes(body.read(4), "little")))
    return header, body


def content_digest(data: bytes) -> str:
    """Return sha256 of a bytes form's content, which does not depend on how it was compressed."""
    digest = sha256(data[:_FORM])
    for piece in Body(data).rest():
        digest.update(piece)
    return digest.hexdigest()


def size_of(layout: Layout) -> int:
    """Return how many bytes arrays of a layout are."""
    return sum(prod(shape) * np.dtype(kind).itemsize for _, kind, shape in layout)


class Body:
    """The content of a bytes form, decompressed as it is read.

    Args:
        data: The bytes form.
        at: From where on it is still to be given to the stream.
        stream: What has been given the bytes before.
    """

    def __init__(self, data: bytes, at: int = _FORM, stream: Any = None) -> None:
        self._data = data
        self._at = at
        self._stream = stream or zlib.decompressobj()

    def bookmark(self) -> "Body":
        """Return what can be read from here on, however far this one is read meanwhile.

        It takes some 40 kB: what decompressing looks back on.
        """
        return Body(self._data, self._at, self._stream.copy())

    def arrays(self, layout: Layout) -> Arrays:
        """Return the next arrays; they can be written to.

        Args:
            layout: Name, dtype and shape of each, as the header has them.

        Raises:
            ValueError: The content ends before them.
            zlib.error: It is damaged.
        """
        found: Arrays = {}
        for name, kind, shape in layout:
            dtype = np.dtype(kind)
            flat = np.frombuffer(self.read(prod(shape) * dtype.itemsize), dtype)
            found[name] = flat.astype(dtype.newbyteorder("=")).reshape(shape)
        return found

    def pass_over(self, size: int) -> None:
        """Go on to what follows the next bytes; errors as of `read`."""
        while size:
            size -= len(self.read(min(size, _PIECE)))

    def read(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            ValueError: There are fewer.
            zlib.error: They are damaged.
        """
        pieces = []
        while size:
            piece = self._piece(size)
            if not piece:
                raise ValueError(f"{size:,} bytes are missing at the end of the content")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def rest(self) -> Iterator[bytes]:
        """Yield all that has not been read; the checksum is compared at the end.

        Raises:
            zlib.error: The content is not what was written.
        """
        while piece := self._piece(_PIECE):
            yield piece

    def _piece(self, most: int) -> bytes:
        """Return some of the next bytes, nothing at the end."""
        while not self._stream.eof:
            packed = self._stream.unconsumed_tail
            if not packed:
                packed = self._data[self._at : self._at + _PACKED]
                self._at += len(packed)
            if piece := self._stream.decompress(packed, most):
                return piece
            if not packed:
                raise zlib.error("incomplete or truncated stream")
        return b""
