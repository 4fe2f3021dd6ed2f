"""Difference of each group's share of positive decisions and the reference group's."""

from collections.abc import Mapping

from monitor.domain.estimate import Estimate, Result
from monitor.measures.disparity.comparison import LEVEL, compare
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.uncertainty.difference import newcombe


def measure(pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's rate less the reference group's.

    In [−1, 1]; 0 when both are treated alike; below 0, the group gets fewer positive decisions.
    Newcombe's interval at 95 %, and jointly over the population's compared groups at ``1 − α``
    (Bonferroni). Tests, ``then``, ``now`` and ``detail`` as for the ratio. It exists where the
    ratio does not: when the reference group's rate is 0.

    Unmeasurable: no rows; too few rows or expected decisions of a kind; a reference group for
    which the same is true; one group only.

    Source:
        Newcombe (1998), method 10; Holm (1979).
    """
    compared, results = compare(pair)
    if not len(compared.groups):
        return results
    reference, n = compared.reference_positive, compared.reference_known
    tables = compared.positive, compared.known, reference, n
    single = newcombe(*tables, LEVEL)
    joint = newcombe(*tables, 1 - pair.band.alpha / len(compared.groups))
    rates = compared.positive / compared.known
    estimates = {
        pair.groups[group]: Estimate(
            float(rates[place] - reference / n),
            n=int(compared.known[place]),
            n_reference=n,
            low=float(single.low[place]),
            high=float(single.high[place]),
            level=LEVEL,
            method="Newcombe hybrid score",
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
        id="selection_rate_difference",
        family=Family.DISPARITY,
        title="difference of shares of positive decisions",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="Newcombe (1998); Holm (1979)",
    ),
    measure,
)
