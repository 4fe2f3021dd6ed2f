"""Series as text, in the two formats that Prometheus asks for.

The lines of series are the same in both; what stands above them and at the end differs. So what
is written of a model is written once, whoever asks for it later in which format.
"""

import zlib
from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache
from itertools import starmap

from msgspec import Struct
from prometheus_client.utils import floatToGoString

from monitor.exposition.family import Kind, MetricFamily
from monitor.exposition.sheet import Labels

LEVEL = 1
"""Of gzip: level 5 takes twice as long for a page a tenth smaller, level 9 ten times as long."""

_PAIRS = 50_000
"""Labels whose text is kept: a name has dozens of series, one after the other."""

_RAW = -zlib.MAX_WBITS


class Form(Enum):
    """A format of the page; its value is the Content-Type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Chunk(Struct, frozen=True):
    """A stretch of the page.

    Attributes:
        text: As it is.
        packed: Deflated by itself, so that chunks can be put together in any order.
    """

    text: bytes
    packed: bytes


def chunk(text: bytes) -> Chunk:
    """Return a stretch of the page, deflated up to a whole byte."""
    packer = zlib.compressobj(LEVEL, wbits=_RAW)
    return Chunk(text, packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH))


@cache
def head(family: MetricFamily, form: Form) -> Chunk:
    """Return the lines above the series of a metric."""
    if form is Form.TEXT:
        about = f"# HELP {family.name} {_escaped(family.help)}\n"
        return chunk(f"{about}# TYPE {family.name} {family.kind}\n".encode())
    # Here a counter's suffix belongs to its series, and a unit is told if the name has it.
    name = family.name.removesuffix("_total") if family.kind is Kind.COUNTER else family.name
    about = f"# HELP {name} {_quotable(family.help)}\n# TYPE {name} {family.kind}\n"
    unit = f"# UNIT {name} {family.unit}\n" if name.endswith(f"_{family.unit}") else ""
    return chunk(f"{about}{unit}".encode())


def lines(name: str, series: Mapping[Labels, float]) -> bytes:
    """Return the lines of a metric's series, sorted by label."""
    return "".join(
        f"{name}{_braces(labels)} {floatToGoString(value)}\n"  # type: ignore[no-untyped-call]
        for labels, value in sorted(series.items())
    ).encode()


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(starmap(_pair, labels)) + "}"


@lru_cache(_PAIRS)
def _pair(name: str, value: str) -> str:
    return f'{name}="{_quotable(value)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quotable(text: str) -> str:
    return _escaped(text).replace('"', r"\"")
