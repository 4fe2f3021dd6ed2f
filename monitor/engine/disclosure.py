"""Which counts may be shown, so that no small one can be worked out from the others."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

Cell = Hashable
"""What identifies a count."""


class Sum(Struct, frozen=True):
    """One count that is the sum of others: what a reader can subtract."""

    total: Cell
    parts: tuple[Cell, ...]


SPREAD = 3
"""A count that is not shown can be any of at least this many and one more values, as far as a reader
can tell."""


def suppressed(
    counts: Mapping[Cell, int],
    sums: Sequence[Sum],
    below: int,
    never: Iterable[Cell] = (),
    units: Callable[[Cell], Hashable] = lambda cell: cell,
) -> frozenset[Cell]:
    """Return the counts that must not be shown.

    Those from 1 to ``below - 1`` are not shown (primary suppression). Others are left out with them
    (secondary suppression, the smallest of a sum first), until for each count that is not shown
    there are two tables of non-negative whole numbers which agree with everything that is shown,
    and in which it differs by at least `SPREAD`: a reader who subtracts learns nothing more exact.
    Zeros are shown: that nobody of a group was chosen is what a report is for.

    Deterministic: it depends on nothing but the arguments and their order.

    Args:
        counts: Every count, shown or not, in the order in which they are considered.
        sums: All relations between them that a reader can know of.
        below: The least count that is shown by itself; 1 shows everything.
        never: Counts that are in ``sums`` and shown nowhere; what is shown must be in ``counts``.
        units: Of a count, what it is shown or left out together with.

    Raises:
        ValueError: A sum does not hold.
    """
    _require(counts, sums)
    unseen = frozenset(never)
    small = [cell for cell, count in counts.items() if 0 < count < below and cell not in unseen]
    if not small:
        return frozenset()
    members: dict[Hashable, list[Cell]] = {}
    for cell in counts:
        if cell not in unseen:
            members.setdefault(units(cell), []).append(cell)
    hidden = set(unseen)
    for cell in small:
        hidden.update(members[units(cell)])
    ledger = _Ledger(counts, sums, unseen, _touching(counts, sums))
    while exposed := ledger.exposed(hidden):
        partner = ledger.partner(exposed, hidden)
        if partner is None:
            # Nothing beside it is left to hide: the whole is smaller than what may be shown.
            return frozenset(counts.keys() - unseen)
        hidden.update(members[units(partner)])
    return frozenset(hidden - unseen - ledger.plain_zeros(hidden))


def _require(counts: Mapping[Cell, int], sums: Sequence[Sum]) -> None:
    for item in sums:
        if counts[item.total] != sum(counts[part] for part in item.parts):
            raise ValueError(f"{item.total} is not the sum of its parts")


def _touching(counts: Mapping[Cell, int], sums: Sequence[Sum]) -> dict[Cell, list[Sum]]:
    found: dict[Cell, list[Sum]] = {cell: [] for cell in counts}
    for item in sums:
        for cell in (item.total, *item.parts):
            found[cell].append(item)
    return found


class _Ledger(Struct, frozen=True):
    """The counts, and how they hang together."""

    counts: Mapping[Cell, int]
    sums: Sequence[Sum]
    unseen: frozenset[Cell]
    touching: Mapping[Cell, list[Sum]]

    def partner(self, exposed: Sequence[Cell], hidden: set[Cell]) -> Cell | None:
        """Return the next count to leave out for the sake of exposed ones.

        The smallest one above zero that stands beside the first of them in a sum, one in which
        nothing else is left out before others, or else beside what it is connected with; a total
        only when there is no other part.
        """
        around = [*exposed, *self._connected(exposed[0], hidden)]
        for cell in around:
            alone = [item for item in self.touching[cell] if _inside(item, hidden) == [cell]]
            for sums in (alone, self.touching[cell]):
                beside = [part for item in sums for part in item.parts if part not in hidden]
                if beside:
                    return min(beside, key=lambda part: (self.counts[part] == 0, self.counts[part]))
        totals = (item.total for cell in around for item in self.touching[cell])
        return next((total for total in totals if total not in hidden), None)

    def _connected(self, cell: Cell, hidden: set[Cell]) -> list[Cell]:
        return next(item for item in self._components(hidden) if cell in item)

    def exposed(self, hidden: set[Cell]) -> list[Cell]:
        """Return hidden counts that what is shown confines to too few values, in order."""
        alone = {inside[0] for item in self.sums if len(inside := _inside(item, hidden)) == 1}
        found = [cell for cell in self.counts if cell in alone and self._matters(cell)]
        if found:
            return found
        for component in self._components(hidden):
            found += self._confined(component, hidden)
        return found

    def plain_zeros(self, hidden: set[Cell]) -> set[Cell]:
        """Return the hidden zeros that cannot be anything else: to leave them out hides nothing."""
        found: set[Cell] = set()
        for component in self._components(hidden):
            zeros = [place for place, cell in enumerate(component) if self.counts[cell] == 0]
            rows, shown = self._equations(component, hidden)
            while zeros:
                goal = np.zeros(len(component))
                goal[zeros] = -1.0
                table = _extreme(rows, shown, goal)
                still = [place for place in zeros if table[place] == 0]
                if len(still) == len(zeros):
                    break
                zeros = still
            found.update(component[place] for place in zeros)
        return found

    def _matters(self, cell: Cell) -> bool:
        # That a zero is one tells nothing of anybody that may not be told.
        return cell not in self.unseen and self.counts[cell] > 0

    def _components(self, hidden: set[Cell]) -> list[list[Cell]]:
        """Return the hidden counts, together those that a sum connects."""
        left, found = set(hidden), []
        for first in self.counts:
            if first not in left:
                continue
            left.discard(first)
            members, place = [first], 0
            while place < len(members):
                for item in self.touching[members[place]]:
                    for other in (item.total, *item.parts):
                        if other in left:
                            left.discard(other)
                            members.append(other)
                place += 1
            found.append(members)
        return found

    def _confined(self, members: Sequence[Cell], hidden: set[Cell]) -> list[Cell]:
        """Return those of some connected counts that can have too few values."""
        rows, shown = self._equations(members, hidden)
        truth = np.array([self.counts[cell] for cell in members], np.float64)
        least, most = truth.copy(), truth.copy()
        # One table in which many counts are far from the truth spares looking at each of them.
        for goal in _sweeping(len(members)):
            table = _extreme(rows, shown, goal)
            least, most = np.minimum(least, table), np.maximum(most, table)
        confined: list[Cell] = []
        for index, cell in enumerate(members):
            if not self._matters(cell):
                continue
            for direction in (-1.0, 1.0):
                if most[index] - least[index] >= SPREAD:
                    break
                goal = np.zeros(len(members))
                goal[index] = direction
                table = _extreme(rows, shown, goal)
                least, most = np.minimum(least, table), np.maximum(most, table)
            if most[index] - least[index] < SPREAD:
                confined.append(cell)
                break  # what is left out for its sake may protect the others too
        return confined

    def _equations(self, members: Sequence[Cell], hidden: set[Cell]) -> tuple[Any, Any]:
        """Return what a reader knows of hidden counts: rows · counts = shown."""
        sums = list(dict.fromkeys(item for cell in members for item in self.touching[cell]))
        place = {cell: index for index, cell in enumerate(members)}
        rows = np.zeros((len(sums), len(members)))
        shown = np.zeros(len(sums))
        for index, item in enumerate(sums):
            for cell, sign in ((item.total, -1.0), *((part, 1.0) for part in item.parts)):
                if cell in hidden:
                    rows[index, place[cell]] += sign
                else:
                    shown[index] -= sign * self.counts[cell]
        return rows, shown


def _inside(item: Sum, hidden: set[Cell]) -> list[Cell]:
    """Return the counts of a sum that are not shown."""
    return [one for one in (item.total, *item.parts) if one in hidden]


def _sweeping(width: int) -> list[Any]:
    """Return goals that pull counts apart: the bits of their places, and the other way round."""
    place = np.arange(width)
    signs = [np.where(place >> bit & 1, 1.0, -1.0) for bit in range(max(width - 1, 1).bit_length())]
    return [direction * sign for sign in signs for direction in (1.0, -1.0)]


def _extreme(rows: Any, shown: Any, goal: Any) -> Any:
    """Return a table of whole numbers that agrees with what is shown, extreme towards a goal."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  # only where needed

    # Far above any count that is shown, so that what nothing confines has an end too.
    most = 10.0 * (np.abs(shown).sum() + 1000.0)
    solved = milp(
        goal,
        constraints=LinearConstraint(rows, shown, shown),
        integrality=np.ones(rows.shape[1]),
        bounds=Bounds(0.0, most),
    )
    if solved.x is None:
        raise ValueError(f"no table agrees with what is shown: {solved.message}")
    return np.round(solved.x)
