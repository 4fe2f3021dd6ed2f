"""Share of positive decisions in each group."""

from collections.abc import Mapping

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.disparity.comparison import LEVEL, Decisions
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.uncertainty.proportion import wilson


def measure(pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's share of positive decisions, of the rows with a known decision.

    In [0, 1], with Wilson's interval; ``then`` is the share in the baseline, where the group had
    rows. Small groups are listed too: their interval says how little they show. Rows whose group
    is unknown or unmapped are listed as groups of their own, so that nobody is left out.

    Unmeasurable: no row of the group has a known decision.

    Source:
        Wilson (1927).
    """
    now, then = Decisions.of(pair.current), Decisions.of(pair.reference)
    results: dict[str, Result] = {}
    for group, name in enumerate(pair.groups):
        positive, rows = int(now.positive[group]), int(now.known[group])
        reference_rows = int(then.known[group])
        if rows == 0:
            results[name] = Unmeasurable(
                Absence.NO_DATA, f"no row of {name} has a known decision", 0, reference_rows
            )
            continue
        low, high = wilson(positive, rows, LEVEL)
        results[name] = Estimate(
            positive / rows,
            n=rows,
            n_reference=reference_rows,
            low=float(low),
            high=float(high),
            level=LEVEL,
            method="Wilson score",
            then=int(then.positive[group]) / reference_rows if reference_rows else None,
            now=positive / rows,
            detail={"positive": positive},
        )
    return results


MEASURE = GroupMeasure(
    Description(
        id="selection_rate",
        family=Family.DISPARITY,
        title="share of positive decisions",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Wilson (1927)",
    ),
    measure,
    unassigned=True,
)
