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


class Learned(NamedTuple):
    """What the baseline's labels say of the rows of a window, class by class.

    Attributes:
        calibrations: By class, of the rows that were not predicted to be of it and of those that
            were; None for a kind that the window has no rows of.
        scores: The window's rows.
        labels: Labelled rows of the baseline.
    """

    calibrations: tuple[tuple[Calibration | None, Calibration | None], ...]
    scores: ClassScores
    labels: int

    @property
    def rows(self) -> int:
        """Return the rows of the window."""
        return int(self.scores.rows[0].sum())

    def kind(self, code: int, given: int) -> "Kind | None":
        """Return the rows that were given a class (1), or were not (0); None if there are none."""
        calibration = self.calibrations[code][given]
        if calibration is None:
            return None
        rows = self.scores.rows[code, given]
        return Kind(calibration, _means(self.scores.sums[code, given], rows.sum(axis=0)), rows)

    def kinds(self, code: int) -> tuple["Kind", ...]:
        """Return both kinds of rows that a class sees, if there are such rows."""
        found = self.kind(code, _OTHER), self.kind(code, _GIVEN)
        return tuple(kind for kind in found if kind is not None)


class Kind(NamedTuple):
    """Rows of the window of one kind, by the probability of a class.

    Attributes:
        calibration: How likely such a row is of the class.
        scores: shape (cells,), their mean probability; 0 in cells without rows.
        rows: shape (3, cells), rows by label: of another class, of this one, none.
    """

    calibration: Calibration
    scores: FloatArray
    rows: IntArray


class _Part(NamedTuple):
    """Rows that are expected to be of a class, with the variances of that number."""

    expected: float
    variance: float
    rows: int


def learned(pair: ProfilePair) -> Learned | Unmeasurable:
    """Return what the baseline's labels say of the classes that were predicted in the window.

    For each class the share of rows that are of it is learned from its probability, by isotonic
    regression, apart for the rows that were predicted to be of it and for all others: a row's
    probabilities are not kept together, so they cannot be made to add up to 1 after calibration, and
    a class that is the most likely one is more often right than another one of the same
    probability. So on the baseline itself as many rows are expected of each class as came.

    Unmeasurable: probabilities were not counted, are none, or are absent; a class that the window
    has rows of, predicted or not, with fewer than `LEAST_LABELS` labelled ones of the kind in the
    baseline.
    """
    before, after = baseline_of(pair), window_of(pair)
    then = class_scores(before)
    if isinstance(then, Unmeasurable):
        return then
    now = class_scores(after)
    if isinstance(now, Unmeasurable):
        return now
    labels = int(then.rows[0, :, :NO_LABEL].sum())
    calibrations = []
    for code, name in enumerate(names(after)):
        of_class = []
        for given, which in enumerate(("predicted not to be", "predicted to be")):
            there = bool(now.rows[code, given].any())
            calibration = _calibration(then, code, given) if there else None
            if there and calibration is None:
                told = (
                    f"the baseline has fewer than {LEAST_LABELS} labelled rows {which} {name}, and "
                    "the window has such rows"
                )
                return Unmeasurable(Absence.NO_BASELINE, told, int(now.rows[0].sum()), labels)
            of_class.append(calibration)
        calibrations.append((of_class[_OTHER], of_class[_GIVEN]))
    return Learned(tuple(calibrations), now, labels)


def class_tables(pair: ProfilePair) -> ClassTables | Unmeasurable:
    """Return the expected table of each class, by what `learned` says.

    On the baseline itself the expected tables are those of its labels. Unmeasurable: as `learned`.
    """
    found = learned(pair)
    if isinstance(found, Unmeasurable):
        return found
    tables = []
    for code in range(len(found.calibrations)):
        hits, misses = (_part(found.kind(code, given)) for given in (_GIVEN, _OTHER))
        covariance = np.diag([hits.variance, misses.variance])
        tables.append(
            ExpectedTable(hits.expected, misses.expected, hits.rows, misses.rows, covariance)
        )
    return ClassTables(tuple(tables), found.rows, found.labels)


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


def class_scores(side: Side) -> ClassScores | Unmeasurable:
    """Return the rows of a side by the probabilities of the classes, if they are probabilities."""
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


def _calibration(known: ClassScores, code: int, given: int) -> Calibration | None:
    """Return how likely rows of a kind are of a class; None if too few are labelled."""
    negatives, positives = known.rows[code, given, OTHER_CLASS], known.rows[code, given, THIS_CLASS]
    labelled = negatives + positives > 0
    if int(negatives.sum() + positives.sum()) < LEAST_LABELS:
        return None
    rows = known.rows[code, given].sum(axis=0)
    at = np.maximum.accumulate(_means(known.sums[code, given], rows)[labelled])
    return calibrate(at, negatives[labelled], positives[labelled])


def _part(kind: Kind | None) -> _Part:
    if kind is None:
        return _Part(0.0, 0.0, 0)
    chances, rows = kind.calibration.of(kind.scores), kind.rows.sum(axis=0)
    drawn = float(np.dot(rows, chances * (1 - chances)))
    blocks = kind.calibration.by_block(kind.scores, rows.astype(np.float64))
    fitted = float(np.dot(blocks**2, kind.calibration.variances))
    return _Part(float(np.dot(rows, chances)), drawn + fitted, int(rows.sum()))


def _means(sums: FloatArray, rows: IntArray) -> FloatArray:
    return np.divide(sums, rows, out=np.zeros(len(rows)), where=rows > 0)
