"""What measures of models of several classes have in common."""

from collections.abc import Callable

import numpy as np

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import ProfilePair
from monitor.measures.performance.level import (
    LEVEL,
    Level,
    Side,
    baseline_of,
    window_of,
)
from monitor.profile.errors import ErrorSums
from monitor.profile.grid import IntArray
from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.multiclass import Mean
from monitor.uncertainty.proportion import wilson, wilson_of_variance


def names(side: Side) -> tuple[str, ...]:
    """Return the names of the classes.

    Raises:
        ValueError: The model has none.
    """
    if side.grid.classes is None:
        raise ValueError("the model has no classes")
    return side.grid.classes.values


def class_table(side: Side) -> IntArray | Unmeasurable:
    """Return the rows of a side by predicted and true class, shape (classes, classes).

    Rows without a predicted class or a label, or with one that was not declared, are left out.
    """
    counts = side.profile.classes
    if counts is None:
        told = f"{side.name} was stored before classes were counted: register a new baseline"
        return Unmeasurable(Absence.NO_BASELINE, told)
    table = counts.table.margin()[:-1, :-1]
    return table if table.any() else side.lacking(0, "both a predicted class and a label")


def impossible(side: Side, sums: ErrorSums) -> Unmeasurable | None:
    """Return why there is no number of probabilities that are none; None where they all are."""
    if not sums.outside:
        return None
    told = (
        f"the probabilities of {sums.outside:,} labelled rows of {side.name} are outside 0 to 1 "
        "or do not add up to 1"
    )
    return Unmeasurable(Absence.UNDEFINED, told, sums.rows + sums.outside)


def mean_level(side: Side, of: Callable[[IntArray], Mean | None]) -> Level | Unmeasurable:
    """Return the level that is a mean over classes, with Wilson's interval of its variance."""
    table = class_table(side)
    if isinstance(table, Unmeasurable):
        return table
    rows = int(table.sum())
    found = of(table)
    if found is None:
        raise ValueError("a table with rows has a mean over its classes")
    low, high = wilson_of_variance(found.value, found.variance, found.trials, rows, LEVEL)
    detail = {"classes": found.classes, "absent": len(table) - found.classes}
    return Level(found.value, float(low), float(high), rows, "delta method, Wilson", detail)


def worst(side: Side, axis: int, title: str) -> Level | Unmeasurable:
    """Return the share of the class that is most surely low.

    Args:
        side: Where it is from.
        axis: 0 for the shares of labels that were found (recall), 1 for those of predictions that
            were right (precision).
        title: What the share of a class is called in ``detail``.

    Returns:
        Wilson's interval at the Bonferroni level over the classes. The class is that whose upper
        end is lowest: a class of few rows may be lower by chance.
    """
    table = class_table(side)
    if isinstance(table, Unmeasurable):
        return table
    right, totals = np.diag(table), table.sum(axis=axis)
    there = np.flatnonzero(totals)
    low, high = wilson(right[there], totals[there], 1 - (1 - LEVEL) / len(there))
    place = int(np.argmin(high))
    code = int(there[place])
    called = names(side)
    each = {f"{title} of {called[one]}": float(right[one] / totals[one]) for one in there}
    return Level(
        float(right[code] / totals[code]),
        float(low[place]),
        float(high[place]),
        int(totals[code]),
        "Wilson, Bonferroni over the classes",
        {"classes": len(there), "absent": len(table) - len(there), **each},
        called[code],
    )


def largest_fall(pair: ProfilePair, axis: int, title: str) -> Result:
    """Return the loss of the class whose share has most surely fallen.

    Newcombe's interval at the Bonferroni level over the classes that both sides have.

    Args:
        pair: Baseline and window.
        axis: As for `worst`.
        title: What the share of a class is called in ``detail``.
    """
    before, after = baseline_of(pair), window_of(pair)
    then, now = class_table(before), class_table(after)
    if isinstance(then, Unmeasurable):
        rows = now.n if isinstance(now, Unmeasurable) else int(now.sum())
        return Unmeasurable(then.reason, then.explanation, rows, then.n)
    if isinstance(now, Unmeasurable):
        return Unmeasurable(now.reason, now.explanation, now.n, int(then.sum()))
    n, m = then.sum(axis=axis), now.sum(axis=axis)
    there = np.flatnonzero((n > 0) & (m > 0))
    if not len(there):
        told = f"no class has a {title} in both the window and the baseline"
        return Unmeasurable(Absence.UNDEFINED, told, int(now.sum()), int(then.sum()))
    x, y, n, m = np.diag(then)[there], np.diag(now)[there], n[there], m[there]
    low, high = newcombe(x, n, y, m, 1 - (1 - LEVEL) / len(there))
    place, called = int(np.argmax(low)), names(before)
    falls = {
        f"loss of {called[code]}": float(x[one] / n[one] - y[one] / m[one])
        for one, code in enumerate(there)
    }
    return Estimate(
        float(x[place] / n[place] - y[place] / m[place]),
        n=int(m[place]),
        n_reference=int(n[place]),
        low=float(low[place]),
        high=float(high[place]),
        level=LEVEL,
        method="Newcombe, Bonferroni over the classes",
        then=float(x[place] / n[place]),
        now=float(y[place] / m[place]),
        detail={"classes": len(there), "absent": len(then) - len(there), **falls},
        note=called[there[place]],
    )
