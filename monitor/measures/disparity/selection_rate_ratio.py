"""Ratio of each group's share of positive decisions to the reference group's."""

from collections.abc import Mapping

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.disparity.comparison import LEVEL, compare
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.uncertainty.ratio import koopman


def measure(pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's rate over the reference group's, the "impact ratio".

    Not negative; 1 when both are treated alike; below 1, the group gets fewer positive decisions.
    Koopman's interval at 95 %, and jointly over the population's compared groups at ``1 − α``
    (Bonferroni). The p-value is Fisher's for small tables, else the z test's, and adjusted by
    Holm. ``then`` is the reference group's rate, ``now`` the group's; ``detail`` as in
    `Comparison.detail`. The reference group has no ratio.

    Unmeasurable: no rows; too few rows or expected decisions of a kind; a reference group for
    which the same is true; a reference rate of 0; one group only.

    Source:
        Koopman (1984); Holm (1979); the benchmark of four fifths: 29 CFR 1607.4(D) (1978).
    """
    compared, results = compare(pair)
    if not len(compared.groups):
        return results
    reference, n = compared.reference_positive, compared.reference_known
    if reference == 0:
        name = pair.groups[pair.reference_group]
        undefined = {
            pair.groups[group]: Unmeasurable(
                Absence.UNDEFINED,
                f"none of the {n} rows of the reference group {name} has a positive decision: "
                f"there is no rate to divide by ({pair.groups[group]}: {positive} of {rows})",
                int(rows),
                n,
            )
            for group, positive, rows in zip(
                compared.groups, compared.positive, compared.known, strict=True
            )
        }
        return results | undefined
    tables = compared.positive, compared.known, reference, n
    single = koopman(*tables, LEVEL)
    joint = koopman(*tables, 1 - pair.band.alpha / len(compared.groups))
    rates = compared.positive / compared.known
    estimates = {
        pair.groups[group]: Estimate(
            float(rates[place] / (reference / n)),
            n=int(compared.known[place]),
            n_reference=n,
            low=float(single.low[place]),
            high=float(single.high[place]),
            level=LEVEL,
            method="Koopman score",
            then=reference / n,
            now=float(rates[place]),
            p_value=float(compared.p_value[place]),
            p_adjusted=float(compared.p_adjusted[place]),
            family_low=float(joint.low[place]),
            family_high=float(joint.high[place]),
            detail=compared.detail(place),
        )
        for place, group in enumerate(compared.groups.tolist())
    }
    return results | estimates


MEASURE = GroupMeasure(
    Description(
        id="selection_rate_ratio",
        family=Family.DISPARITY,
        title="ratio of shares of positive decisions",
        unit="1",
        unchanged=1.0,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Koopman (1984); Holm (1979)",
    ),
    measure,
)
