"""Share of rows whose label has arrived, in each group."""

from collections.abc import Mapping

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_label
from monitor.measures.disparity.rate import LEVEL
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.profile.grid import IntArray
from monitor.uncertainty.proportion import wilson


def measure(pair: GroupPair) -> Mapping[str, Result]:
    """Return each group's share of rows that have a positive or a negative label.

    In [0, 1], with Wilson's interval; ``then`` is the share in the baseline, where the group had
    rows. Rows whose group is unknown or unmapped are listed as groups of their own.

    Unmeasurable: the group has no rows.

    Source:
        Wilson (1927); verification bias by what is verified: Begg and Greenes (1983).
    """
    now, then = _labelled(pair.current), _labelled(pair.reference)
    rows, reference_rows = pair.current.sum(axis=(1, 2)), pair.reference.sum(axis=(1, 2))
    results: dict[str, Result] = {}
    for group, name in enumerate(pair.groups):
        labelled, of, before = int(now[group]), int(rows[group]), int(reference_rows[group])
        if not of:
            results[name] = Unmeasurable(Absence.NO_DATA, f"{name} has no rows", 0, before)
            continue
        low, high = wilson(labelled, of, LEVEL)
        results[name] = Estimate(
            labelled / of,
            n=of,
            n_reference=before,
            low=float(low),
            high=float(high),
            level=LEVEL,
            method="Wilson score",
            then=int(then[group]) / before if before else None,
            now=labelled / of,
            detail={"labelled": labelled},
        )
    return results


def _labelled(table: IntArray) -> IntArray:
    return np.asarray(table[:, :, [NEGATIVE, POSITIVE]].sum(axis=(1, 2)), np.int64)


MEASURE = GroupMeasure(
    Description(
        id="group_label_coverage",
        family=Family.DISPARITY,
        title="share of rows with a label",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Wilson (1927); Begg and Greenes (1983)",
    ),
    measure,
    unassigned=True,
    applies=has_label,
)
