"""Observed over expected positive labels of each group."""

from typing import NamedTuple

import numpy as np

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Effect
from monitor.domain.limit import Band
from monitor.measures.applicability import has_score_and_label
from monitor.measures.disparity.quantity import (
    Ends,
    Kind,
    Quantity,
    Sample,
    measures_of_quantity,
)
from monitor.measures.disparity.rate import Harm
from monitor.measures.group_scores import ScoresOfGroups
from monitor.measures.measure import Description, Family
from monitor.profile.counts import POSITIVE
from monitor.profile.grid import IntArray
from monitor.special import ndtr
from monitor.uncertainty.proportion import wilson
from monitor.uncertainty.ratio import rate_ratio


class Chances(NamedTuple):
    """Positive labels that were observed, those that the scores expected, and the rows of both."""

    observed: int
    expected: float
    rows: int


def sample(
    scores: ScoresOfGroups, groups: IntArray, name: str, band: Band
) -> Sample | Unmeasurable:
    """Return positive labels over the sum of the scores of the same rows, read as probabilities.

    Rows with a label and a score from 0 to 1. It takes ``band.min_rows`` of them, and
    ``band.min_expected`` expected labels of either kind.
    """
    total, error = scores.sums(groups, "error_rows", "error")
    rows = int(total)
    if not rows:
        why = f"no row of {name} has a label and a score that is a probability"
        return Unmeasurable(Absence.NO_LABELS, why)
    observed = int(scores.moments["error_rows"][groups, POSITIVE].sum())
    expected = observed + error  # an error is score less label
    if expected <= 0:
        why = f"the scores of the {rows} labelled rows of {name} expect no positive label"
        return Unmeasurable(Absence.UNDEFINED, why, rows)
    if rows < band.min_rows or min(expected, rows - expected) < band.min_expected:
        why = (
            f"{name} has {rows} rows with {expected:.3g} expected positive and "
            f"{rows - expected:.3g} negative labels where {band.min_rows} rows and "
            f"{band.min_expected:g} of either kind are needed"
        )
        return Unmeasurable(Absence.INSUFFICIENT_DATA, why, rows)
    detail = {"positive": observed, "expected": expected}
    return Sample(observed / expected, rows, Chances(observed, expected, rows), detail)


def _interval(of: Sample, level: float) -> Ends:
    chances: Chances = of.data
    low, high = wilson(chances.observed, chances.rows, level)
    factor = chances.rows / chances.expected
    return float(low) * factor, float(high) * factor


def _against(one: Sample, other: Sample, level: float) -> Ends:
    a, b = one.data, other.data
    low, high = rate_ratio(a.observed, a.expected, b.observed, b.expected, level)
    return float(low), float(high) if np.isfinite(high) else None


def _test(one: Sample, other: Sample) -> tuple[float, float]:
    """Return the score test of the group's part of all events being its part of the expected ones."""
    a, b = one.data, other.data
    events, part = a.observed + b.observed, a.expected / (a.expected + b.expected)
    z = (a.observed - events * part) / float(np.sqrt(events * part * (1 - part)))
    return float(2 * ndtr(-abs(z))), z


QUANTITY = Quantity(
    Description(
        id="calibration_ratio",
        family=Family.DISPARITY,
        title="observed over expected positive labels",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Wilson (1927)",
    ),
    Kind(
        suffix="_ratio",
        unchanged=1.0,
        lower=0.0,
        upper=None,
        value=lambda one, other: one / other,
        interval=_interval,
        against=_against,
        test=_test,
        method="Wilson score",
        method_against="conditional, Wilson score",
    ),
    sample,
    {Effect.FAVOURABLE: Harm.EITHER, Effect.HARMFUL: Harm.EITHER},
    has_score_and_label,
    "Przyborowski and Wilenski (1940); Holm (1979)",
)
"""Scores that mean another chance in one group than in another."""

MEASURES = measures_of_quantity(QUANTITY)
