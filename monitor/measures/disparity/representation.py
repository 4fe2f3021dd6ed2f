"""Share of a population that each group is."""

from collections.abc import Mapping

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.disparity.rate import LEVEL
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.multiplicity import holm
from monitor.uncertainty.proportion import wilson
from monitor.uncertainty.two_sample import same_proportion


def share(pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's rows over those of all groups, whatever is known of their outcome.

    In [0, 1], with Wilson's interval; ``then`` is the share in the baseline. Rows of unknown or
    unmapped membership are in neither. A group that is gone has the share 0.

    Unmeasurable: no row of the window has a known group.

    Source:
        Wilson (1927).
    """
    now, then = (side.sum(axis=(1, 2)) for side in (pair.current, pair.reference))
    rows, before = int(now.sum()), int(then.sum())
    if not rows:
        return _no_rows(pair)
    interval = wilson(now, rows, LEVEL)
    return {
        name: Estimate(
            int(now[place]) / rows,
            n=rows,
            n_reference=before,
            low=float(interval.low[place]),
            high=float(interval.high[place]),
            level=LEVEL,
            method="Wilson score",
            then=int(then[place]) / before if before else None,
            now=int(now[place]) / rows,
            detail={"positive": int(now[place])},
        )
        for place, name in enumerate(pair.groups)
    }


def change(pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's share of the population now less that in the baseline.

    In [−1, 1]; 0 when nothing changed; below 0, the group has become rarer among those the model
    sees. Newcombe's interval, and jointly over the groups (Bonferroni); Fisher's or the z test,
    adjusted by Holm.

    Unmeasurable: no row of the window, or of the baseline, has a known group.

    Source:
        Newcombe (1998), method 10; Holm (1979).
    """
    now, then = (side.sum(axis=(1, 2)) for side in (pair.current, pair.reference))
    rows, before = int(now.sum()), int(then.sum())
    if not rows:
        return _no_rows(pair)
    if not before:
        why = f"no row of the baseline has a known group of {pair.population}"
        return dict.fromkeys(pair.groups, Unmeasurable(Absence.NO_BASELINE, why, rows))
    tables = now, rows, then, before
    single = newcombe(*tables, LEVEL)
    joint = newcombe(*tables, 1 - pair.band.alpha / len(pair.groups))
    test = same_proportion(*tables)
    p_adjusted = holm(test.p_value)
    changes = np.asarray(now / rows - then / before)
    return {
        name: Estimate(
            float(changes[place]),
            n=rows,
            n_reference=before,
            low=float(single.low[place]),
            high=float(single.high[place]),
            level=LEVEL,
            method="Newcombe hybrid score",
            then=int(then[place]) / before,
            now=int(now[place]) / rows,
            p_value=float(test.p_value[place]),
            p_adjusted=float(p_adjusted[place]),
            family_low=float(joint.low[place]),
            family_high=float(joint.high[place]),
            detail={"sd": float(test.z[place]), "positive": int(now[place])},
        )
        for place, name in enumerate(pair.groups)
    }


def _no_rows(pair: GroupPair) -> dict[str, Result]:
    why = f"no row of the window has a known group of {pair.population}"
    return dict.fromkeys(pair.groups, Unmeasurable(Absence.NO_DATA, why))


_LEVEL = Description(
    id="representation",
    family=Family.DISPARITY,
    title="share of the population",
    unit="1",
    unchanged=None,
    lower=0.0,
    upper=1.0,
    symmetric=False,
    source="Wilson (1927)",
)
MEASURES = (
    GroupMeasure(_LEVEL, share, metric=_LEVEL.id),
    GroupMeasure(
        Description(
            id="representation_difference",
            family=Family.DISPARITY,
            title="change of the share of the population",
            unit="1",
            unchanged=0.0,
            lower=-1.0,
            upper=1.0,
            symmetric=False,
            source="Newcombe (1998); Holm (1979)",
        ),
        change,
        metric=_LEVEL.id,
    ),
)
