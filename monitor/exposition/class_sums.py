"""How counts of groups by class hang together: what a reader can subtract."""

from collections.abc import Callable, Iterable, Mapping

from monitor.domain.policy import Policy
from monitor.engine.disclosure import Cell, Sum
from monitor.measures.disparity.rate import ANY_DECISION, ANY_LABEL, DECIDED, LABELLED, Cells, cells
from monitor.profile.counts import POSITIVE

_OF_ALL_CLASSES = tuple(
    cells(decisions, labels)
    for decisions in (ANY_DECISION, DECIDED)
    for labels in (ANY_LABEL, LABELLED)
)
"""Rows that are the same ones whichever class is held against the rest."""

ANY_CLASS = "*"
"""Stands for the class in the name of a count that is the same of all classes."""

_PARTS = (
    (cells(DECIDED, ANY_LABEL), cells((POSITIVE,), ANY_LABEL)),
    (cells(DECIDED, LABELLED), cells(DECIDED, (POSITIVE,))),
)
"""Rows of any class, and those of one: given it, or of a label that is it."""


def counted_as(class_name: str, rows: Cells | str, policy: Policy) -> str:
    """Return the class that a count is of: `ANY_CLASS` where it is the same of all.

    Args:
        class_name: The class that was held against the rest; "" for what the model decides.
        rows: What is counted.
        policy: Declares the classes.
    """
    decided = class_name or (_decides_by_class(policy) and policy.one_against_rest)
    return ANY_CLASS if decided and rows in _OF_ALL_CLASSES else class_name


def sums_of_classes(
    counts: dict[Cell, int],
    policy: Policy,
    places: Iterable[Callable[[str, Cells], Cell]],
    unseen: list[Cell],
) -> list[Sum]:
    """Return the sums between counts of different classes; what they lack is noted as unseen.

    Args:
        counts: Every count; those of a rest are added.
        policy: Declares the classes.
        places: Of each group, which count some rows of a class are; class "" is the decision.
        unseen: Counts that are shown nowhere; those of a rest are added.
    """
    names = tuple(policy.one_against_rest)
    sums: list[Sum] = []
    for of in places:
        for whole, part in _PARTS:
            parts = [of(name, part) for name in names]
            sums += _divided(counts, of(ANY_CLASS, whole), parts, unseen)
        for rows, inside in _favoured(policy).items():
            parts = [of(name, rows) for name in inside]
            sums += _divided(counts, of("", rows), parts, unseen)
    return sums


def _favoured(policy: Policy) -> Mapping[Cells, tuple[str, ...]]:
    """Return the rows of a decision that is a set of classes, and which these are."""
    decision, label = policy.decision, policy.label
    if decision is None or not _decides_by_class(policy):
        return {}
    favoured = {cells((POSITIVE,), ANY_LABEL): decision.positive}
    if label is not None and label.positive:
        favoured[cells(ANY_DECISION, (POSITIVE,))] = label.positive
        favoured[cells(DECIDED, (POSITIVE,))] = label.positive
    return favoured


def _decides_by_class(policy: Policy) -> bool:
    """Return whether rows without a declared class are those without a decision."""
    decision, classes = policy.decision, policy.classes
    if decision is None or classes is None or decision.column != classes.column:
        return False
    return {*decision.positive, *decision.negative} == {*classes.values}


def _divided(
    counts: dict[Cell, int], total: Cell, parts: list[Cell], unseen: list[Cell]
) -> list[Sum]:
    """Return that a count is the sum of those of its parts that are counted, and of a rest."""
    known = [part for part in parts if part in counts]
    if total not in counts or not known:
        return []
    rest = counts[total] - sum(counts[part] for part in known)
    if rest < 0:  # not of the same rows: a decision may count labels of no declared class
        return []
    if rest or len(known) < len(parts):
        other: Cell = ("rest", total, tuple(known))
        counts[other] = rest
        unseen.append(other)
        known = [*known, other]
    return [Sum(total, tuple(known))]
