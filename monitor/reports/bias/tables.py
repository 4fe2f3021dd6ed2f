"""The counts of a stretch that the report shows, and which of them it may not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monitor.domain.estimate import Unmeasurable
from monitor.domain.field import Population
from monitor.domain.policy import Policy
from monitor.engine.disclosure import Cell, Sum, suppressed
from monitor.engine.period import Stretch
from monitor.measures.disparity.rates import RATES
from monitor.measures.groups import CROSS, UNKNOWN_GROUP, UNMAPPED_GROUP, group_pair
from monitor.measures.measure import GroupPair
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.profile.grid import IntArray

WHOLE, BASELINE = "whole", "baseline"
"""When the rows of a table are from: the period, the baseline, or one of the period's steps."""

DECISIONS = (NEGATIVE, POSITIVE, UNKNOWN)

ALL = -1
"""Any decision, or any label."""


@dataclass(frozen=True)
class Place:
    """Identifies a count: when, of whom, which decision, which label."""

    when: str
    population: str
    group: str
    decision: int = ALL
    label: int = ALL


@dataclass
class _Ledger:
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


@dataclass(frozen=True)
class Tables:
    """The groups of each population over a stretch.

    Attributes:
        groups: Population to its groups and their rows, or the reason why there are none.
        steps: Population to its groups in each step.
        hidden: The counts that are not shown.
        labels: Whether the model has labels.
        below: The least count that is shown by itself.
    """

    groups: Mapping[str, GroupPair | Unmeasurable]
    steps: Mapping[str, tuple[GroupPair, ...]]
    hidden: frozenset[Cell]
    labels: bool
    below: int

    def shown(self, *places: Place) -> bool:
        """Return whether all of some counts may be shown."""
        return not self.hidden.intersection(places)

    def tells(self, metric: str, when: str, population: str, group: str) -> bool:
        """Return whether a group's number of a metric may be shown.

        What rests on labels is shown of the whole alone: there its counts are weighed with all others.
        """
        rate = RATES.get(metric)
        places = self.places(when, population, group)
        if rate is not None and not rate.labels:
            return self.shown(*places)
        if when != WHOLE:
            return self.below <= 1
        return self.shown(*places, *self.cells(population, group))

    def places(self, when: str, population: str, group: str) -> list[Place]:
        """Return the counts of a group that rates of its decisions are made of."""
        return [
            Place(when, population, group),
            *(Place(when, population, group, decision) for decision in DECISIONS),
        ]

    def cells(self, population: str, group: str) -> list[Place]:
        """Return the counts of a group by decision and label."""
        return [
            Place(WHOLE, population, group, decision, label)
            for decision in DECISIONS
            for label in DECISIONS
        ]


def tables_of(stretch: Stretch, policy: Policy, *, below: int) -> Tables:
    """Return the counts of a stretch, and which of them may not be shown.

    Args:
        stretch: A version on a baseline.
        policy: Its populations.
        below: The least count that is shown by itself; 1 shows all.
    """
    groups = {item.name: _groups(item, policy, stretch.whole.pair) for item in policy.populations}
    known = {name: pair for name, pair in groups.items() if isinstance(pair, GroupPair)}
    steps: dict[str, tuple[GroupPair, ...]] = {}
    for item in policy.populations:
        found = (_groups(item, policy, step.pair) for step in stretch.steps)
        steps[item.name] = tuple(pair for pair in found if isinstance(pair, GroupPair))
    labels = stretch.whole.pair.grid.label is not None
    ledger = _Ledger()
    for name, pair in known.items():
        _note_population(ledger, name, pair, steps[name], labels=labels)
    crossings = [item for item in policy.populations if len(item.attributes) > 1]
    for item in crossings:
        _note_crossing(ledger, item, known)
    hidden = suppressed(ledger.counts, ledger.sums, below, ledger.never, _together)
    return Tables(groups, steps, hidden, labels, below)


