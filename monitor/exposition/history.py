"""Stored history as one OpenMetrics file with timestamps, which fills a Prometheus."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, BinaryIO

from msgspec import Struct

from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.render import name_groups
from monitor.exposition.results import add_window
from monitor.exposition.sheet import Sheet
from monitor.exposition.text import Form, head, lines
from monitor.measures.measure import Family

END = b"# EOF\n"
"""Without it a reader takes the file for one that was cut off."""


class Written(Struct, frozen=True):
    """What a file of history has.

    Attributes:
        windows: How many windows.
        points: How many values with a timestamp.
    """

    windows: int
    points: int


def write_history(
    snapshots: Iterable[ModelSnapshot], families: Mapping[str, Family], target: BinaryIO
) -> Written:
    """Write each window's series at the window's end; all points of a series stand together.

    Windows are read one after the other, and laid down a metric at a time in files that go when
    this is done: memory holds one window, and then the points of one metric.

    Args:
        snapshots: Models as their windows showed them: of a model, oldest first.
        families: Measure id to the section of ``limits`` it belongs to.
        target: Where the text goes.
    """
    windows = points = 0
    with ExitStack() as opened:
        laid: dict[str, IO[bytes]] = {}
        for snapshot in snapshots:
            sheet = Sheet()
            run = add_window(sheet, snapshot, families)
            name_groups(sheet, snapshot.policy)
            windows += 1
            points += len(sheet)
            at = f" {_seconds(run.window.end.timestamp())}\n".encode()
            for name, series in sheet.series.items():
                if name not in laid:
                    laid[name] = opened.enter_context(TemporaryFile())
                laid[name].write(lines(name, series).replace(b"\n", at))
        for family in CATALOGUE:
            if family.name in laid:
                target.write(head(family, Form.OPENMETRICS).text)
                target.writelines(_by_series(laid[family.name]))
    target.write(END)
    return Written(windows, points)


def _by_series(file: IO[bytes]) -> list[bytes]:
    """Return the lines of a metric by series; those of one keep their order, which is of time."""
    file.seek(0)
    return sorted(file, key=lambda line: line.rsplit(b" ", 2)[0])


def _seconds(instant: float) -> str:
    return f"{instant:.3f}".rstrip("0").rstrip(".")
