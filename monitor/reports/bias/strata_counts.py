"""Rows of groups by stratum of a declared factor, and how they add up."""

from collections.abc import Iterator, Mapping

from monitor.domain.policy import Policy
from monitor.measures.measure import GroupPair, ProfilePair, Strata
from monitor.measures.strata import group_pair_by
from monitor.profile.grid import IntArray
from monitor.reports.bias.ledger import ALL, DECISIONS, WHOLE, Ledger, Place

ByStratum = Mapping[tuple[str, str], GroupPair]
"""Population and factor to its groups, which are counted by the factor's strata too."""


def strata_pairs(policy: Policy, pair: ProfilePair) -> ByStratum:
    """Return the groups of each attribute by the strata of each factor.

    Not those of crossings: most of their counts in a stratum would be too small to be shown.
    """
    found: dict[tuple[str, str], GroupPair] = {}
    for item in policy.populations:
        for factor in policy.strata if len(item.attributes) == 1 else ():
            groups = group_pair_by(item, factor, policy, pair, unassigned=True)
            if isinstance(groups, GroupPair):
                found[item.name, factor] = groups
    return found


def strata_of(pair: GroupPair) -> Strata:
    """Return the strata of groups that are counted by a factor.

    Raises:
        ValueError: They are not.
    """
    if pair.strata is None:
        raise ValueError(f"{pair.population} is not counted by a factor")
    return pair.strata


def stratum_places(population: str, group: str, strata: Strata) -> Iterator[list[Place]]:
    """Yield a group's counts in each stratum: its rows, and its rows by decision."""
    for name in strata.names:
        yield [
            Place(WHOLE, population, group, decision, ALL, strata.factor, name)
            for decision in (ALL, *DECISIONS)
        ]


def note_strata(ledger: Ledger, by_stratum: ByStratum) -> None:
    """Note the counts by stratum: they add up to the groups' own, and over groups to everybody's."""
    told: set[str] = set()
    for (population, factor), pair in by_stratum.items():
        strata = strata_of(pair)
        for index, group in enumerate(pair.groups):
            _note_group(ledger, population, group, strata, strata.table[index])
        if factor not in told:  # everybody's, which are the same in every population
            _note_group(ledger, "", "", strata, strata.table.sum(axis=0))
            told.add(factor)
        for name in strata.names:
            for decision in (ALL, *DECISIONS):
                parts = [
                    Place(WHOLE, population, group, decision, ALL, factor, name)
                    for group in pair.groups
                ]
                ledger.sum(Place(WHOLE, "", "", decision, ALL, factor, name), list(parts))


def _note_group(
    ledger: Ledger, population: str, group: str, strata: Strata, table: IntArray
) -> None:
    places = list(stratum_places(population, group, strata))
    for code, (rows, *by_decision) in enumerate(places):
        ledger.counts[rows] = int(table[code].sum())
        for place in by_decision:
            ledger.counts[place] = int(table[code, place.decision].sum())
        ledger.sum(rows, list(by_decision))
    for column, decision in enumerate((ALL, *DECISIONS)):
        whole = Place(WHOLE, population, group, decision)
        ledger.sum(whole, [line[column] for line in places])
