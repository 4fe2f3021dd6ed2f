"""Groups whose numbers are left out wherever anybody may look, so that nobody is made out in them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

from msgspec import Struct, field

from monitor.domain.estimate import Estimate
from monitor.domain.naming import CROSS
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.engine.disclosure import Cell, Sum, suppressed
from monitor.measures.disparity.comparison import BEST_OFF
from monitor.measures.disparity.rate import ANY_DECISION, ANY_LABEL, LABELLED, Cells, cells
from monitor.measures.disparity.rates import RATES
from monitor.measures.names import ESTIMATED_OF_GROUPS, MEASURE_NAMES

EVERY_ROW = cells(ANY_DECISION, ANY_LABEL)
LABELLED_ROWS = cells(ANY_DECISION, LABELLED)

_SINCE_THE_BASELINE = ("_ratio_change", "representation_difference")
"""How the measures end that tell a group's counts of the baseline too."""


class _Count(NamedTuple):
    """Identifies a count of a group: the rows of some cells of decisions × labels, or a measure's."""

    population: str
    group: str
    rows: Cells | str


class _Group(NamedTuple):
    version: str
    population: str
    group: str


class Withheld(Struct, frozen=True):
    """What is not shown of groups.

    Attributes:
        now: Groups whose numbers of the window are not shown.
        then: Groups of whose baseline nothing is shown either: not how they changed since.
        groups: Of each version and population, how many groups are in ``now``; 0 where none is.
        classes: Versions and populations of which nothing is shown of single classes. The classes of
            a group add up to its rows: one that is left out could be told from the others.
    """

    now: frozenset[_Group] = frozenset()
    then: frozenset[_Group] = frozenset()
    groups: Mapping[tuple[str, str], int] = field(default_factory=dict)
    classes: frozenset[tuple[str, str]] = frozenset()

    def tells(self, reading: Reading, *, baseline: bool = False) -> bool:
        """Return whether the numbers of a reading may be shown.

        A comparison is shown where both of its sides are: the one and the ratio give away the
        other. What is of a population as a whole, or held against whichever group is best off, is
        shown where all groups are.

        Args:
            reading: The reading.
            baseline: Whether its rows of the baseline are shown as well.
        """
        subject = reading.subject
        if subject.class_name:
            return (subject.version, subject.population) not in self.classes
        # The other side of a comparison is another group, of the same window.
        rows_then = baseline and not _compares(reading.measure)
        since = rows_then or reading.measure.endswith(_SINCE_THE_BASELINE)
        hidden = {
            item.group
            for item in (self.now | self.then if since else self.now)
            if (item.version, item.population) == (subject.version, subject.population)
        }
        if not hidden:
            return True
        if subject.group in {"", *hidden}:
            return False
        # Against all others together nothing is told that the group and the totals do not tell.
        return not _compares(reading.measure) or subject.reference_group not in {BEST_OFF, *hidden}

    def whole(self, version: str, population: str) -> bool:
        """Return whether nothing of a population is left out, of the window or of the baseline."""
        left_out = {item[:2] for item in self.now | self.then} | self.classes
        return (version, population) not in left_out


def withheld(readings: Iterable[Reading], policy: Policy) -> Withheld:
    """Return what must not be shown of the groups of a run.

    A group is shown, or left out, as a whole: all counts that its rates are made of. Totals over
    all groups are taken for known, and so is every relation between counts: of rates whose rows
    are among each other's, and of crossings with their attributes.

    Args:
        readings: All readings of a run.
        policy: Declares the populations, and below which count they are left out.
    """
    levels: dict[str, list[Reading]] = {}
    groups: dict[tuple[str, str], int] = {}
    of_classes: list[Reading] = []
    for reading in readings:
        subject = reading.subject
        if not subject.group or subject.segment or subject.reference:
            continue
        groups[subject.version, subject.population] = 0
        if subject.class_name:
            of_classes.append(reading)
        else:
            levels.setdefault(subject.version, []).append(reading)
    if not policy.suppress_in_metrics:
        return Withheld(groups=groups)
    now, then = (
        frozenset(
            _Group(version, *found)
            for version, items in levels.items()
            for found in _small(items, policy, then=then)
        )
        for then in (False, True)
    )
    for item in now:
        groups[item.version, item.population] += 1
    small = {(item.version, item.population) for item in now | then}
    small.update(_rare(of_classes, policy.suppress_below))
    return Withheld(now, then, groups, frozenset(small))


def _rare(readings: Iterable[Reading], below: int) -> Iterator[tuple[str, str]]:
    """Yield the version and population of each reading of a class that has a small count."""
    for reading in readings:
        counts = [*_counts(reading, then=False), *_counts(reading, then=True)]
        if any(0 < number < below for _, number in counts):
            yield reading.subject.version, reading.subject.population


