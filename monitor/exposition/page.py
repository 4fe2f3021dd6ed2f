"""The page that Prometheus scrapes."""

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LEVEL = 5
"""Of gzip: level 9 takes five times as long for a few per cent."""


@dataclass(frozen=True, slots=True)
class _Published:
    """Rendered results, and a gzip stream that has swallowed them and waits for more."""

    text: bytes
    packed: bytes
    packer: Any  # zlib's compressor: its type has no public name
    at: datetime | None


def _pack(text: bytes, at: datetime | None) -> _Published:
    packer = zlib.compressobj(_LEVEL, wbits=16 + zlib.MAX_WBITS)
    return _Published(text, packer.compress(text), packer, at)


class ResultsPage:
    """The results part of the page, exchanged as a whole, with what a scrape adds to it.

    Readers see either the results before an exchange or those after it, never a mixture.
    """

    def __init__(self) -> None:
        self._published = _pack(b"", None)

    def publish(self, text: bytes, at: datetime) -> None:
        """Exchange the results, and compress them once for all scrapes."""
        self._published = _pack(text, at)

    @property
    def published_at(self) -> datetime | None:
        """Return when results were last published; None before the first time."""
        return self._published.at

    def text(self, process: bytes) -> bytes:
        """Return the results and the process part."""
        return self._published.text + process

    def packed(self, process: bytes) -> bytes:
        """Return the same, gzipped; only the process part is compressed anew."""
        published = self._published
        packer = published.packer.copy()
        rest: bytes = packer.compress(process) + packer.flush()
        return published.packed + rest
