"""What the measures have in common that take the labels that have come, and expect the rest."""

from collections.abc import Callable

from msgspec.structs import replace

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.measure import Description, ProfilePair
from monitor.measures.performance.expectation import (
    Calibrated,
    Formula,
    calibrated,
    description,
    estimated,
    undecided,
)
from monitor.measures.performance.level import Level, Levelled, confusion, window_of
from monitor.uncertainty.expected import ExpectedTable, Realised, adjusted_table

METHOD = "labels that have come; isotonic calibration for the rest, delta method"


def adjusted(
    pair: ProfilePair,
    found: Calibrated,
    value: float,
    variance: float,
    *,
    labelled: int,
    rows: int,
    level: Levelled,
) -> Result:
    """Return a number of all rows of a window, of which some have their labels.

    ``detail`` says how many have one, and what the number is of these alone where it exists.
    """
    whole = estimated(pair, found, value, variance, rows=rows, level=level)
    known = level(window_of(pair))
    realised = {"realised": known.value} if isinstance(known, Level) else {}
    detail = {**whole.detail, "labelled": labelled, "waiting": rows - labelled, **realised}
    return replace(whole, method=METHOD, detail=detail)


def adjusted_of_decisions(
    pair: ProfilePair, formula: Callable[[ExpectedTable], Formula | str], level: Levelled
) -> Result:
    """Return a number of the confusion table of all decisions of a window.

    Args:
        pair: Baseline and window.
        formula: The number, or why it does not exist.
        level: The same of labels alone.
    """
    decided, known = pair.current.score_by_decision, pair.current.labelled_by_decision
    if decided is None or known is None or not decided.any():
        return undecided(pair, None if known is None else decided)
    found = calibrated(pair)
    if isinstance(found, Unmeasurable):
        return found
    counted = confusion(window_of(pair))
    realised = Realised(0, 0, 0, 0) if isinstance(counted, Unmeasurable) else Realised(*counted)
    table = adjusted_table(found.calibration, found.scores, decided - known, known, realised)
    labelled = sum(realised)
    rows = labelled + int((decided - known).sum())
    result = formula(table)
    if isinstance(result, str):
        return Unmeasurable(Absence.UNDEFINED, result, rows, found.labels)
    variance = table.variance(result.by_hit, result.by_miss)
    return adjusted(pair, found, result.value, variance, labelled=labelled, rows=rows, level=level)


def adjusted_description(identifier: str, title: str) -> Description:
    """Return what people need to know of such a number between 0 and 1."""
    about = description(identifier, title)
    told = f"{title}, of labels that have come; the rest estimated assuming no concept drift"
    return replace(about, title=told)
