"""What the measures of several classes that need no labels have in common."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import ProfilePair
from monitor.measures.performance.classes import names
from monitor.measures.performance.expectation import METHOD, Formula
from monitor.measures.performance.level import (
    LEAST_LABELS,
    LEVEL,
    Level,
    Levelled,
    Side,
    baseline_of,
    window_of,
)
from monitor.profile.class_scores import NO_LABEL, OTHER_CLASS, THIS_CLASS, ClassScores
from monitor.profile.grid import FloatArray, IntArray
from monitor.uncertainty.expected import Calibration, ExpectedTable, calibrate
from monitor.uncertainty.proportion import wilson_of_variance

_GIVEN, _OTHER = 1, 0


class ClassTables(NamedTuple):
    """The expected table of each class against the rest.

    Attributes:
        tables: One for each class: its positive decisions are the rows that were predicted to be
            of it.
        rows: Rows of the window.
        labels: Labelled rows of the baseline.
    """

    tables: tuple[ExpectedTable, ...]
    rows: int
    labels: int


class _Part(NamedTuple):
    """Rows that are expected to be of a class, with the variances of that number."""

    expected: float
    variance: float
    rows: int


def class_tables(pair: ProfilePair) -> ClassTables | Unmeasurable:
    """Return what the baseline's labels say of the classes that were predicted in the window.

    For each class the share of rows that are of it is learned from its probability, by isotonic
    regression, apart for the rows that were predicted to be of it and for all others: a row's
    probabilities are not kept together, so they cannot be made to add up to 1 after calibration, and
    a class that is the most likely one is more often right than another one of the same
    probability. So on the baseline itself the expected tables are those of its labels.

    Unmeasurable: probabilities were not counted, are none, or are absent; a class that the window
    has rows of, predicted or not, with fewer than `LEAST_LABELS` labelled ones of the kind in the
    baseline.
    """
    before, after = baseline_of(pair), window_of(pair)
    learned = _scores(before)
    if isinstance(learned, Unmeasurable):
        return learned
    scores = _scores(after)
    if isinstance(scores, Unmeasurable):
        return scores
    labels = int(learned.rows[0, :, :NO_LABEL].sum())
    rows = int(scores.rows[0].sum())
    tables = []
    for code, name in enumerate(names(after)):
        parts = []
        for given, which in ((_GIVEN, "predicted to be"), (_OTHER, "predicted not to be")):
            part = _part(learned, scores, code, given)
            if part is None:
                told = (
                    f"the baseline has fewer than {LEAST_LABELS} labelled rows {which} {name}, and "
                    "the window has such rows"
                )
                return Unmeasurable(Absence.NO_BASELINE, told, rows, labels)
            parts.append(part)
        hits, misses = parts
        covariance = np.diag([hits.variance, misses.variance])
        tables.append(
            ExpectedTable(hits.expected, misses.expected, hits.rows, misses.rows, covariance)
        )
    return ClassTables(tuple(tables), rows, labels)


def estimated_of_classes(
    pair: ProfilePair, formula: Callable[[ExpectedTable], Formula | None], level: Levelled
) -> Result:
    """Return the mean of a number over the classes that have it.

    How the numbers of classes vary together is not known from tables of one class each, so the
    standard error of the mean is the mean of theirs: that of numbers that all err alike, which is
    the most that it can be.

    Args:
        pair: Baseline and window.
        formula: The number of one class; None where it has none.
        level: The same as the baseline's labels showed it.
    """
    found = class_tables(pair)
    if isinstance(found, Unmeasurable):
        return found
    there = [(result, table) for table in found.tables if (result := formula(table)) is not None]
    if not there:
        told = "no class is predicted in the window"
        return Unmeasurable(Absence.UNDEFINED, told, found.rows, found.labels)
    value = float(np.mean([result.value for result, _ in there]))
    error = float(np.mean([table.variance(one.by_hit, one.by_miss) ** 0.5 for one, table in there]))
    detail = {"classes": len(there), "absent": len(found.tables) - len(there)}
    return estimate_of(pair, found, value, error**2, level=level, detail=detail)


def estimate_of(
    pair: ProfilePair,
    found: ClassTables,
    value: float,
    variance: float,
    *,
    level: Levelled,
    detail: Mapping[str, float] | None = None,
) -> Estimate:
    """Return an estimate of what the labels of a window will show, with Wilson's interval."""
    value = min(max(value, 0.0), 1.0)
    low, high = wilson_of_variance(value, variance, 1.0, found.rows, LEVEL)
    before = level(baseline_of(pair))
    return Estimate(
        value,
        n=found.rows,
        n_reference=found.labels,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method=f"{METHOD}, class by class",
        then=before.value if isinstance(before, Level) else None,
        now=value,
        detail={"standard_error": variance**0.5, **(detail or {})},
    )


def _scores(side: Side) -> ClassScores | Unmeasurable:
    counts = side.profile.classes
    scores = None if counts is None else counts.scores
    if scores is None:
        told = f"{side.name} was stored before probabilities of classes were counted"
        return Unmeasurable(Absence.NO_BASELINE, f"{told}: register a new baseline")
    if scores.outside:
        told = (
            f"the probabilities of {scores.outside:,} rows of {side.name} are outside 0 to 1 or do "
            "not add up to 1"
        )
        return Unmeasurable(Absence.UNDEFINED, told, int(scores.rows[0].sum()) + scores.outside)
    if not scores.rows.any():
        told = (
            f"no row of {side.name} has both a predicted class and the probability of every class"
        )
        absence = Absence.NO_DATA if side.nothing is Absence.NO_LABELS else Absence.NO_BASELINE
        return Unmeasurable(absence, told)
    return scores


def _part(learned: ClassScores, scores: ClassScores, code: int, given: int) -> _Part | None:
    """Return the rows of a kind that are expected to be of a class; None if too few are known."""
    now = scores.rows[code, given].sum(axis=0)
    if not now.any():
        return _Part(0.0, 0.0, 0)
    known = learned.rows[code, given]
    negatives, positives = known[OTHER_CLASS], known[THIS_CLASS]
    labelled = negatives + positives > 0
    if int(negatives.sum() + positives.sum()) < LEAST_LABELS:
        return None
    at = np.maximum.accumulate(_means(learned.sums[code, given], known.sum(axis=0))[labelled])
    calibration = calibrate(at, negatives[labelled], positives[labelled])
    return _expected(calibration, _means(scores.sums[code, given], now), now)


def _expected(calibration: Calibration, scores: FloatArray, rows: IntArray) -> _Part:
    chances = calibration.of(scores)
    drawn = float(np.dot(rows, chances * (1 - chances)))
    blocks = calibration.by_block(scores, rows.astype(np.float64))
    fitted = float(np.dot(blocks**2, calibration.variances))
    return _Part(float(np.dot(rows, chances)), drawn + fitted, int(rows.sum()))


def _means(sums: FloatArray, rows: IntArray) -> FloatArray:
    return np.divide(sums, rows, out=np.zeros(len(rows)), where=rows > 0)
