"""What measures of performance have in common: a level of one side, and its change between two."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import ModelMeasure, ProfilePair
from monitor.measures.quality.label_coverage import labelled
from monitor.profile.counts import NEGATIVE, POSITIVE, NumericCounts
from monitor.profile.errors import ErrorSums
from monitor.profile.grid import Grid, IntArray, NumericGrid
from monitor.profile.profile import Profile
from monitor.uncertainty.difference import mover
from monitor.uncertainty.interval import Interval
from monitor.uncertainty.mean import Moments, student
from monitor.uncertainty.proportion import wilson

LEVEL = 0.95
"""Of all intervals."""

LEAST_ROWS = 2
"""Rows that a variance takes."""

LEAST_LABELS = 10
"""Labels of each kind that an order of scores is judged by: with fewer the normal law of its
interval does not hold, and an interval as wide as the scale would read as nothing found."""


class Level(Struct, frozen=True):
    """How well a model did on one side: a number with its interval.

    Attributes:
        value: The number.
        low: Lower end of its interval.
        high: Upper end.
        rows: Rows that it rests on.
        method: How the interval was made.
        detail: Further numbers by name.
        note: What it is the level of, where it is one of several.
    """

    value: float
    low: float
    high: float
    rows: int
    method: str
    detail: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


class Side(NamedTuple):
    """The window or the baseline.

    Attributes:
        profile: Its profile.
        grid: The grid that both are counted on.
        baseline: Profile of the baseline, whichever side this is.
        name: How it is called in explanations.
        nothing: The reason that is given when it has no labelled row.
    """

    profile: Profile
    grid: Grid
    baseline: Profile
    name: str
    nothing: Absence

    @property
    def score(self) -> tuple[NumericGrid, NumericCounts]:
        """Return the score's cells and counts.

        Raises:
            ValueError: The model has no numeric score.
        """
        match self.grid.fields.get(self.grid.score), self.profile.fields.get(self.grid.score):
            case NumericGrid() as grid, NumericCounts() as counts:
                return grid, counts
            case _:
                raise ValueError(f"the score {self.grid.score!r} is not numeric")

    def lacking(self, rows: int, what: str) -> Unmeasurable:
        """Return the answer of a side that has no row with a label and what else is needed."""
        if self.nothing is Absence.NO_LABELS and labelled(self.profile):
            return Unmeasurable(Absence.NO_DATA, f"no row of {self.name} has {what}", rows)
        return Unmeasurable(self.nothing, f"no row of {self.name} has {what}", rows)


Levelled = Callable[[Side], Level | Unmeasurable]
"""How a level is taken of a side."""


def window_of(pair: ProfilePair) -> Side:
    """Return the window's side."""
    return Side(pair.current, pair.grid, pair.reference, "the window", Absence.NO_LABELS)


def baseline_of(pair: ProfilePair) -> Side:
    """Return the baseline's side."""
    return Side(pair.reference, pair.grid, pair.reference, "the baseline", Absence.NO_BASELINE)


def now(level: Levelled, pair: ProfilePair) -> Result:
    """Return the level of the window; the baseline has no part in it."""
    found = level(window_of(pair))
    if isinstance(found, Unmeasurable):
        return found
    return Estimate(
        found.value,
        n=found.rows,
        low=found.low,
        high=found.high,
        level=LEVEL,
        method=found.method,
        detail=found.detail,
        note=found.note,
    )


def fall_of(
    measure: ModelMeasure,
    level: Levelled,
    title: str,
    of_pair: Callable[[ProfilePair], Result] | None = None,
) -> ModelMeasure:
    """Return the measure of by how much a level is lower than the baseline's: above 0, it fell.

    Args:
        measure: That of the level.
        level: How it is taken of a side.
        title: Of the fall.
        of_pair: How the fall is taken, where it is not that of the levels of both sides.
    """
    fall = _change_of(measure, level, title, "drop")
    return fall if of_pair is None else replace(fall, measure=of_pair)


def rise_of(measure: ModelMeasure, level: Levelled, title: str) -> ModelMeasure:
    """Return the measure of by how much a level is higher than the baseline's: above 0, it rose."""
    return _change_of(measure, level, title, "rise")


def change_of(measure: ModelMeasure, level: Levelled, title: str) -> ModelMeasure:
    """Return the same as `rise_of`, of a level neither of whose ends is the better one."""
    return _change_of(measure, level, title, "change")


def _change_of(measure: ModelMeasure, level: Levelled, title: str, suffix: str) -> ModelMeasure:
    about = measure.about
    bounded = about.lower is not None and about.upper is not None
    reach = about.upper - about.lower if bounded else None  # type: ignore[operator]
    return ModelMeasure(
        replace(
            about,
            id=f"{about.id}_{suffix}",
            title=title,
            unchanged=0.0,
            lower=None if reach is None else -reach,
            upper=reach,
            source=f"{about.source}; Zou and Donner (2008)",
        ),
        partial(_change, level, falling=suffix == "drop"),
        applies=measure.applies,
    )


