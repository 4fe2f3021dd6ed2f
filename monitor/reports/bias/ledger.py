"""Every count that a report may show, and the sums between them that a reader can subtract."""

from msgspec import Struct, field

from monitor.engine.disclosure import Cell, Sum
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN

WHOLE, BASELINE = "whole", "baseline"
"""When the rows of a table are from: the period, the baseline, or one of the period's steps."""

DECISIONS = (NEGATIVE, POSITIVE, UNKNOWN)

ALL = -1
"""Any decision, or any label."""


class Place(Struct, frozen=True):
    """Identifies a count: when, of whom, which decision, which label, which stratum of which factor."""

    when: str
    population: str
    group: str
    decision: int = ALL
    label: int = ALL
    factor: str = ""
    stratum: str = ""


class Ledger(Struct):
    """Counts, and the sums between them, as they are found."""

    counts: dict[Cell, int] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)
    never: list[Cell] = field(default_factory=list)

    def sum(self, total: Cell, parts: list[Cell]) -> None:
        """Note a sum; what its known parts lack is a count that is shown nowhere."""
        rest = self.counts[total] - sum(self.counts[part] for part in parts)
        if rest:
            unseen: Cell = ("rest", total, len(self.sums))
            self.counts[unseen] = rest
            self.never.append(unseen)
            parts = [*parts, unseen]
        self.sums.append(Sum(total, tuple(parts)))


def together(cell: Cell) -> Cell:
    """Return what a count is shown or left out together with: a group's line of a table."""
    if not isinstance(cell, Place):
        return cell
    # A group that is small in one step is left out of all: a line with holes tells too much.
    return cell.population, cell.group, cell.label != ALL, cell.factor, cell.stratum
