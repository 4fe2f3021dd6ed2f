"""Rows against those expected."""

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import (
    Description,
    Family,
    ModelMeasure,
    ProfilePair,
    ProfileParts,
)
from monitor.measures.spreads import of_differences
from monitor.measures.tails import of_a_change
from monitor.uncertainty.between import Squares
from monitor.uncertainty.ratio import rate_ratio

LEVEL = 0.95
"""Of the interval."""


def measure(pair: ProfilePair) -> Result:
    """Return the window's rows over those of an average window of the baseline, less 1.

    0 when nothing changed, −0.5 for half as many rows, 1 for twice as many, −1 for none; no upper
    bound. The interval takes rows as independent arrivals (Poisson): it covers counting error,
    not the ordinary difference between a Sunday and a Monday, which `spread` learns from the
    baseline's windows if there are enough. ``then`` is the expected number of rows, ``now`` the number that came.

    Unmeasurable: a baseline without rows.

    Source:
        Przyborowski and Wilenski (1940).
    """
    rows, reference_rows = pair.current.rows, pair.reference.rows
    if not reference_rows:
        return Unmeasurable(Absence.NO_BASELINE, "the baseline has no rows", rows)
    expected = reference_rows / pair.reference_windows
    low, high = rate_ratio(rows, 1.0, reference_rows, pair.reference_windows, LEVEL)
    return Estimate(
        rows / expected - 1,
        n=rows,
        n_reference=reference_rows,
        low=float(low) - 1,
        high=float(high) - 1,
        level=LEVEL,
        method="ratio of Poisson rates, conditional score",
        then=expected,
        now=float(rows),
    )


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared value of each of the baseline's windows against the others' average.

    What is left of it when counting error (Poisson) is taken off is how arrivals vary in
    themselves, as in a negative binomial law.
    """
    rows = np.array([part.rows for part in model.parts], np.float64)
    if len(rows) < 2:  # noqa: PLR2004  # one window has no others
        return None
    others = rows.sum() - rows
    expected = others / (len(rows) - 1)
    return of_differences(rows / expected - 1, 1 / expected + 1 / others)


MEASURE = ModelMeasure(
    Description(
        id="rows",
        family=Family.QUALITY,
        title="rows against those expected",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=None,
        symmetric=False,
        source="Przyborowski and Wilenski (1940)",
    ),
    measure,
    tail=of_a_change,
    spread=spread,
)
