"""Which files of a table concern which windows."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from msgspec import Struct

from monitor.domain.manifest import LogFile
from monitor.domain.window import Window
from monitor.profile.instants import to_micros
from monitor.sources.footer import Footer, RowGroup
from monitor.sources.location import FoundFile

Bounds = tuple[int, int]
"""Earliest and latest time of some rows, microseconds."""


class Placed(Struct, frozen=True):
    """A file, and those of its row groups that may hold rows of a window.

    Attributes:
        file: The file.
        footer: Its footer.
        groups: Indices of the row groups.
        certain: False when nothing in the file says when its rows are from.
    """

    file: FoundFile
    footer: Footer
    groups: tuple[int, ...]
    certain: bool

    @property
    def named(self) -> LogFile:
        """Return the file as a manifest names it."""
        return named_as(self.file, self.footer)


def named_as(file: FoundFile, footer: Footer) -> LogFile:
    """Return a file as a manifest names it: by its etag, or by its time where it has none."""
    return LogFile(file.path, file.size, footer.etag or file.modified, footer.rows, footer.digest)


def placed(
    files: Iterable[tuple[FoundFile, Footer, Bounds | None]], windows: Sequence[Window]
) -> list[list[Placed]]:
    """Return, for each window, the files that may hold rows of it, in their order.

    The work grows with the files, and with the windows that each of them touches, not with files
    times windows.

    Args:
        files: Files with their footers, and with the bounds of row groups whose statistics are
            silent; None where nothing is known of those.
        windows: In their order, none overlapping another.
    """
    starts = [to_micros(window.start) for window in windows]
    ends = [to_micros(window.end) for window in windows]
    found: list[list[Placed]] = [[] for _ in windows]
    for file, footer, silent in files:
        touched: dict[int, list[int]] = {}
        certain = True
        for number, group in enumerate(footer.groups):
            bounds = group.bounds or silent
            certain = certain and (bounds is not None or not group.rows)
            for place in _touched(group, bounds, starts, ends):
                touched.setdefault(place, []).append(number)
        for place, groups in touched.items():
            found[place].append(Placed(file, footer, tuple(groups), certain))
    return found


def _touched(
    group: RowGroup, bounds: Bounds | None, starts: Sequence[int], ends: Sequence[int]
) -> range:
    if not group.rows:
        return range(0)
    if bounds is None:
        return range(len(starts))
    return range(bisect_right(ends, bounds[0]), bisect_right(starts, bounds[1]))
