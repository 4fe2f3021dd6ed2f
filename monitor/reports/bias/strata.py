"""Comparisons within the strata of declared factors, and what a reader must know of each."""

from collections.abc import Iterator, Mapping

import numpy as np

from monitor.domain.estimate import Estimate
from monitor.domain.field import Population
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.engine.disclosure import SPREAD
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import GroupPair
from monitor.measures.strata import group_pair_by
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.reports.bias.comparisons import TITLES, Sources, figure
from monitor.reports.bias.document import StrataTable, Stratum, StratumCount
from monitor.reports.bias.ledger import WHOLE
from monitor.reports.bias.looks import p_text
from monitor.reports.bias.strata_counts import strata_of, stratum_places

_CONDITIONAL = "_conditional_"

_TOLD = ("marginal", "strata", "strata_compared", "sign_reversal", "heterogeneity_p")
"""Details that are shown."""

STEP = 0.001
"""The least difference of rates that is printed: a tenth of a point."""


def within_strata(population: Population, policy: Policy, sources: Sources) -> Iterator[Stratum]:
    """Yield what was compared within the strata of a factor, in the order of the readings."""
    whole = sources.stretch.whole
    by_factor = {
        factor: group_pair_by(population, factor, policy, whole.pair, unassigned=True)
        for factor in policy.strata
    }
    for item in whole.readings:
        subject = item.subject
        if _CONDITIONAL in item.measure and subject.population == sources.population:
            pair = by_factor.get(subject.stratum)
            yield _stratum(item, sources, pair if isinstance(pair, GroupPair) else None)


def strata_tables(policy: Policy, sources: Sources) -> Iterator[StrataTable]:
    """Yield the counts of a population by the strata of each factor, where they may be told."""
    for (population, factor), pair in sources.tables.strata.items():
        if population != sources.population:
            continue
        strata, declared = strata_of(pair), policy.strata[factor]
        filled = [code for code in range(len(strata.names)) if strata.table[:, code].any()]
        lines = [(group, strata.table[index]) for index, group in enumerate(pair.groups)]
        counted = []
        for group, table in (*lines, ("", strata.table.sum(axis=0))):
            places = list(stratum_places(population if group else "", group, strata))
            shown = [sources.tables.shown(*places[code]) for code in filled]
            decided = table[filled].sum(axis=2)
            counted.append((group, tuple(map(_count, decided, shown))))
        names = tuple(strata.names[code] for code in filled)
        yield StrataTable(factor, declared.approved_by, declared.reason, names, tuple(counted))


def _count(decided: np.ndarray, shown: bool) -> StratumCount:  # noqa: FBT001  # mapped over two lists
    if not shown:
        return StratumCount(None, None)
    positive = int(decided[POSITIVE])
    return StratumCount(positive + int(decided[NEGATIVE]), positive)


def _stratum(reading: Reading, sources: Sources, pair: GroupPair | None) -> Stratum:
    subject, result = reading.subject, reading.result
    metric = reading.measure.partition(_CONDITIONAL)[0]
    large = all(sources.tells(metric, WHOLE, group) for group in (subject.group, sources.reference))
    safe = pair is None or _tells_nothing_more(pair, metric, subject.group, sources)
    shown = large and safe
    detail: dict[str, float] = {}
    if not large:
        told = "not shown: its counts are too small"
    elif not safe:
        told = (
            f"not shown: with the counts by {subject.stratum} it would tell of strata in which they "
            "are too small"
        )
    elif isinstance(result, Estimate):
        detail = {name: result.detail[name] for name in _TOLD if name in result.detail}
        told = _words(result.detail, subject.stratum, sources.pair.band.alpha)
    else:
        told = result.explanation
    return Stratum(
        reading.measure,
        TITLES[metric],
        subject.stratum,
        subject.group,
        subject.reference_group,
        figure(result) if shown else None,
        told,
        detail,
    )


def _tells_nothing_more(pair: GroupPair, metric: str, group: str, sources: Sources) -> bool:
    """Return whether a number that sums up strata gives no count away that is not shown beside it.

    Either every count that it is made of is shown; or so many rows are compared that it stays the
    same, as it is printed, if a hidden count is another by as much as a reader has to be unsure of.
    """
    strata, tables = strata_of(pair), sources.tables
    if RATES[metric].labels or strata.factor not in {factor for _, factor in tables.strata}:
        return True  # the counts that it is made of are not told by stratum
    of_one = sources.reference in pair.groups
    against = (sources.reference,) if of_one else pair.groups
    if (sources.population, strata.factor) in tables.strata:
        places = (
            place
            for name in {group, *against}
            for line in stratum_places(sources.population, name, strata)
            for place in line
        )
        if tables.shown(*places):
            return True
    _, rows = RATES[metric].count(strata.table)
    own = rows[pair.groups.index(group)]
    others = rows[pair.groups.index(sources.reference)] if of_one else rows.sum(axis=0) - own
    weight = (own * others / np.maximum(own + others, 1)).sum()
    return tables.below <= 1 or bool(weight * STEP >= SPREAD)


def _words(detail: Mapping[str, float], factor: str, alpha: float) -> str:
    """Return what has to be said beside a number that sums up several strata."""
    if "strata" not in detail:
        return "held against itself"
    said = []
    if detail["sign_reversal"]:
        said.append("within strata the difference has another sign than over all rows")
    p_value = detail.get("heterogeneity_p", 1.0)
    if p_value < alpha:
        said.append(
            f"the strata of {factor} differ among themselves (p {p_text(p_value)}): one number is no "
            "summary of them"
        )
    share = detail["share_compared"]
    # A whole per cent: more digits would tell how few people the other strata have.
    about = "nearly all" if 0.99 <= share < 1 else f"{100 * share:.0f} %"  # noqa: PLR2004  # of all
    said.append(
        f"{detail['strata_compared']:.0f} of {detail['strata']:.0f} strata have rows of both, with "
        f"{about} of the group's rows"
    )
    return "; ".join(said)
