"""Largest change of the share of a class among the labels."""

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_classes_and_label
from monitor.measures.class_shares import class_names, largest_change, spread_of
from monitor.measures.drift.l_infinity import tail
from monitor.measures.measure import (
    Description,
    Family,
    ModelMeasure,
    ProfilePair,
    ProfileParts,
)
from monitor.profile.grid import IntArray
from monitor.profile.profile import Profile
from monitor.uncertainty.between import Squares


def came(profile: Profile) -> IntArray | None:
    """Return the rows of each class among the labels; None if classes were not counted."""
    return None if profile.classes is None else profile.classes.table.margin().sum(axis=0)[:-1]


def measure(pair: ProfilePair) -> Result:
    """Return the largest change of the share of a class among the labels: ``max |qₖ − pₖ|``.

    Of the rows whose label has arrived and is one of the declared classes. In [0, 1], 0 when nothing
    changed; the class is named. The interval comes from Newcombe's of every class at the Bonferroni
    level. ``then`` and ``now`` are the shares of the class. Labels that arrive early may be of
    another kind than those that arrive late.

    Unmeasurable: no labelled row in the window, or none in the baseline.

    Source:
        The Chebyshev distance; Newcombe (1998), method 10.
    """
    then, now = came(pair.reference), came(pair.current)
    if then is None or not then.any():
        rows = 0 if now is None else int(now.sum())
        return Unmeasurable(Absence.NO_BASELINE, "no row of the baseline has a label", rows)
    if now is None or not now.any():
        told = f"none of the window's {pair.current.rows} rows has a label"
        return Unmeasurable(Absence.NO_LABELS, told, 0, int(then.sum()))
    return largest_change(then, now, class_names(pair.grid))


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared change of each share between a window of the baseline and the others."""
    return spread_of(came(model.whole), [came(part) for part in model.parts])


MEASURE = ModelMeasure(
    Description(
        id="label_shares",
        family=Family.DRIFT,
        title="largest change of the share of a class among the labels",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=True,
        source="Chebyshev distance; Newcombe (1998)",
    ),
    measure,
    applies=has_classes_and_label,
    tail=tail,
    spread=spread,
)
