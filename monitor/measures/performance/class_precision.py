"""Precision of the class that has the lowest."""

from functools import partial

from monitor.domain.estimate import Result, Unmeasurable
from monitor.measures.applicability import has_classes_and_label
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair
from monitor.measures.performance.classes import largest_fall, worst
from monitor.measures.performance.level import Level, Side, now


def level(side: Side) -> Level | Unmeasurable:
    """Return the precision of the class that most surely has a low one: of its predictions, those right.

    In [0, 1]. The interval is Wilson's at the Bonferroni level, so that it holds for all classes
    together; the class that is named is the one whose upper end is lowest, and not one of few rows
    that may be low by chance. ``detail`` has the precision of each.

    Unmeasurable: no row has both a predicted class and a label.

    Source:
        Wilson (1927); Bonferroni's inequality.
    """
    return worst(side, 1, "precision")


def fall(pair: ProfilePair) -> Result:
    """Return by how much the precision of a class has fallen, of the one that most surely has.

    Signed, in [−1, 1]; 0 when nothing changed. Newcombe's interval at the Bonferroni level over the
    classes that have a precision on both sides; the class that is named is the one whose lower end is
    highest. ``then`` and ``now`` are its values; ``detail`` has the loss of each.

    Unmeasurable: as the level of either side; no class has a precision on both.

    Source:
        Newcombe (1998), method 10; Bonferroni's inequality.
    """
    return largest_fall(pair, 1, "precision")


MEASURE = ModelMeasure(
    Description(
        id="class_precision",
        family=Family.PERFORMANCE,
        title="lowest precision of a class",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Wilson (1927)",
    ),
    partial(now, level),
    applies=has_classes_and_label,
)

DROP = ModelMeasure(
    Description(
        id="class_precision_drop",
        family=Family.PERFORMANCE,
        title="largest loss of precision of a class",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="Newcombe (1998)",
    ),
    fall,
    applies=has_classes_and_label,
)
