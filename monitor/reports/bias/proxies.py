"""How much what a model is given tells of an attribute, where both were counted together."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from monitor.domain.field import FieldRole
from monitor.domain.policy import Policy
from monitor.engine.period import Stretch
from monitor.measures.measure import ProfilePair
from monitor.profile.grid import AttributeGrid, IntArray
from monitor.profile.profile import Profile
from monitor.reports.bias.document import Proxy
from monitor.reports.bias.ledger import BASELINE, WHOLE, Place
from monitor.reports.bias.strata_counts import strata_of, stratum_places
from monitor.reports.bias.tables import Tables
from monitor.uncertainty.contingency import cramers_v


def proxies(stretch: Stretch, tables: Tables) -> tuple[Proxy, ...]:
    """Return how much each factor and segment tells of each attribute, the strongest first.

    Cramér's V of the counts by group and value, in the period and in the baseline. Values of which
    a group has so few rows that they are not shown are one value together.
    """
    pair = stretch.whole.pair
    known = [axis for axis in pair.grid.attributes if axis.name in tables.groups]
    found = [item for axis in known for item in _of_attribute(axis, pair, tables)]
    return tuple(sorted(found, key=lambda item: 1.0 if item.now is None else -item.now))


def not_screened(policy: Policy, stretch: Stretch) -> tuple[str, ...]:
    """Return the fields whose values are not counted together with any attribute."""
    grid = stretch.whole.pair.grid
    columns = {axis.column for axis in grid.strata}
    columns |= {item.columns[0] for item in grid.segments if len(item.columns) == 1}
    features = (item for item in policy.fields if item.role is FieldRole.FEATURE)
    return tuple(dict.fromkeys(item.declared for item in features if item.column not in columns))


def _of_attribute(axis: AttributeGrid, pair: ProfilePair, tables: Tables) -> Iterator[Proxy]:
    counted = [_by_value(profile, pair, axis) for profile in (pair.current, pair.reference)]
    for (name, column), now in counted[0].items():
        if column == axis.column:
            continue
        hidden = _hidden_values(axis.name, name, tables)
        then = counted[1].get((name, column), now[:0])
        shown = [
            [
                place
                for place, group in enumerate(axis.groups)
                if tables.shown(Place(when, axis.name, group))
            ]
            for when in (WHOLE, BASELINE)
        ]
        yield Proxy(
            axis.name,
            name,
            column,
            _association(now[:, shown[0]], tables.below, hidden),
            _association(then[:, shown[1]], tables.below, hidden),
        )


_ByValue = Mapping[tuple[str, str], IntArray]
"""Name and column of a factor or segment to a table of its values × all groups of an attribute."""


def _by_value(profile: Profile, pair: ProfilePair, axis: AttributeGrid) -> _ByValue:
    found: dict[tuple[str, str], IntArray] = {}
    for factor in pair.grid.strata:
        table = profile.outcomes.margin(factor.name, axis.name).sum(axis=(2, 3))
        found[factor.name, factor.column] = table[: len(factor.groups)]
    for segment in pair.grid.segments:
        slices = profile.segments.get(segment.name, {})
        if len(segment.columns) == 1 and slices:
            parts = [part.outcomes.margin(axis.name).sum(axis=(1, 2)) for part in slices.values()]
            found.setdefault((segment.name, segment.columns[0]), np.array(parts))
    return found


def _hidden_values(population: str, factor: str, tables: Tables) -> Sequence[bool]:
    """Return for each value whether some group's counts of it are left out elsewhere in the report."""
    pair = tables.strata.get((population, factor))
    if pair is None:  # counts by value are nowhere
        return ()
    strata = strata_of(pair)
    lines = (list(stratum_places(population, group, strata)) for group in pair.groups)
    shown = np.array([[tables.shown(*places) for places in line] for line in lines])
    return [not all(column) for column in shown.T.tolist()]


def _association(table: IntArray, below: int, hidden: Sequence[bool]) -> float | None:
    """Return V, values with small counts being one together; None where even those are too few."""
    small = [bool(((line > 0) & (line < below)).any()) for line in table]
    if hidden:
        small = [one or other for one, other in zip(small, hidden, strict=False)]
    order = sorted(range(len(table)), key=lambda value: (not small[value], table[value].sum()))
    together = sum(small)
    while together and together < len(table):
        pooled = table[order[:together]].sum(axis=0)
        if together > 1 and not ((pooled > 0) & (pooled < below)).any():
            break
        together += 1
    apart = [table[value] for value in order[together:]]
    if together:
        apart.append(table[order[:together]].sum(axis=0))
    return cramers_v(np.array(apart)) if len(apart) > 1 else None
