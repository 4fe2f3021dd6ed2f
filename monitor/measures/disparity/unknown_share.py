"""Share of rows of unknown membership in a population."""

from collections.abc import Mapping

from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.change_of_share import change_of_share
from monitor.measures.disparity.rate import LEVEL
from monitor.measures.measure import Description, Family, GroupMeasure, GroupPair
from monitor.profile.grid import IntArray
from monitor.uncertainty.proportion import wilson
from monitor.uncertainty.two_sample import same_proportion


def share(pair: GroupPair) -> Mapping[str, Result]:
    """Return the rows whose group is unknown or unmapped over all rows: one number a population.

    In [0, 1], with Wilson's interval; ``then`` is the share in the baseline; ``detail`` has the
    rows as ``positive``.

    Unmeasurable: the window has no rows; the rows of unknown membership were not counted.

    Source:
        Wilson (1927).
    """
    unknown, rows = _unknown(pair.current, pair.unassigned)
    before_unknown, before = _unknown(pair.reference, pair.unassigned_then)
    if not rows:
        return {"": Unmeasurable(Absence.NO_DATA, "the window has no rows", 0, before)}
    low, high = wilson(unknown, rows, LEVEL)
    return {
        "": Estimate(
            unknown / rows,
            n=rows,
            n_reference=before,
            low=float(low),
            high=float(high),
            level=LEVEL,
            method="Wilson score",
            then=before_unknown / before if before else None,
            now=unknown / rows,
            detail={"positive": unknown},
        )
    }


def change(pair: GroupPair) -> Mapping[str, Result]:
    """Return the share of rows of unknown membership now less that in the baseline.

    In [−1, 1]; 0 when nothing changed; above 0, less is known of whom the model decides about than
    was, and disparities are known with wider bounds. Newcombe's interval; Fisher's or the z test.

    Unmeasurable: the window has no rows, or the baseline.

    Source:
        Newcombe (1998), method 10.
    """
    unknown, rows = _unknown(pair.current, pair.unassigned)
    before_unknown, before = _unknown(pair.reference, pair.unassigned_then)
    if not rows:
        return {"": Unmeasurable(Absence.NO_DATA, "the window has no rows", 0, before)}
    if not before:
        return {"": Unmeasurable(Absence.NO_BASELINE, "the baseline has no rows", rows)}
    p_value = float(same_proportion(unknown, rows, before_unknown, before).p_value)
    found = change_of_share(unknown, rows, before_unknown, before)
    return {"": replace(found, p_value=p_value, p_adjusted=p_value, detail={"positive": unknown})}


def _unknown(known: IntArray, unassigned: IntArray | None) -> tuple[int, int]:
    """Return the rows of unknown membership, and all rows."""
    if unassigned is None:
        raise ValueError("rows of unknown membership were not counted")
    unknown = int(unassigned.sum())
    return unknown, unknown + int(known.sum())


_LEVEL = Description(
    id="unknown_share",
    family=Family.DISPARITY,
    title="share of rows of unknown membership",
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
            id="unknown_share_difference",
            family=Family.DISPARITY,
            title="change of the share of rows of unknown membership",
            unit="1",
            unchanged=0.0,
            lower=-1.0,
            upper=1.0,
            symmetric=False,
            source="Newcombe (1998)",
        ),
        change,
        metric=_LEVEL.id,
    ),
)
