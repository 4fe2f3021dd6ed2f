"""Each group's rate against another's within the strata of a factor."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from msgspec import Struct

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_decision, has_decision_and_label
from monitor.measures.disparity.rate import LEVEL, Rate
from monitor.measures.disparity.rates import RATES
from monitor.measures.disparity.within import NOT_KNOWN, Tables, Within, compare_within
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.profile.grid import BoolArray, FloatArray, IntArray
from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.stratified import Pooled, difference, heterogeneity, ratio

LEAST_EXPECTED = 5.0
"""Rows of each kind that a stratum must be expected to hold of either group, to be asked whether its
odds ratio is another: the law of that test is one of large strata (Cochran's rule of five)."""

_LISTED = 5  # strata that cannot be compared and are named in a note, the fullest first


class _Kind(Struct, frozen=True):
    statistic: Callable[..., Pooled]
    method: str
    of_rates: Callable[[FloatArray, FloatArray], FloatArray]


_DIFFERENCE = _Kind(difference, "Mantel–Haenszel, Sato", lambda now, then: now - then)
_RATIO = _Kind(ratio, "Mantel–Haenszel, Greenland–Robins", lambda now, then: now / then)


def conditional_difference(rate: Rate, pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's rate less its reference's within strata (Mantel–Haenszel).

    The mean of the strata's differences, weighted by ``nₖmₖ/(nₖ + mₖ)``. In [−1, 1]; 0 when both are
    treated alike within every stratum. Intervals at 95 %, and jointly over the population's compared
    groups at ``1 − α`` (Bonferroni). The p-value is that of Cochran, Mantel and Haenszel, adjusted by
    Holm. ``then`` and ``now`` are the reference's and the group's rates with those weights;
    ``detail`` as in `_details`, with the difference over all rows as ``marginal``. One reference group
    has none of its own.

    Unmeasurable: where the difference over all rows is; no stratum with rows of both; too few rows, or
    expected rows of a kind, in the strata that have.

    Source:
        Greenland and Robins (1985); Sato (1989); Cochran (1954); Mantel and Haenszel (1959).
    """
    within, reasons = compare_within(pair, rate)
    return dict(reasons) | _estimates(within, pair, _DIFFERENCE) | _of_itself(within, pair, 0.0)


def conditional_ratio(rate: Rate, pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's rate over its reference's within strata (Mantel–Haenszel).

    Not negative; 1 when both are treated alike within every stratum. The ratio of the two rates
    that `conditional_difference` subtracts, with the same tests, ``then``, ``now`` and details;
    ``marginal`` is the ratio over all rows.

    Unmeasurable: as for the difference; the reference has no rows counted in the strata compared.

    Source:
        Greenland and Robins (1985); Cochran (1954); Mantel and Haenszel (1959).
    """
    within, reasons = compare_within(pair, rate)
    defined = np.asarray(within.tables.reference_positive.sum(axis=-1) > 0)
    undefined = {
        pair.groups[group]: Unmeasurable(
            Absence.UNDEFINED,
            f"what it is held against has no {rate.event} in the strata of {within.strata.factor} that "
            "are compared: there is no rate to divide by",
            int(within.tables.known[place].sum()),
            int(within.tables.reference_known[place].sum()),
        )
        for place, group in enumerate(within.marginal.groups.tolist())
        if not defined[place]
    }
    made = _estimates(within.only(defined), pair, _RATIO)
    return dict(reasons) | undefined | made | _of_itself(within, pair, 1.0)


def _estimates(within: Within, pair: GroupPair, kind: _Kind) -> dict[str, Result]:
    if not len(within.marginal.groups):
        return {}
    tables = within.tables
    pooled = kind.statistic(*tables, LEVEL)
    joint = kind.statistic(*tables, 1 - pair.band.alpha / within.tests).interval
    now, then = _standardised(tables)
    marginal = kind.of_rates(*within.marginal.rates)
    return {
        pair.groups[group]: Estimate(
            float(pooled.value[place]),
            n=int(tables.known[place].sum()),
            n_reference=int(tables.reference_known[place].sum()),
            low=float(pooled.interval.low[place]),
            high=float(pooled.interval.high[place]),
            level=LEVEL,
            method=kind.method,
            then=float(then[place]),
            now=float(now[place]),
            p_value=float(within.p_value[place]),
            p_adjusted=float(within.p_adjusted[place]),
            family_low=float(joint.low[place]),
            family_high=float(joint.high[place]),
            detail={"marginal": float(marginal[place]), **detail},
            note=_note(within, place, detail, pair),
        )
        for place, (group, detail) in enumerate(
            zip(within.marginal.groups.tolist(), _details(within), strict=True)
        )
    }


def _of_itself(within: Within, pair: GroupPair, unchanged: float) -> dict[str, Result]:
    """Return what the group that is best off is, held against itself: alike, for certain."""
    own = within.marginal.own
    if own is None:
        return {}
    rows = int(within.whole[1][own].sum())
    alike = Estimate(
        unchanged,
        n=rows,
        n_reference=rows,
        low=unchanged,
        high=unchanged,
        method="held against itself",
        p_value=1.0,
        p_adjusted=1.0,
        family_low=unchanged,
        family_high=unchanged,
        note=within.marginal.note,
    )
    return {pair.groups[own]: alike}


def _standardised(tables: Tables) -> tuple[FloatArray, FloatArray]:
    """Return the rates of group and reference, each stratum with its Mantel–Haenszel weight."""
    one, other = np.maximum(tables.known, 1), np.maximum(tables.reference_known, 1)
    weights = tables.known * tables.reference_known / (one + other)
    whole = weights.sum(axis=-1)
    now = (weights * tables.positive / one).sum(axis=-1) / whole
    then = (weights * tables.reference_positive / other).sum(axis=-1) / whole
    return now, then


def _details(within: Within) -> Iterator[dict[str, float]]:
    """Yield what the comparisons of each group have in common.

    ``positive`` and ``expected`` rows of those compared, and ``shortfall``, those missing to the
    rates that both pool within strata (below 0: in excess); ``strata`` that the group or what it is
    held against has rows in, and ``strata_compared``; ``share_compared`` of the group's rows;
    ``sign_reversal`` (1 or 0); ``heterogeneity_p``, that strata have the same odds ratio, where two
    are large enough to ask; ``demographic_disparity`` and ``conditional_demographic_disparity``.
    """
    tables, every = within.tables, within.every
    positive, expected = tables.positive.sum(axis=-1), tables.expected.sum(axis=-1)
    occupied = (every.known + every.reference_known)[:, :-NOT_KNOWN] > 0
    share = tables.known.sum(axis=-1) / every.known.sum(axis=-1)
    reverses, p_values = _reverses(within), _same_odds(tables)
    whole, mean = _demographic(within)
    for place in range(len(positive)):
        found = {
            "positive": int(positive[place]),
            "expected": float(expected[place]),
            "shortfall": float(expected[place] - positive[place]),
            "strata": int(occupied[place].sum()),
            "strata_compared": int(tables.comparable[place].sum()),
            "share_compared": float(share[place]),
            "sign_reversal": float(reverses[place]),
            "demographic_disparity": float(whole[place]),
            "conditional_demographic_disparity": float(mean[place]),
        }
        if place in p_values:
            found["heterogeneity_p"] = p_values[place]
        yield found


def _reverses(within: Within) -> BoolArray:
    """Return whose difference has another sign within strata than over all rows.

    Chance must not explain one of the two: two numbers next to 0 disagree half the time.
    """
    inside = difference(*within.tables, LEVEL)
    now, then = within.marginal.rates
    clear = np.zeros(len(now), np.bool_)
    for low, high in (inside.interval, newcombe(*within.marginal.tables, LEVEL)):
        clear |= (low > 0) | (high < 0)
    return np.asarray(clear & (inside.value * (now - then) < 0))


def _same_odds(tables: Tables) -> dict[int, float]:
    """Return p-values of "the odds ratio is the same in every stratum", where enough strata ask."""
    rows = np.maximum(tables.known + tables.reference_known, 1)
    counted = tables.positive + tables.reference_positive
    fewer = np.minimum(counted, rows - counted)
    least = np.minimum(tables.known, tables.reference_known) * fewer / rows
    large = tables.where(least >= LEAST_EXPECTED)
    up = large.positive * (large.reference_known - large.reference_positive)
    down = large.reference_positive * (large.known - large.positive)
    able = np.flatnonzero(up.any(axis=-1) & down.any(axis=-1))
    if not len(able):
        return {}
    test = heterogeneity(*large.of(able))
    return {
        place: float(test.p_value[at]) for at, place in enumerate(able.tolist()) if test.df[at] > 0
    }


def _demographic(within: Within) -> tuple[FloatArray, FloatArray]:
    """Return each group's demographic disparity over all rows, and its mean over strata.

    Its share of all rows that are not counted, less its share of those that are; the mean weighs
    strata by their rows. A share of nothing is 0, as Amazon SageMaker Clarify takes it, for
    comparison with which this is.

    Source:
        S. Wachter, B. Mittelstadt and C. Russell (2021), Computer Law & Security Review 41, 105567.
    """
    events, rows = (part.sum(axis=0) for part in within.whole)
    own, of_own = within.every.positive, within.every.known

    def disparity(own: IntArray, of_own: IntArray, events: IntArray, rows: IntArray) -> FloatArray:
        lost = (of_own - own) / np.maximum(rows - events, 1)
        return np.asarray(lost - own / np.maximum(events, 1))

    whole = disparity(own.sum(axis=-1), of_own.sum(axis=-1), events.sum(), rows.sum())
    mean = (rows * disparity(own, of_own, events, rows)).sum(axis=-1) / rows.sum()
    return whole, np.asarray(mean)


def _note(within: Within, place: int, detail: Mapping[str, float], pair: GroupPair) -> str:
    """Return what has to be said beside the number: it is one sum of what may be very different."""
    factor, said = within.strata.factor, []
    if detail["sign_reversal"]:
        said.append("the sign is another than over all rows")
    if detail.get("heterogeneity_p", 1.0) < pair.band.alpha:
        said.append(
            f"the strata of {factor} differ among themselves (p = "
            f"{detail['heterogeneity_p']:.2g}): the pooled number is not a summary of them"
        )
    left = _not_compared(within, place)
    if left:
        said.append(f"not compared: {left}")
    if within.marginal.note:
        said.insert(0, within.marginal.note)
    return "; ".join(said)


def _not_compared(within: Within, place: int) -> str:
    """Return the strata without rows of both, with their share of the rows of both, in words."""
    tables, every = within.tables.of(place), within.every.of(place)
    rows = every.known + every.reference_known
    left = rows * ~tables.comparable
    fullest = [int(stratum) for stratum in np.argsort(-left, kind="stable") if left[stratum]]
    names = [
        f"{within.strata.names[stratum]} ({left[stratum] / rows.sum():.1%} of the rows)"
        for stratum in fullest[:_LISTED]
    ]
    rest = fullest[_LISTED:]
    if rest:
        names.append(f"{len(rest)} more ({left[rest].sum() / rows.sum():.1%})")
    return ", ".join(names)


def conditional_measures_of(rate: Rate) -> tuple[GroupMeasure, ...]:
    """Return a rate's difference and ratio within strata, in this order."""
    of_difference = Description(
        id=f"{rate.id}_conditional_difference",
        family=Family.DISPARITY,
        title=f"difference of the {rate.title} within strata",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="Greenland and Robins (1985); Sato (1989); Mantel and Haenszel (1959); Holm (1979)",
    )
    of_ratio = Description(
        id=f"{rate.id}_conditional_ratio",
        family=Family.DISPARITY,
        title=f"ratio of the {rate.title} within strata",
        unit="1",
        unchanged=1.0,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Greenland and Robins (1985); Mantel and Haenszel (1959); Holm (1979)",
    )
    made = (conditional_difference, of_difference), (conditional_ratio, of_ratio)
    return tuple(
        GroupMeasure(
            about,
            partial(measure, rate),
            within_strata=True,
            applies=has_decision_and_label if rate.labels else has_decision,
            metric=rate.id,
        )
        for measure, about in made
    )


MEASURES = tuple(measure for rate in RATES.values() for measure in conditional_measures_of(rate))
"""Of every rate, its difference and its ratio."""
