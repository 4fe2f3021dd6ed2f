"""Change of each group's ratio since the baseline."""

from collections.abc import Mapping

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.domain.limit import HeldAgainst
from monitor.measures.disparity.comparison import Comparison, compare
from monitor.measures.disparity.rate import LEVEL, Counts, Rate
from monitor.measures.measure import GroupPair
from monitor.profile.grid import FloatArray, IntArray
from monitor.special import ndtr
from monitor.uncertainty.interval import normal_quantile
from monitor.uncertainty.multiplicity import holm

CONTINUITY = 0.5
"""Rows added to both counts of each rate, so that a rate of 0 has a logarithm."""


def log_rate(events: IntArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the logarithm of each rate, and its variance, after adding `CONTINUITY`.

    Source:
        S. D. Walter (1975), Biometrika 62, 371-374.
    """
    x, n = events + CONTINUITY, rows + CONTINUITY
    return np.log(x / n), 1 / x - 1 / n


def ratio_change(rate: Rate, pair: GroupPair) -> Mapping[str, Result]:
    """Return the logarithm of each group's ratio now less that of the baseline.

    In nats, unbounded; 0 when nothing changed; below 0, the group's rate is lower than it used to
    be, relative to its reference's. Normal interval with the errors of all four
    rates, the baseline's too; jointly over the population at ``1 − α`` (Bonferroni); z test,
    adjusted by Holm. ``then`` and ``now`` are the two ratios, with half a row added to each count.
    The group that is best off now is the one that others are held against in the baseline too.

    Unmeasurable: the group or its reference is too small now or was in the baseline; the reference
    has, or had, a rate of 0; labels that are never observed.

    Source:
        Katz et al. (1978), Biometrics 34, 469-474, with Walter's half row; Holm (1979).
    """
    compared, reasons = compare(pair, rate)
    results: dict[str, Result] = dict(reasons)
    now, before = rate.counted(pair), rate.counted(pair, then=True)
    able: list[int] = []
    for group in compared.groups.tolist():
        reason = _not_then(pair, compared, now, before, group)
        if reason is None:
            able.append(group)
        else:
            results[pair.groups[group]] = reason
    if not able:
        return results
    groups = np.array(able, np.int64)
    return results | _estimates(pair, compared, now, before, groups)


def _reference(
    pair: GroupPair, compared: Comparison, counts: Counts, group: int
) -> tuple[Counts, int, str]:
    """Return the counts and the place and name in them of what a group is held against."""
    if pair.against is HeldAgainst.REST:
        return counts.rest(), group, f"the rest beside {pair.groups[group]}"
    place = pair.reference_group if compared.own is None else compared.own
    return counts, place, pair.groups[place]


def _not_then(
    pair: GroupPair, compared: Comparison, now: Counts, before: Counts, group: int
) -> Unmeasurable | None:
    """Return why a comparison that can be made now has nothing to have changed from."""
    name, rows = pair.groups[group], int(now.rows[group])
    reference, place, called = _reference(pair, compared, before, group)
    small = reference.too_small(place, called, pair.band) or before.too_small(
        group, name, pair.band
    )
    if small is not None:
        reason = Absence.INSUFFICIENT_DATA if small.n else Absence.NO_BASELINE
        return Unmeasurable(reason, f"in the baseline, {small.explanation}", rows, small.n)
    current, place, called = _reference(pair, compared, now, group)
    without = [
        when
        for when, side in (("now", current), ("in the baseline", reference))
        if side.events[place] == 0
    ]
    if without:
        why = f"{called} has no {now.rate.event} {' and '.join(without)}: there is no rate to divide by"
        return Unmeasurable(Absence.UNDEFINED, why, rows, int(before.rows[group]))
    return None


def _estimates(
    pair: GroupPair, compared: Comparison, now: Counts, then: Counts, groups: IntArray
) -> dict[str, Estimate]:
    ratios, variance = [], np.zeros(len(groups))
    for side in (then, now):
        against = [_reference(pair, compared, side, group)[:2] for group in groups.tolist()]
        other_events = np.array([counts.events[place] for counts, place in against], np.int64)
        other_rows = np.array([counts.rows[place] for counts, place in against], np.int64)
        logs, variances = log_rate(side.events[groups], side.rows[groups])
        other_logs, other_variances = log_rate(other_events, other_rows)
        ratios.append(logs - other_logs)
        variance += variances + other_variances
    change, error = ratios[1] - ratios[0], np.sqrt(variance)
    z = np.divide(change, error, out=np.zeros(len(groups)), where=error > 0)
    p_value = 2 * ndtr(-np.abs(z))
    # To choose the best off is to have looked at every pair.
    tests = len(groups) if compared.own is None else compared.tests
    p_adjusted = holm(p_value) if compared.own is None else np.minimum(p_value * tests, 1.0)
    single = float(normal_quantile(LEVEL)) * error
    joint = float(normal_quantile(1 - pair.band.alpha / max(tests, pair.family))) * error
    return {
        pair.groups[group]: Estimate(
            float(change[place]),
            n=int(now.rows[group]),
            n_reference=int(then.rows[group]),
            low=float(change[place] - single[place]),
            high=float(change[place] + single[place]),
            level=LEVEL,
            method="log ratio, normal, half a row added",
            then=float(np.exp(ratios[0][place])),
            now=float(np.exp(ratios[1][place])),
            p_value=float(p_value[place]),
            p_adjusted=float(p_adjusted[place]),
            family_low=float(change[place] - joint[place]),
            family_high=float(change[place] + joint[place]),
            detail={"sd": float(z[place])},
            note=compared.note,
        )
        for place, group in enumerate(groups.tolist())
    }
