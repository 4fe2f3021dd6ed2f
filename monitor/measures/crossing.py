"""Cells of a crossing that are too many to look at one by one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from monitor.profile.grid import IntArray

MOST_CROSSED = 50
"""Groups of a crossing that are held against the reference: of seven by two by ten groups most have
nobody in them, and each that is tested makes the others' evidence weaker."""

OTHER_SMALL = "(other small)"
"""Name of the group of all others together."""

NAMED_CELLS = 20
"""Cells that are named before the others are counted: a reading is a row and no list."""


class Folded(NamedTuple):
    """A crossing's cells, the smallest of them put together.

    Attributes:
        names: Names of the groups; the last is `OTHER_SMALL` if any were put together.
        small: Names of the cells that it is made of.
        cells: Their indices.
    """

    names: list[str]
    small: tuple[str, ...]
    cells: IntArray

    def places(self, cells: IntArray) -> IntArray:
        """Return the place of the group that each cell is in, and of what stands after the cells.

        Args:
            cells: Indices of rows of a table as `rows` takes it.
        """
        if not self.small:
            return cells
        together = len(self.names) - 1
        after = together + len(self.small)
        places = np.full(after, together)
        places[np.delete(np.arange(after), self.cells)] = np.arange(together)
        moved = np.where(
            cells < after, places[np.minimum(cells, after - 1)], cells - after + together + 1
        )
        return np.asarray(moved)

    def rows(self, table: IntArray) -> IntArray:
        """Return a table's rows by group; further rows of the table stay behind them.

        Args:
            table: shape (cells and whatever comes after them, …).
        """
        if not self.small:
            return table
        after = len(self.names) - 1 + len(self.small)
        others = np.delete(table[:after], self.cells, axis=0)
        together = table[self.cells].sum(axis=0, keepdims=True)
        return np.concatenate([others, together, table[after:]])


def fold(names: Sequence[str], registered: IntArray, most: int) -> Folded:
    """Put the smallest cells of a crossing together, so that no more than ``most`` remain.

    Which ones they are follows from the registered baseline alone and does not change from window to
    window. Of equally small ones the last are put together.

    Args:
        names: Names of the cells.
        registered: shape (cells or more,), rows of each in the registered baseline.
        most: How many groups there may be, at least 1, that of the smallest cells among them.
    """
    if len(names) <= most:
        return Folded(list(names), (), np.zeros(0, np.int64))
    order = np.argsort(-registered[: len(names)], kind="stable")
    cells = np.sort(order[most - 1 :])
    small = set(cells.tolist())
    kept = [name for place, name in enumerate(names) if place not in small]
    return Folded([*kept, OTHER_SMALL], tuple(names[place] for place in cells), cells)


def told_cells(small: Sequence[str]) -> str:
    """Return which cells are one group together, in words; "" where none are.

    Args:
        small: Their names.
    """
    if not small:
        return ""
    named = ", ".join(small[:NAMED_CELLS])
    more = f" and {len(small) - NAMED_CELLS} more" if small[NAMED_CELLS:] else ""
    return f"{len(small)} cells together: {named}{more}"
