"""Difference of each group's rate from that of another."""

from collections.abc import Mapping

from monitor.domain.estimate import Result
from monitor.measures.disparity.comparison import compare
from monitor.measures.disparity.rate import Rate
from monitor.measures.measure import GroupPair
from monitor.uncertainty.difference import newcombe


def difference(rate: Rate, pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's rate less its reference's.

    In [−1, 1]; 0 when both are treated alike; below 0, the group's rate is the lower one.
    Newcombe's interval at 95 %, and jointly over the population's compared groups at ``1 − α``
    (Bonferroni). Tests, ``then``, ``now`` and ``detail`` as for the ratio. It exists where the
    ratio does not: when the reference's rate is 0.

    Unmeasurable: no rows; too few rows or expected rows of a kind; a reference for which the same
    is true; one group only; labels that are never observed.

    Source:
        Newcombe (1998), method 10; Holm (1979).
    """
    compared, reasons = compare(pair, rate)
    now, then = compared.rates
    return reasons | compared.estimates(pair, now - then, newcombe, "Newcombe hybrid score", 0.0)
