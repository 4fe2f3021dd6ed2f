"""The counts of a stretch that the report shows, and which of them it may not."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from monitor.domain.estimate import Unmeasurable
from monitor.domain.field import Population
from monitor.domain.naming import CROSS
from monitor.domain.policy import Policy
from monitor.engine.disclosure import Cell, suppressed
from monitor.engine.period import Stretch
from monitor.measures.disparity.rates import RATES
from monitor.measures.groups import UNKNOWN_GROUP, UNMAPPED_GROUP, group_pair
from monitor.measures.measure import GroupPair
from monitor.profile.grid import IntArray
from monitor.reports.bias.ledger import (
    ALL,
    BASELINE,
    DECISIONS,
    WHOLE,
    Ledger,
    Place,
    together,
)
from monitor.reports.bias.strata_counts import note_strata, strata_pairs


class Tables(Struct, frozen=True):
    """The groups of each population over a stretch.

    Attributes:
        groups: Population to its groups and their rows, or the reason why there are none.
        steps: Population to its groups in each step.
        hidden: The counts that are not shown.
        labels: Whether the model has labels.
        below: The least count that is shown by itself.
        strata: Population and factor to the groups by strata, where counts by stratum are told.
    """

    groups: Mapping[str, GroupPair | Unmeasurable]
    steps: Mapping[str, tuple[GroupPair, ...]]
    hidden: frozenset[Cell]
    labels: bool
    below: int
    strata: Mapping[tuple[str, str], GroupPair]

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
    ledger = Ledger()
    for name, pair in known.items():
        _note_population(ledger, name, pair, steps[name], labels=labels)
    crossings = [item for item in policy.populations if len(item.attributes) > 1]
    for item in crossings:
        _note_crossing(ledger, item, known)
    hidden = _hidden(ledger, below)
    strata = strata_pairs(policy, stretch.whole.pair)
    if strata:
        note_strata(ledger, strata)
        also = _hidden(ledger, below)
        # Counts by stratum may not cost a group the line that it has without them.
        if all(isinstance(cell, Place) and cell.factor for cell in also - hidden):
            hidden |= also
        else:
            strata = {}
    return Tables(groups, steps, hidden, labels, below, strata)


def _hidden(ledger: Ledger, below: int) -> frozenset[Cell]:
    return suppressed(ledger.counts, ledger.sums, below, ledger.never, together)


def _groups(population: Population, policy: Policy, pair: object) -> GroupPair | Unmeasurable:
    return group_pair(population, policy, pair, unassigned=True)  # type: ignore[arg-type]


def _note_population(
    ledger: Ledger,
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
    ledger: Ledger,
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


def _note_crossing(ledger: Ledger, crossing: Population, known: Mapping[str, GroupPair]) -> None:
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
    ledger: Ledger, attribute: str, group: str, crossing: str, inside: list[str]
) -> None:
    places = [
        place
        for place in ledger.counts
        if isinstance(place, Place) and (place.population, place.group) == (attribute, group)
    ]
    for place in places:
        same = [Place(place.when, crossing, name, place.decision, place.label) for name in inside]
        ledger.sum(place, [one for one in same if one in ledger.counts])
