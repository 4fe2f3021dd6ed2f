"""What the measures that need no labels have in common."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import Description, Family, ProfilePair, once
from monitor.measures.performance.level import (
    LEVEL,
    Level,
    Levelled,
    Side,
    baseline_of,
    scored_labels,
    window_of,
)
from monitor.profile.grid import FloatArray, IntArray
from monitor.uncertainty.difference import mover
from monitor.uncertainty.expected import Calibration, ExpectedTable, calibrate, expected_table
from monitor.uncertainty.interval import Interval, normal_quantile
from monitor.uncertainty.proportion import wilson_of_variance

METHOD = "isotonic calibration, delta method"


class Calibrated(NamedTuple):
    """What the baseline's labels say of the window's scores.

    Attributes:
        calibration: Of the baseline.
        scores: shape (cells,), mean score of the window's rows in each cell, in the grid's scaled
            unit; 0 in cells without rows.
        labels: Labelled scores of the baseline.
    """

    calibration: Calibration
    scores: FloatArray
    labels: int


class Formula(NamedTuple):
    """A number of a confusion table, with its derivatives by hits and by misses."""

    value: float
    by_hit: float
    by_miss: float


def cell_means(side: Side) -> FloatArray:
    """Return the mean score in each cell in the grid's scaled unit; 0 in cells without rows."""
    grid, counts = side.score
    return np.divide(counts.sums, counts.cells, out=np.zeros(grid.cells), where=counts.cells > 0)


@once
def calibrated(pair: ProfilePair) -> Calibrated | Unmeasurable:
    """Return what the baseline's labels say of the window's scores.

    Unmeasurable: the baseline has too few labels of a class; scores beyond a double.
    """
    before, after = baseline_of(pair), window_of(pair)
    rows = scored_labels(before)
    if isinstance(rows, Unmeasurable):
        return Unmeasurable(rows.reason, rows.explanation, after.score[1].n, rows.n)
    labelled = rows.sum(axis=0) > 0
    learned, scores = cell_means(before)[labelled], cell_means(after)
    if not (np.isfinite(learned).all() and np.isfinite(scores).all()):
        told = "the scores are so large that their sum is beyond a double"
        return Unmeasurable(Absence.UNDEFINED, told, after.score[1].n, int(rows.sum()))
    # Means of neighbouring cells may change places by rounding.
    learned = np.maximum.accumulate(learned)
    calibration = calibrate(learned, rows[0][labelled], rows[1][labelled])
    return Calibrated(calibration, scores, int(rows.sum()))


def estimated(
    pair: ProfilePair,
    found: Calibrated,
    value: float,
    variance: float,
    *,
    rows: int,
    level: Levelled,
) -> Estimate:
    """Return an estimate of what the labels of a window will show.

    The interval is Wilson's for as many trials as have the variance. ``then`` is what the
    baseline's own labels showed, where they showed something.
    """
    value = min(max(value, 0.0), 1.0)
    low, high = wilson_of_variance(value, variance, 1.0, rows, LEVEL)
    before = level(baseline_of(pair))
    return Estimate(
        value,
        n=rows,
        n_reference=found.labels,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method=METHOD,
        then=before.value if isinstance(before, Level) else None,
        now=value,
        detail={"standard_error": variance**0.5},
    )


def estimated_of_decisions(
    pair: ProfilePair,
    formula: Callable[[ExpectedTable], Formula | str],
    level: Levelled,
) -> Result:
    """Return a number of the window's expected confusion table.

    Args:
        pair: Baseline and window.
        formula: The number, or why it does not exist.
        level: The same as the baseline's labels showed it.
    """
    decided = pair.current.score_by_decision
    if decided is None or not decided.any():
        return undecided(pair, decided)
    found = calibrated(pair)
    if isinstance(found, Unmeasurable):
        return found
    rows = int(decided.sum())
    table = expected_table(found.calibration, found.scores, decided[0], decided[1])
    result = formula(table)
    if isinstance(result, str):
        return Unmeasurable(Absence.UNDEFINED, result, rows, found.labels)
    variance = table.variance(result.by_hit, result.by_miss)
    return estimated(pair, found, result.value, variance, rows=rows, level=level)


def gap(
    labels: int,
    realised: Level,
    value: float,
    variance: float,
    detail: Mapping[str, float] | None = None,
) -> Estimate:
    """Return a realised number less the one that was to be expected of the same rows.

    Args:
        labels: Labelled rows of the baseline, which the expectation is learned from.
        realised: What the window's labels say.
        value: What was to be expected.
        variance: Of that, by the error of the calibration alone: the chance of the labels is in the
            interval of the realised number already.
        detail: Further numbers by name.
    """
    reach = float(normal_quantile(LEVEL)) * variance**0.5
    low, high = mover(
        realised.value,
        Interval(np.asarray(realised.low), np.asarray(realised.high)),
        value,
        Interval(np.asarray(value - reach), np.asarray(value + reach)),
    )
    return Estimate(
        realised.value - value,
        n=realised.rows,
        n_reference=labels,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method=f"{realised.method}, {METHOD}, MOVER",
        then=value,
        now=realised.value,
        detail=detail or {},
    )


def undecided(pair: ProfilePair, decided: IntArray | None) -> Unmeasurable:
    """Return why nothing is known of decisions by score: None was not counted."""
    told = (
        "the window was stored before scores were counted by decision"
        if decided is None
        else "no row of the window has both a finite score and a decision"
    )
    return Unmeasurable(Absence.NO_DATA, told, 0, int(pair.reference.score_by_label.sum()))


def description(identifier: str, title: str) -> Description:
    """Return what people need to know of an estimate between 0 and 1."""
    return Description(
        id=identifier,
        family=Family.PERFORMANCE,
        title=f"{title}, estimated assuming no concept drift",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Zadrozny and Elkan (2002); NannyML, CBPE",
    )