def _small(
    readings: Iterable[Reading], policy: Policy, *, then: bool
) -> frozenset[tuple[str, str]]:
    """Return the populations and groups of one version that are not shown."""
    counts: dict[Cell, int] = {}
    for reading in readings:
        subject = reading.subject
        for rows, number in _counts(reading, then=then):
            counts.setdefault(_Count(subject.population, subject.group, rows), number)
    counted = [cell for cell in counts if isinstance(cell, _Count)]
    sums, unseen = _sums_within_groups(counts, counted)
    sums += _sums_over_groups(counts, counted)
    sums += _sums_of_crossings(counts, counted, policy, unseen)
    return _hidden(tuple(counts.items()), tuple(sums), policy.suppress_below, tuple(unseen))


@lru_cache(maxsize=256)
def _hidden(
    counts: tuple[tuple[Cell, int], ...],
    sums: tuple[Sum, ...],
    below: int,
    unseen: tuple[Cell, ...],
) -> frozenset[tuple[str, str]]:
    """Return the populations and groups left out; the same ones are asked for at each look at a run."""
    hidden = suppressed(dict(counts), sums, below, unseen, _together)
    return frozenset((cell.population, cell.group) for cell in hidden if isinstance(cell, _Count))


def _together(cell: Cell) -> Cell:
    """Return what a count is shown or left out together with: all of its group."""
    return (cell.population, cell.group) if isinstance(cell, _Count) else cell


def _counts(reading: Reading, *, then: bool) -> Iterator[tuple[Cells | str, int]]:
    """Yield the counts that a group's level is made of."""
    measure, result = reading.measure, reading.result
    rows = result.n_reference if then else result.n
    rate = RATES.get(measure)
    if not isinstance(result, Estimate):
        # Of a group without a share of positive decisions the page still has the size.
        if measure == "selection_rate" and rate is not None:
            yield rate.denominator, rows
        return
    share = result.then if then else result.value
    if rate is not None:
        yield from _share(rows, share, rate.denominator, rate.numerator)
    elif measure == "group_label_coverage":
        yield from _share(rows, share, EVERY_ROW, LABELLED_ROWS)
    elif measure == "representation":
        yield EVERY_ROW, round((share or 0.0) * rows)
    elif _is_level(measure):
        yield measure, rows


def _share(
    rows: int, share: float | None, every: Cells, some: Cells
) -> Iterator[tuple[Cells, int]]:
    yield every, rows
    if share is not None:
        yield some, round(share * rows)
        yield every - some, rows - round(share * rows)


def _is_level(measure: str) -> bool:
    """Return whether a measure is of one group by itself, in the window."""
    if measure in ESTIMATED_OF_GROUPS or measure == "group_label_coverage":
        return True
    return measure in MEASURE_NAMES and MEASURE_NAMES[measure].metric == measure


def _compares(measure: str) -> bool:
    """Return whether a measure holds a group against another."""
    return not _is_level(measure) and measure != "representation_difference"


def _sums_within_groups(
    counts: dict[Cell, int], counted: list[_Count]
) -> tuple[list[Sum], list[Cell]]:
    """Return how the counts of a group hang together, and those that are shown nowhere."""
    sums: list[Sum] = []
    unseen: dict[Cell, None] = {}
    of_group: dict[tuple[str, str], list[_Count]] = {}
    for cell in counted:
        of_group.setdefault(cell[:2], []).append(cell)
    for members in of_group.values():
        for whole, part in permutations(members, 2):
            if isinstance(whole.rows, str) or isinstance(part.rows, str):
                continue
            if part.rows < whole.rows:
                rest = whole._replace(rows=whole.rows - part.rows)
                if rest not in counts:
                    counts[rest] = counts[whole] - counts[part]
                    unseen[rest] = None
                sums.append(Sum(whole, (part, rest)))
    return sums, list(unseen)


def _sums_over_groups(counts: dict[Cell, int], counted: list[_Count]) -> list[Sum]:
    parts: dict[Cell, list[Cell]] = {}
    for cell in counted:
        parts.setdefault(("all", cell.population, cell.rows), []).append(cell)
    for total, members in parts.items():
        counts[total] = sum(counts[one] for one in members)
    return [Sum(total, tuple(members)) for total, members in parts.items()]


def _sums_of_crossings(
    counts: dict[Cell, int], counted: list[_Count], policy: Policy, unseen: list[Cell]
) -> list[Sum]:
    """Return how the groups of crossings add up to those of their attributes."""
    sums = []
    for crossing in policy.populations:
        width = len(crossing.attributes)
        inside = [cell for cell in counted if cell.population == crossing.name]
        for place, attribute in enumerate(crossing.attributes if width > 1 else ()):
            for cell in (cell for cell in counted if cell.population == attribute):
                parts: list[Cell] = [
                    one
                    for one in inside
                    if one.rows == cell.rows
                    and len(names := one.group.split(CROSS)) == width
                    and names[place] == cell.group
                ]
                rest = counts[cell] - sum(counts[one] for one in parts)
                if parts and rest:
                    # Rows whose other attribute nobody knows, or in cells that are one group.
                    other: Cell = ("rest", crossing.name, cell)
                    counts[other] = rest
                    unseen.append(other)
                    parts.append(other)
                if parts:
                    sums.append(Sum(cell, tuple(parts)))
    return sums
