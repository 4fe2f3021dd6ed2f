"""Change of each group's ratio to the reference group since the baseline."""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.disparity.comparison import LEVEL, Decisions, compare
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.profile.grid import FloatArray, IntArray
from monitor.uncertainty.interval import normal_quantile
from monitor.uncertainty.multiplicity import holm

CONTINUITY = 0.5
"""Rows added to both counts of each rate, so that a rate of 0 has a logarithm."""


def log_rate(positive: FloatArray, known: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the logarithm of each rate, and its variance, after adding `CONTINUITY`.

    Source:
        S. D. Walter (1975), Biometrika 62, 371-374.
    """
    x, n = positive + CONTINUITY, known + CONTINUITY
    return np.log(x / n), 1 / x - 1 / n


def measure(pair: GroupPair) -> Mapping[str, Result]:
    """Return the logarithm of each group's ratio now less that of the baseline.

    In nats, unbounded; 0 when nothing changed; below 0, the group gets fewer positive decisions
    than it used to, relative to the reference group. Normal interval with the errors of all four
    rates, the baseline's too; jointly over the population at ``1 − α`` (Bonferroni); z test,
    adjusted by Holm. ``then`` and ``now`` are the two ratios, with half a row added to each count.

    Unmeasurable: the group or the reference group is too small now or was in the baseline; the
    reference group has, or had, no positive decision.

    Source:
        Katz et al. (1978), Biometrics 34, 469-474, with Walter's half row; Holm (1979).
    """
    compared, results = compare(pair)
    before = Decisions.of(pair.reference)
    reference = pair.reference_group
    without = [
        when
        for when, side in (("now", Decisions.of(pair.current)), ("in the baseline", before))
        if side.positive[reference] == 0
    ]
    able: list[int] = []
    unavailable = before.too_small(reference, pair.groups[reference], pair.band)
    for group, rows in zip(compared.groups.tolist(), compared.known.tolist(), strict=True):
        name = pair.groups[group]
        if (small := unavailable or before.too_small(group, name, pair.band)) is not None:
            reason = Absence.INSUFFICIENT_DATA if small.n else Absence.NO_BASELINE
            results[name] = Unmeasurable(
                reason, f"in the baseline, {small.explanation}", rows, small.n
            )
        elif without:
            results[name] = Unmeasurable(
                Absence.UNDEFINED,
                f"the reference group {pair.groups[reference]} has no positive decision "
                f"{' and '.join(without)}: there is no rate to divide by",
                rows,
                int(before.known[group]),
            )
        else:
            able.append(group)
    if not able:
        return results
    return results | _estimates(pair, np.array(able, np.int64))


def _estimates(pair: GroupPair, groups: IntArray) -> dict[str, Estimate]:
    now, then = Decisions.of(pair.current), Decisions.of(pair.reference)
    ratios, variance = [], np.zeros(len(groups))
    for side in (then, now):
        logs, variances = log_rate(side.positive.astype(np.float64), side.known.astype(np.float64))
        ratios.append(logs[groups] - logs[pair.reference_group])
        variance += variances[groups] + variances[pair.reference_group]
    change, error = ratios[1] - ratios[0], np.sqrt(variance)
    z = np.divide(change, error, out=np.zeros(len(groups)), where=error > 0)
    p_value = 2 * ndtr(-np.abs(z))
    p_adjusted = holm(p_value)
    single = float(normal_quantile(LEVEL)) * error
    joint = float(normal_quantile(1 - pair.band.alpha / len(groups))) * error
    return {
        pair.groups[group]: Estimate(
            float(change[place]),
            n=int(now.known[group]),
            n_reference=int(then.known[group]),
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
        )
        for place, group in enumerate(groups.tolist())
    }


MEASURE = GroupMeasure(
    Description(
        id="selection_rate_ratio_change",
        family=Family.DISPARITY,
        title="change of the ratio since the baseline",
        unit="nats",
        unchanged=0.0,
        lower=None,
        upper=None,
        symmetric=False,
        source="Katz et al. (1978); Walter (1975); Holm (1979)",
    ),
    measure,
)
