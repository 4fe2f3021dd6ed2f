"""Ratio of each group's rate to that of another."""

from collections.abc import Mapping

from msgspec.structs import replace

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.disparity.comparison import compare
from monitor.measures.disparity.detail import details
from monitor.measures.disparity.rate import Rate
from monitor.measures.measure import GroupPair
from monitor.uncertainty.ratio import koopman


def ratio(rate: Rate, pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's rate over its reference's; of selection rates, the "impact ratio".

    Not negative; 1 when both are treated alike; below 1, the group's rate is the lower one.
    Koopman's interval at 95 %, and jointly over the population's compared groups at ``1 − α``
    (Bonferroni). The p-value is Fisher's for small tables, else the z test's, and adjusted by
    Holm. ``then`` is the reference's rate, ``now`` the group's; ``detail`` as in
    `Comparison.detail` and `details`. One reference group has no ratio of its own.

    Unmeasurable: no rows; too few rows or expected rows of a kind; a reference for which the same
    is true; a reference rate of 0; one group only; labels that are never observed.

    Source:
        Koopman (1984); Holm (1979); the benchmark of four fifths: 29 CFR 1607.4(D) (1978).
    """
    compared, reasons = compare(pair, rate)
    results: dict[str, Result] = dict(reasons)
    for place, group in enumerate(compared.groups.tolist()):
        n = int(compared.reference_known[place])
        if compared.reference_positive[place] == 0:
            rows, own = int(compared.known[place]), int(compared.positive[place])
            results[pair.groups[group]] = Unmeasurable(
                Absence.UNDEFINED,
                f"what it is held against has no {rate.event} among {n} rows: there is no rate to "
                f"divide by ({pair.groups[group]}: {own} of {rows})",
                rows,
                n,
            )
    defined = compared.only(compared.reference_positive > 0)
    now, then = defined.rates
    found = defined.estimates(pair, now / then, koopman, "Koopman score", 1.0)
    for group, further in zip(defined.groups.tolist(), details(pair, defined), strict=True):
        plain = found[pair.groups[group]]
        found[pair.groups[group]] = replace(plain, detail={**plain.detail, **further})
    return results | found
