"""Largest change of the share of a predicted class."""

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_classes
from monitor.measures.class_shares import UNDECLARED, class_names, largest_change, spread_of
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


def predicted(profile: Profile) -> IntArray | None:
    """Return the rows of each predicted class, the last for none or any other; None if not counted."""
    return None if profile.classes is None else profile.classes.table.margin().sum(axis=1)


def measure(pair: ProfilePair) -> Result:
    """Return the largest change of the share of a predicted class: ``max |qₖ − pₖ|``.

    Of all rows; those without a predicted class, or with one that was not declared, are a class of
    their own. In [0, 1], 0 when nothing changed; the class is named. The interval comes from
    Newcombe's of every class at the Bonferroni level. ``then`` and ``now`` are the shares of the
    class.

    Unmeasurable: no row in the window, or none in the baseline.

    Source:
        The Chebyshev distance; Newcombe (1998), method 10.
    """
    then, now = predicted(pair.reference), predicted(pair.current)
    if then is None or not then.any():
        rows = 0 if now is None else int(now.sum())
        return Unmeasurable(Absence.NO_BASELINE, "the baseline has no predicted classes", rows)
    if now is None or not now.any():
        told = "the window has no predicted classes"
        return Unmeasurable(Absence.NO_DATA, told, 0, int(then.sum()))
    return largest_change(then, now, (*class_names(pair.grid), UNDECLARED))


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared change of each share between a window of the baseline and the others."""
    return spread_of(predicted(model.whole), [predicted(part) for part in model.parts])


MEASURE = ModelMeasure(
    Description(
        id="prediction_shares",
        family=Family.DRIFT,
        title="largest change of the share of a predicted class",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=True,
        source="Chebyshev distance; Newcombe (1998)",
    ),
    measure,
    applies=has_classes,
    tail=tail,
    spread=spread,
)
