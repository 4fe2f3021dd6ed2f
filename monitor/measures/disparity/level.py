"""A rate in each group."""

from collections.abc import Mapping

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.crossing import OTHER_SMALL, told_cells
from monitor.measures.disparity.rate import LEVEL, Rate
from monitor.measures.measure import GroupPair
from monitor.uncertainty.proportion import wilson


def level(rate: Rate, pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's rate: rows counted over the rows that they are counted among.

    In [0, 1], with Wilson's interval; ``then`` is the rate in the baseline, where the group had
    rows; ``detail`` has the rows counted as ``positive``, ``note`` the cells of a crossing that are
    one group together. Small groups are listed too: their interval says how little they show. Rows
    whose group is unknown or unmapped are listed as groups of their own, so that nobody is left
    out.

    Unmeasurable: the group has no rows to count among; labels of the rows are never observed.

    Source:
        Wilson (1927).
    """
    now, then = rate.counted(pair), rate.counted(pair, then=True)
    unseen = rate.unavailable(pair)
    results: dict[str, Result] = {}
    for group, name in enumerate(pair.groups):
        events, rows, before = int(now.events[group]), int(now.rows[group]), int(then.rows[group])
        if unseen:
            results[name] = Unmeasurable(Absence.UNDEFINED, unseen, 0, 0)
            continue
        if (missing := now.missing(group, name)) is not None:
            results[name] = Unmeasurable(missing.reason, missing.explanation, 0, before)
            continue
        low, high = wilson(events, rows, LEVEL)
        results[name] = Estimate(
            events / rows,
            n=rows,
            n_reference=before,
            low=float(low),
            high=float(high),
            level=LEVEL,
            method="Wilson score",
            then=int(then.events[group]) / before if before else None,
            now=events / rows,
            detail={"positive": events},
            note=told_cells(pair.folded) if name == OTHER_SMALL else "",
        )
    return results
