"""The largest change of a correlation between two fields."""

from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_pairs
from monitor.measures.measure import (
    Description,
    Family,
    ModelMeasure,
    ProfilePair,
    ProfileParts,
)
from monitor.measures.pairs import Correlations, correlations, no_pairs, others
from monitor.measures.spreads import of_differences
from monitor.profile.grid import BoolArray, FloatArray, IntArray
from monitor.special import chdtrc
from monitor.uncertainty.between import Squares
from monitor.uncertainty.correlation import fisher_interval, same_correlation
from monitor.uncertainty.difference import mover

LEVEL = 0.95
"""Of the interval, held jointly over the pairs."""

ALONE = 0.05
"""How probable it may be that any pair of a baseline is taken to vary though none does."""


def measure(pair: ProfilePair) -> Result:
    """Return the largest change of a correlation that is more than chance.

    ``|r_now − r_then|`` of the normal scores of two numeric fields, over the rows that both have;
    in [0, 2], 0 when nothing changed. The pair is the one whose change is certain to be largest:
    by the lower end of its interval, which for pairs with as many rows is that with the largest
    change. The interval holds jointly over the pairs: of each correlation Fisher's at the
    Bonferroni level, combined for the difference by MOVER; its lower end is not below 0. The
    p-value is Fisher's two-sample test of equal correlations, the adjusted one Bonferroni's over
    the pairs. ``then`` and ``now`` are the correlations.

    A pair is compared if, in baseline and window, at least `LEAST_EXPECTED` rows are expected to
    have neither field's most frequent value; ``detail`` has the ``pairs`` compared, and those
    ``left_out`` that the baseline has rows for and the window has not.

    Unmeasurable: a baseline without scores or rows; a window without rows; no pair of fields that
    varies enough on both sides.

    Source:
        R. A. Fisher (1921), Metron 1, 3-32; the interval: G. Y. Zou (2007), Psychological Methods
        12, 399-413; normal scores: B. L. van der Waerden (1952).
    """
    found = changes(pair)
    if isinstance(found, Unmeasurable):
        return found
    place = int(np.argmax(found.low))
    r_then, r_now, n, m = (
        values[place : place + 1]
        for values in (found.then, found.now, found.rows_then, found.rows_now)
    )
    p_value = float(same_correlation(r_now, m, r_then, n)[0])
    compared = len(found.then)
    return Estimate(
        float(abs(r_now[0] - r_then[0])),
        n=int(m[0]),
        n_reference=int(n[0]),
        low=max(float(found.low[place]), 0.0),
        high=float(found.high[place]),
        level=LEVEL,
        method="Fisher z, MOVER, Bonferroni over the pairs",
        then=float(r_then[0]),
        now=float(r_now[0]),
        p_value=p_value,
        p_adjusted=min(p_value * compared, 1.0),
        detail={"pairs": compared, "left_out": found.left_out},
        note=found.name(place),
    )


class Changes(NamedTuple):
    """The correlations of all pairs that are compared, each shape (pairs,) but the names.

    Attributes:
        names: Of the fields.
        places: shape (2, pairs), indices of the two fields.
        then: In the baseline.
        now: In the window.
        rows_then: Rows that both fields have in the baseline.
        rows_now: The same of the window.
        low: Lower ends of the intervals of the sizes of the changes; below 0 for "none".
        high: Upper ends.
        left_out: Pairs that the baseline can tell and the window cannot.
    """

    names: tuple[str, ...]
    places: IntArray
    then: FloatArray
    now: FloatArray
    rows_then: IntArray
    rows_now: IntArray
    low: FloatArray
    high: FloatArray
    left_out: int

    def name(self, place: int) -> str:
        """Return what a pair is called."""
        return " × ".join(self.names[axis] for axis in self.places[:, place])