def _change(level: Levelled, pair: ProfilePair, *, falling: bool) -> Result:
    """Return the difference of two levels; the interval combines theirs (MOVER).

    0 when nothing changed. ``then`` and ``now`` are the levels; ``detail`` has the further numbers
    of both. Unmeasurable as the level of either side.

    Source:
        Zou and Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    before, after = level(baseline_of(pair)), level(window_of(pair))
    if isinstance(before, Unmeasurable):
        return replace(before, n=_rows(after), n_reference=before.n)
    if isinstance(after, Unmeasurable):
        return replace(after, n_reference=before.rows)
    return change_between(before, after, falling=falling)


def change_between(before: Level, after: Level, *, falling: bool) -> Estimate:
    """Return the difference of two levels: by how much it fell, or by how much it rose."""
    first, second = (before, after) if falling else (after, before)
    low, high = mover(first.value, _ends(first), second.value, _ends(second))
    then = {f"then_{name}": number for name, number in before.detail.items()}
    return Estimate(
        first.value - second.value,
        n=after.rows,
        n_reference=before.rows,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method=f"{after.method}, MOVER",
        then=before.value,
        now=after.value,
        detail={**then, **{f"now_{name}": number for name, number in after.detail.items()}},
    )


def _rows(level: Level | Unmeasurable) -> int:
    """Return the rows that a level rests on, or would."""
    return level.n if isinstance(level, Unmeasurable) else level.rows


def _ends(level: Level) -> Interval:
    return Interval(np.asarray(level.low), np.asarray(level.high))


def proportion(successes: int, rows: int) -> Level:
    """Return a share with Wilson's interval."""
    low, high = wilson(successes, rows, LEVEL)
    return Level(successes / rows, float(low), float(high), rows, "Wilson")


def mean_level(total: float, squares: float, rows: int, side: Side) -> Level | Unmeasurable:
    """Return a mean with Student's interval.

    Args:
        total: Sum of the values.
        squares: Sum of their squares.
        rows: How many there are.
        side: Where they are from.
    """
    if rows < LEAST_ROWS:
        told = f"{side.name} has {rows} row with both a score and a label"
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, rows)
    mean = total / rows
    with np.errstate(over="ignore", invalid="ignore"):
        variance = max(squares - rows * mean * mean, 0.0) / (rows - 1)
        ends = student(Moments(mean, variance, rows), LEVEL)
    if not np.isfinite([mean, *ends]).all():
        told = f"the errors of {side.name} are so large that their sums are beyond a double"
        return Unmeasurable(Absence.UNDEFINED, told, rows)
    return Level(mean, *ends, rows, "Student")


class Confusion(NamedTuple):
    """Rows with a decision and a label, by both; a positive decision predicts a positive label."""

    hits: int
    false_alarms: int
    misses: int
    rejections: int

    @property
    def rows(self) -> int:
        """Return all of them."""
        return sum(self)


def confusion(side: Side) -> Confusion | Unmeasurable:
    """Return the rows of a side by decision and label."""
    table = side.profile.outcomes.margin()
    found = Confusion(
        hits=int(table[POSITIVE, POSITIVE]),
        false_alarms=int(table[POSITIVE, NEGATIVE]),
        misses=int(table[NEGATIVE, POSITIVE]),
        rejections=int(table[NEGATIVE, NEGATIVE]),
    )
    return found if found.rows else side.lacking(0, "both a decision and a label")


def scored_labels(side: Side) -> IntArray | Unmeasurable:
    """Return the labelled scores by cell, shape (2, cells), if there are `LEAST_LABELS` of each."""
    rows = side.profile.score_by_label
    negatives, positives = rows.sum(axis=1).tolist()
    n = negatives + positives
    if not n:
        return side.lacking(0, "both a finite score and a label")
    if min(negatives, positives) == 0:
        told = (
            f"the labels of {side.name} are of one class: {negatives} negative, "
            f"{positives} positive"
        )
        return Unmeasurable(Absence.UNDEFINED, told, n)
    if min(negatives, positives) < LEAST_LABELS:
        told = (
            f"{side.name} has {negatives} negative and {positives} positive labels, "
            f"and at least {LEAST_LABELS} of each are needed"
        )
        return Unmeasurable(Absence.INSUFFICIENT_DATA, told, n)
    return rows


def error_sums(side: Side) -> ErrorSums | Unmeasurable:
    """Return the sums of errors of a side that has some."""
    sums = side.profile.errors
    if not side.grid.score:
        told = "the baseline knows no number that labels are held against: register a new one"
        return Unmeasurable(Absence.NO_BASELINE, told)
    if sums is None:
        told = f"{side.name} was stored before errors were kept: register a new baseline"
        return Unmeasurable(Absence.NO_BASELINE, told)
    return sums if sums.rows or sums.outside else side.lacking(0, "both a finite score and a label")


def chance_sums(side: Side) -> ErrorSums | Unmeasurable:
    """Return the sums of errors of a score that is a probability."""
    sums = error_sums(side)
    if isinstance(sums, ErrorSums) and sums.outside:
        told = (
            f"{sums.outside:,} labelled scores of {side.name} lie outside 0 to 1: "
            "this score is no probability"
        )
        return Unmeasurable(Absence.UNDEFINED, told, sums.rows + sums.outside)
    return sums


def scaled(level: Level | Unmeasurable, side: Side) -> Level | Unmeasurable:
    """Return a level of errors in the unit of the label instead of the grid's scale."""
    if isinstance(level, Unmeasurable):
        return level
    scale = side.score[0].scale
    ends = [scale * number for number in (level.value, level.low, level.high)]
    if not np.isfinite(ends).all():
        told = f"the errors of {side.name} are beyond a double"
        return Unmeasurable(Absence.UNDEFINED, told, level.rows)
    return replace(level, value=ends[0], low=ends[1], high=ends[2])
