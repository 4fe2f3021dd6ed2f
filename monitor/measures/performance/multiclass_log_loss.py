"""Log loss of the probabilities of several classes."""

from functools import partial

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.applicability import has_probabilities_and_label
from monitor.measures.measure import Description, Family, ModelMeasure
from monitor.measures.performance.classes import impossible
from monitor.measures.performance.level import Level, Side, mean_level, now, rise_of


def level(side: Side) -> Level | Unmeasurable:
    """Return the log loss of one side.

    The mean of ``−ln`` of the probability that was given to the class that came, in nats; a
    probability counts as at least `LEAST_CHANCE`. From 0, no upper bound (36 in fact); ``ln k`` for k
    classes that are all called equally likely. Exact to rounding.

    Unmeasurable: no label has arrived, or none for a row with all probabilities; fewer than two of
    them; labelled rows whose probabilities are outside 0 to 1, or not within 0.01 of 1 together.

    Source:
        I. J. Good (1952), J. R. Stat. Soc. B 14, 107-114.
    """
    counts = side.profile.classes
    sums = None if counts is None else counts.errors
    if sums is None:
        told = f"{side.name} was stored without errors of probabilities: register a new baseline"
        return Unmeasurable(Absence.NO_BASELINE, told)
    wrong = impossible(side, sums)
    if wrong is not None:
        return wrong
    if not sums.rows:
        return side.lacking(0, "both a label and the probability of every class")
    return mean_level(sums.log, sums.log_squared, sums.rows, side)


MEASURE = ModelMeasure(
    Description(
        id="multiclass_log_loss",
        family=Family.PERFORMANCE,
        title="log loss of the classes",
        unit="nat",
        unchanged=None,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Good (1952)",
    ),
    partial(now, level),
    applies=has_probabilities_and_label,
)

RISE = rise_of(MEASURE, level, "rise of the log loss of the classes")