def changes(pair: ProfilePair) -> Changes | Unmeasurable:
    """Return how each correlation changed, or why none can be compared."""
    if (nothing := no_pairs(pair)) is not None:
        return nothing
    then, now = (correlations(pair.grid, side) for side in (pair.reference, pair.current))
    places = _above_diagonal(then.sound & now.sound)
    known = int(np.count_nonzero(_above_diagonal(then.sound)))
    compared = int(np.count_nonzero(places))
    if not compared:
        return _none(pair, known)
    n, m = then.rows[places], now.rows[places]
    r_then, r_now = then.values[places], now.values[places]
    joint = 1 - (1 - LEVEL) / compared
    ends = mover(r_now, fisher_interval(r_now, m, joint), r_then, fisher_interval(r_then, n, joint))
    rises = r_now >= r_then
    return Changes(
        tuple(pair.grid.scores),
        np.array(np.nonzero(places)),
        r_then,
        r_now,
        n,
        m,
        np.where(rises, ends.low, -ends.high),
        np.where(rises, ends.high, -ends.low),
        known - compared,
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "no correlation has changed" if the change is beyond the tolerance.

    1 if it is not. So a change is found when it is both more than chance and, as measured, larger
    than what is tolerated. Not a test of the tolerance itself: that the largest of many changes is
    beyond it takes many more rows to show than that something changed.
    """
    if estimate.value <= tolerance or estimate.p_adjusted is None:
        return 1.0
    return estimate.p_adjusted


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared change of each correlation between a window of the baseline and the others.

    Of the pairs that all windows have rows enough for. A pair is asked by itself if it varies more
    than sampling explains (chi-square, `ALONE` over all pairs); the others are asked together, by
    the mean of their squares: among many pairs some vary by chance, and the largest floor holds.
    """
    if not model.grid.scores or not model.parts:
        return None
    sides = [
        (others(model.grid, model.whole, part), correlations(model.grid, part))
        for part in model.parts
    ]
    places = _above_diagonal(np.logical_and.reduce([_both(*side) for side in sides]))
    if not places.any():
        return None
    apart = [now.values[places] - then.values[places] for then, now in sides]
    errors = [_error2(then, places) + _error2(now, places) for then, now in sides]
    return _in_few_columns(of_differences(np.array(apart), np.array(errors)))


def _in_few_columns(pairs: Squares | None) -> Squares | None:
    """Return the squares of the pairs that vary by themselves, and the mean of the others'."""
    if pairs is None:
        return None
    windows, number = pairs.observed.shape
    # Fields that follow each other exactly, in every window, have an error of 0 and never move.
    never = np.where(pairs.observed > 0, np.inf, 0.0)
    times = np.divide(pairs.observed, pairs.expected, out=never, where=pairs.expected > 0)
    surprise = chdtrc(windows, times.sum(axis=0))
    alone = surprise < ALONE / number
    if alone.all():
        return pairs
    rest = np.count_nonzero(~alone)
    observed, expected, variance = (
        np.column_stack([part[:, alone], part[:, ~alone].mean(axis=1)]) for part in pairs[:3]
    )
    variance[:, -1] /= rest
    return Squares(observed, expected, variance, pairs.df)


def _both(one: Correlations, other: Correlations) -> BoolArray:
    return one.sound & other.sound


def _above_diagonal(pairs: BoolArray) -> BoolArray:
    return np.triu(pairs, 1)


def _error2(found: Correlations, places: BoolArray) -> FloatArray:
    """Return the squared standard errors of correlations, by the delta method from Fisher's."""
    return np.asarray((1 - found.values[places] ** 2) ** 2 / (found.rows[places] - 3))


def _none(pair: ProfilePair, known: int) -> Unmeasurable:
    rows, reference_rows = pair.current.rows, pair.reference.rows
    if known:
        return Unmeasurable(
            Absence.INSUFFICIENT_DATA,
            f"none of the {known} pairs of fields that vary enough in the baseline does so in the "
            f"{rows:,} rows of the window",
            rows,
            reference_rows,
        )
    return Unmeasurable(
        Absence.NO_BASELINE,
        "no two numeric fields vary enough in the baseline to be correlated",
        rows,
        reference_rows,
    )


MEASURE = ModelMeasure(
    Description(
        id="correlation_change",
        family=Family.DRIFT,
        title="largest change of a correlation between two fields",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=2.0,
        symmetric=False,  # the formula is; the scores are the baseline's
        source="Fisher (1921); Zou (2007); van der Waerden (1952)",
    ),
    measure,
    applies=has_pairs,
    tail=tail,
    spread=spread,
)
