"""Share of values that the baseline did not hold."""

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_known_values
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair
from monitor.measures.presence import no_values
from monitor.profile.counts import CategoricalCounts, FieldCounts, NumericCounts
from monitor.profile.grid import CategoricalGrid, FieldGrid, NumericGrid
from monitor.special import betainc
from monitor.uncertainty.coverage import Missed, missed
from monitor.uncertainty.normal import NODES, WEIGHTS
from monitor.uncertainty.proportion import wilson

LEVEL = 0.95
"""Of the interval."""


def measure(pair: FieldPair) -> Result:
    """Return the share of the window's values that the baseline did not hold.

    For categorical fields, and for numeric ones whose baseline holds few distinct values; of the
    rows with a usable (for numeric fields: finite) value. In [0, 1], 0 when nothing is new;
    Wilson's interval. ``detail["missed"]`` is the share that is to be expected when nothing
    changed: what the baseline was too small to hold, 0 for most baselines.

    Unmeasurable: no rows, no such column, one side without a value, or a baseline with so many rare
    values that new ones are to be expected, or more than its grid knows.

    Source:
        Wilson (1927); Good (1953) for what the baseline missed.
    """
    if (nothing := no_values(pair)) is not None:
        return nothing
    if isinstance(pair.grid, CategoricalGrid) and not pair.grid.complete:
        return Unmeasurable(
            Absence.UNDEFINED,
            f"the baseline holds so many rare values of {pair.field.name} that others are to be "
            "expected: new ones cannot be told from old ones",
            pair.current.rows,
            pair.reference.rows,
        )
    (now, rows), (then, reference_rows) = (
        _unseen(pair.grid, counts) for counts in (pair.current, pair.reference)
    )
    if not (rows and reference_rows):
        return Unmeasurable(
            Absence.NO_DATA,
            f"{rows} finite values against {reference_rows} in the baseline",
            rows,
            reference_rows,
        )
    low, high = wilson(now, rows, LEVEL)
    not_held = _missed(pair.grid, pair.reference)
    return Estimate(
        now / rows,
        n=rows,
        n_reference=reference_rows,
        low=float(low),
        high=float(high),
        level=LEVEL,
        method="Wilson score",
        then=then / reference_rows,
        now=now / rows,
        detail={
            "rows": now,
            "missed": not_held.share,
            "missed_error": not_held.variance**0.5,
        },
    )


def tail(estimate: Estimate, tolerance: float) -> float:
    """Return the p-value of "at most the tolerance more than what the baseline was too small for".

    Binomial, averaged over what the baseline may have missed, taken as normal around its estimate:
    exact for a large baseline without rare values.
    """
    unseen = estimate.detail["rows"]
    if not unseen:
        return 1.0
    rates = tolerance + estimate.detail["missed"] + estimate.detail["missed_error"] * NODES
    tails = betainc(unseen, estimate.n - unseen + 1, np.clip(rates, tolerance, 1.0))
    return float(np.sum(WEIGHTS * tails))


def _missed(grid: FieldGrid, counts: FieldCounts) -> Missed:
    match grid, counts:
        case NumericGrid(), NumericCounts():
            return missed(counts.cells[grid.atoms])
        case CategoricalGrid(), CategoricalCounts():
            return missed(counts.values)
        case _:
            raise ValueError("a field is counted as another kind than its grid's")


def _unseen(grid: FieldGrid, counts: FieldCounts) -> tuple[int, int]:
    match grid, counts:
        case NumericGrid(), NumericCounts():
            return int(counts.cells[~grid.atoms].sum()), counts.n
        case CategoricalGrid(), CategoricalCounts():
            return counts.unseen.rows, counts.n
        case _:
            raise ValueError("a field is counted as another kind than its grid's")


MEASURE = FieldMeasure(
    Description(
        id="unseen_rate",
        family=Family.QUALITY,
        title="share of values new since the baseline",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Wilson (1927); Good (1953)",
    ),
    measure,
    applies=has_known_values,
    tail=tail,  # no spread: the baseline knows all of its values
)