def _together(cell: Cell) -> Cell:
    """Return what a count is shown or left out together with: a group's line of a table."""
    if not isinstance(cell, Place):
        return cell
    # A group that is small in one step is left out of all: a line with holes tells too much.
    return cell.population, cell.group, cell.label != ALL


def _groups(population: Population, policy: Policy, pair: object) -> GroupPair | Unmeasurable:
    return group_pair(population, policy, pair, unassigned=True)  # type: ignore[arg-type]


def _note_population(
    ledger: _Ledger,
    name: str,
    pair: GroupPair,
    steps: tuple[GroupPair, ...],
    *,
    labels: bool,
) -> None:
    _note_table(ledger, WHOLE, name, pair.groups, pair.current, labels=labels)
    _note_table(ledger, BASELINE, name, pair.groups, pair.reference, labels=False)
    if len(steps) < 2:  # noqa: PLR2004  # the only step is the whole
        return
    for index, step in enumerate(steps):
        _note_table(ledger, str(index), name, step.groups, step.current, labels=False)
    for group in pair.groups:
        for decision in (ALL, *DECISIONS):
            parts = [
                Place(str(index), name, group, decision)
                for index, step in enumerate(steps)
                if group in step.groups
            ]
            ledger.sum(Place(WHOLE, name, group, decision), list(parts))


def _note_table(
    ledger: _Ledger,
    when: str,
    name: str,
    groups: tuple[str, ...],
    table: IntArray,
    *,
    labels: bool,
) -> None:
    for index, group in enumerate(groups):
        for place, count in _counts(when, name, group, table[index], labels=labels):
            ledger.counts[place] = count
    total = table.sum(axis=0)
    for place, count in _counts(when, "", "", total, labels=labels):
        ledger.counts.setdefault(place, count)
    for group in (*groups, ""):
        owner = name if group else ""
        everyone = Place(when, owner, group)
        by_decision = [Place(when, owner, group, decision) for decision in DECISIONS]
        ledger.sum(everyone, list(by_decision))
        for place in by_decision if labels else ():
            of_label = [Place(when, owner, group, place.decision, label) for label in DECISIONS]
            ledger.sum(place, list(of_label))
    for place, _ in _counts(when, "", "", total, labels=labels):
        parts = [Place(when, name, group, place.decision, place.label) for group in groups]
        ledger.sum(place, list(parts))


def _counts(
    when: str, population: str, group: str, table: IntArray, *, labels: bool
) -> Iterator[tuple[Place, int]]:
    """Yield each count of a group: all rows, by decision, and by decision and label."""
    yield Place(when, population, group), int(table.sum())
    for decision in DECISIONS:
        yield Place(when, population, group, decision), int(table[decision].sum())
        for label in DECISIONS if labels else ():
            yield Place(when, population, group, decision, label), int(table[decision, label])


def _note_crossing(ledger: _Ledger, crossing: Population, known: Mapping[str, GroupPair]) -> None:
    """Note that the groups of a crossing add up to those of each of its attributes."""
    if crossing.name not in known:
        return
    names = known[crossing.name].groups
    for index, attribute in enumerate(crossing.attributes):
        pair = known.get(attribute)
        for group in () if pair is None else pair.groups:
            if group not in {UNKNOWN_GROUP, UNMAPPED_GROUP}:
                inside = [name for name in names if _part(name, index) == group]
                _note_group(ledger, attribute, group, crossing.name, inside)


def _part(name: str, index: int) -> str:
    """Return the part of a crossing's group; "" for one that is no crossing."""
    parts = name.split(CROSS)
    return parts[index] if index < len(parts) else ""


def _note_group(
    ledger: _Ledger, attribute: str, group: str, crossing: str, inside: list[str]
) -> None:
    places = [
        place
        for place in ledger.counts
        if isinstance(place, Place) and (place.population, place.group) == (attribute, group)
    ]
    for place in places:
        same = [Place(place.when, crossing, name, place.decision, place.label) for name in inside]
        ledger.sum(place, [one for one in same if one in ledger.counts])
