"""Columns that a registration has decoded, held for the draft and the count that follow."""

from collections.abc import Callable
from typing import Any

from monitor.sources.codes import narrow
from monitor.sources.location import FoundFile

MOST_BYTES = 2**25
"""Bytes of memory that columns are held in; those that come later are decoded twice."""

Decode = Callable[[], Any]
Reading = Callable[[FoundFile, tuple[int, ...], str, Decode], Any]
"""Returns the column of some row groups of a file, given its name and what decodes it."""


class Shelf:
    """Some of the columns of a log, from when they are first decoded to when they are read again.

    Where one is in the hands of another process it is empty.
    """

    def __init__(self) -> None:
        self._columns: dict[tuple[FoundFile, tuple[int, ...], str], Any] = {}
        self._room = MOST_BYTES

    def __reduce__(self) -> tuple[type["Shelf"], tuple[()]]:
        """Travel without columns: they are decoded sooner than they are sent."""
        return Shelf, ()

    def keep(self, file: FoundFile, groups: tuple[int, ...], name: str, decode: Decode) -> Any:
        """Return a column, and hold it where there is room."""
        place = file, groups, name
        column = self._columns.get(place)
        if column is None:
            column = narrow(decode())
            if column.nbytes <= self._room:
                self._room -= column.nbytes
                self._columns[place] = column
        return column

    def give(self, file: FoundFile, groups: tuple[int, ...], name: str, decode: Decode) -> Any:
        """Return a column, and hold it no longer."""
        column = self._columns.pop((file, groups, name), None)
        return decode() if column is None else column
