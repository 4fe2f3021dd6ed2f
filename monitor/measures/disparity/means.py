"""Means of groups, and the difference of two."""

from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.limit import Band
from monitor.measures.disparity.quantity import Ends, Kind, Sample
from monitor.measures.group_scores import ScoresOfGroups
from monitor.profile.grid import IntArray
from monitor.uncertainty.mean import Moments, student, welch, welch_test

LEAST_ROWS = 2
"""Rows that a variance takes."""


class Summed(NamedTuple):
    """Names of what was summed.

    Attributes:
        rows: Of the rows.
        total: Of the sum.
        squares: Of the sum of the squares.
        what: What the rows have, for the reason where there is none.
        center: What sums were taken from, rather than from 0.
    """

    rows: str
    total: str
    squares: str
    what: str
    center: bool = False


def mean_of(
    summed: Summed, scores: ScoresOfGroups, groups: IntArray, name: str, band: Band
) -> Sample | Unmeasurable:
    """Return the mean of something that was summed of some groups together, in its own unit.

    It takes ``band.min_rows`` rows, and two. ``detail`` has the standard deviation.
    """
    what = summed.what
    (rows,) = scores.sums(groups, summed.rows)
    n = int(rows)
    if n == 0:
        return Unmeasurable(Absence.NO_DATA, f"no row of {name} has {what}")
    least = max(band.min_rows, LEAST_ROWS)
    if n < least:
        why = f"{name} has {n} rows with {what} where {least} are needed"
        return Unmeasurable(Absence.INSUFFICIENT_DATA, why, n)
    plain = scores.mean(groups, *summed[:3])
    with np.errstate(over="ignore", invalid="ignore"):
        mean = (scores.center if summed.center else 0.0) + scores.scale * np.float64(plain.mean)
        variance = np.float64(plain.variance) * scores.scale**2
    if not np.isfinite([mean, variance]).all():
        why = f"the sum over the {n} rows of {name} with {what} is beyond a double"
        return Unmeasurable(Absence.UNDEFINED, why, n)
    moments = Moments(float(mean), float(variance), n)
    return Sample(moments.mean, n, moments, {"standard_deviation": float(np.sqrt(variance))})


def _interval(sample: Sample, level: float) -> Ends:
    return student(sample.data, level)


def _against(one: Sample, other: Sample, level: float) -> Ends:
    return welch(one.data, other.data, level)


def _test(one: Sample, other: Sample) -> tuple[float, float]:
    return welch_test(one.data, other.data)


MEANS = Kind(
    suffix="_difference",
    unchanged=0.0,
    lower=None,
    upper=None,
    value=lambda one, other: one - other,
    interval=_interval,
    against=_against,
    test=_test,
    method="Student",
    method_against="Welch",
)
"""Means are held against each other by their difference."""
