"""Brier score of the probabilities of several classes."""

from functools import partial

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.classes import impossible
from monitor.measures.performance.level import Level, Side, mean_level, now, rise_of


def level(side: Side) -> Level | Unmeasurable:
    """Return the Brier score of one side.

    The mean of ``Σₖ (pₖ − yₖ)²`` over the classes, y being 1 for the class that came and 0 for the
    others: Brier's own definition. In [0, 2]; ``1 − 1/k`` for k classes that are all called equally
    likely. Of two classes it is twice what `brier` is of the probability of one. Exact to rounding.

    Unmeasurable: no label has arrived, or none for a row with all probabilities; fewer than two of
    them; labelled rows whose probabilities are outside 0 to 1, or not within 0.01 of 1 together;
    what was stored before it was counted.

    Source:
        G. W. Brier (1950), Monthly Weather Review 78, 1-3.
    """
    counts = side.profile.classes
    sums = None if counts is None else counts.squares
    if counts is None or counts.errors is None or sums is None:
        told = f"{side.name} was stored without squares of probabilities: register a new baseline"
        return Unmeasurable(Absence.NO_BASELINE, told)
    wrong = impossible(side, counts.errors)
    if wrong is not None:
        return wrong
    if not sums.rows:
        return side.lacking(0, "both a label and the probability of every class")
    return mean_level(sums.squared, sums.fourth, sums.rows, side)


MEASURE = ModelMeasure(
    Description(
        id="multiclass_brier",
        family=Family.PERFORMANCE,
        title="Brier score of the classes",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=2.0,
        symmetric=False,
        source="Brier (1950)",
    ),
    partial(now, level),
    applies=has_probabilities_and_label,
)

RISE = rise_of(MEASURE, level, "rise of the Brier score of the classes")
