"""Change of the mean score."""

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_score
from monitor.measures.measure import (
    Description,
    Family,
    ModelMeasure,
    ProfilePair,
    ProfileParts,
)
from monitor.measures.spreads import of_differences
from monitor.measures.tails import of_a_change
from monitor.profile.counts import NumericCounts
from monitor.profile.grid import NumericGrid
from monitor.uncertainty.between import Squares
from monitor.uncertainty.mean import Moments, welch

LEVEL = 0.95
"""Of the interval."""

LEAST_ROWS = 2
"""Finite scores that a variance takes."""


def moments(counts: NumericCounts) -> Moments:
    """Return mean and variance of the finite numbers, in the grid's scaled units.

    Args:
        counts: With at least `LEAST_ROWS` finite numbers.
    """
    mean = float(counts.sums.sum()) / counts.n
    # Deviations are from the baseline's median, so little cancels; rounding may leave −0.
    variance = max(counts.squares - counts.n * (mean * mean), 0.0) / (counts.n - 1)
    return Moments(mean, variance, counts.n)


def measure(pair: ProfilePair) -> Result:
    """Return the mean score now less the baseline's, in standard deviations of the baseline.

    Glass's Δ with Welch's interval; the baseline's standard deviation, a mere unit here, is taken
    as known. Signed: above 0, scores rose. ``then`` and ``now`` are the means in the score's own
    unit. Infinite scores have no mean and are left out.

    Unmeasurable: fewer than two finite scores on a side; a baseline of one score only; scores whose
    sum is beyond a double.

    Source:
        G. V. Glass (1976), Educational Researcher 5(10), 3-8; Welch (1947).
    """
    match (
        pair.grid.fields[pair.grid.score],
        pair.reference.fields[pair.grid.score],
        pair.current.fields[pair.grid.score],
    ):
        case NumericGrid() as grid, NumericCounts() as reference, NumericCounts() as current:
            return _estimate(grid, reference, current)
        case _:
            raise ValueError(f"the score {pair.grid.score} is not numeric")


def _estimate(grid: NumericGrid, reference: NumericCounts, current: NumericCounts) -> Result:
    n, m = reference.n, current.n
    if (lacking := _too_few(reference, current)) is not None:
        return lacking
    with np.errstate(over="ignore", invalid="ignore"):
        then, now = moments(reference), moments(current)
        means = [grid.center + grid.scale * side.mean for side in (then, now)]
    if not np.isfinite([*then, *now, *means]).all():
        return Unmeasurable(
            Absence.UNDEFINED, "the scores are so large that their sum is beyond a double", m, n
        )
    if then.variance == 0:
        return Unmeasurable(
            Absence.UNDEFINED, "all scores of the baseline are the same: no deviation to use", m, n
        )
    low, high = welch(now, then, LEVEL)
    unit = then.variance**0.5
    return Estimate(
        (now.mean - then.mean) / unit,
        n=m,
        n_reference=n,
        low=low / unit,
        high=high / unit,
        level=LEVEL,
        method="Welch",
        then=means[0],
        now=means[1],
        detail={"sd": unit * grid.scale},
    )


def _too_few(reference: NumericCounts, current: NumericCounts) -> Unmeasurable | None:
    n, m = reference.n, current.n
    if n < LEAST_ROWS:
        return Unmeasurable(Absence.NO_BASELINE, f"the baseline has {n} finite scores", m, n)
    if current.rows and current.absent == current.rows:
        return Unmeasurable(
            Absence.MISSING_COLUMN, f"none of the {current.rows} rows has the score's column", m, n
        )
    if m < LEAST_ROWS:
        reason = Absence.INSUFFICIENT_DATA if m else Absence.NO_DATA
        return Unmeasurable(reason, f"{m} of {current.rows} rows have a finite score", m, n)
    return None


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared difference of means between a window of the baseline and the others."""
    sides = [profile.fields[model.grid.score] for profile in (model.whole, *model.parts)]
    counts = [side for side in sides if isinstance(side, NumericCounts)]
    whole = counts[0]
    if whole.n < LEAST_ROWS:
        return None
    rows = np.array([part.n for part in counts[1:]], np.float64)
    sums = np.array([part.sums.sum() for part in counts[1:]])
    some = (rows > 0) & (rows < whole.n)
    rows, sums = rows[some], sums[some]
    with np.errstate(over="ignore", invalid="ignore"):
        unit2 = moments(whole).variance
        others, total = whole.n - rows, whole.sums.sum()
        apart = sums / rows - (total - sums) / others
        known = np.isfinite(apart).all() and np.isfinite(unit2) and unit2 > 0
    if not known:
        return None
    return of_differences(apart / unit2**0.5, 1 / rows + 1 / others)


MEASURE = ModelMeasure(
    Description(
        id="score_mean",
        family=Family.DRIFT,
        title="change of the mean score",
        unit="standard deviations of the baseline",
        unchanged=0.0,
        lower=None,
        upper=None,
        symmetric=False,
        source="Glass (1976); Welch (1947)",
    ),
    measure,
    applies=has_score,
    tail=of_a_change,
    spread=spread,
)
