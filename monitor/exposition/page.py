"""The page that Prometheus scrapes."""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.text import LEVEL, Chunk, Form, head

_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""Begins every stream of gzip: deflated, no name, no time, packed fast, from any system."""

_RAW = -zlib.MAX_WBITS


class _Packed(Struct, frozen=True):
    """A gzip stream without its end, and what its end has to say of it."""

    body: bytes
    checksum: int
    size: int


@dataclass(frozen=True)
class Results:
    """The results part of the page: pieces that were written each by itself, put together when asked.

    Attributes:
        pieces: Of the fleet and of each model, metric to the lines of its series.
    """

    pieces: Sequence[Mapping[str, Chunk]] = ()
    _packed: dict[Form, _Packed] = field(default_factory=dict, init=False, compare=False)

    def text(self, form: Form = Form.TEXT) -> bytes:
        """Return it as it is."""
        return b"".join(one.text for one in self._chunks(form))

    def packed(self, form: Form, rest: bytes) -> bytes:
        """Return it and what follows, gzipped; only what follows is compressed anew.

        Args:
            form: The format that was asked for.
            rest: What follows on the page.
        """
        whole = self._packed.get(form)
        if whole is None:
            # Two scrapes at once may both come here; they make the same.
            whole = self._packed[form] = self._pack(form)
        packer = zlib.compressobj(LEVEL, wbits=_RAW)
        end = packer.compress(rest) + packer.flush()
        size = (whole.size + len(rest)) & 0xFFFFFFFF
        return whole.body + end + struct.pack("<II", zlib.crc32(rest, whole.checksum), size)

    def _pack(self, form: Form) -> _Packed:
        checksum = size = 0
        body = [_GZIP]
        for one in self._chunks(form):
            checksum = zlib.crc32(one.text, checksum)
            size += len(one.text)
            body.append(one.packed)
        return _Packed(b"".join(body), checksum, size)

    def _chunks(self, form: Form) -> Iterator[Chunk]:
        """Yield the stretches of the page: all series of a metric stand together."""
        for family in CATALOGUE:
            found = [piece[family.name] for piece in self.pieces if family.name in piece]
            if found:
                yield head(family, form)
                yield from found


class ResultsPage:
    """The results part of the page, exchanged as a whole, with what a scrape adds to it.

    Readers see either the results before an exchange or those after it, never a mixture.
    """

    def __init__(self) -> None:
        self._published: tuple[Results, datetime | None] = (Results(), None)

    def publish(self, results: Results, at: datetime) -> None:
        """Exchange the results."""
        self._published = (results, at)

    @property
    def published_at(self) -> datetime | None:
        """Return when results were last published; None before the first time."""
        return self._published[1]

    def text(self, process: bytes, form: Form = Form.TEXT) -> bytes:
        """Return the results and the process part."""
        return self._published[0].text(form) + process

    def packed(self, process: bytes, form: Form = Form.TEXT) -> bytes:
        """Return the same, gzipped; the results are put together once for all scrapes."""
        return self._published[0].packed(form, process)
