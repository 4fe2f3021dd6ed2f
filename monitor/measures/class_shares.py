"""What the shares of predicted classes and of labels have in common."""

from collections.abc import Sequence

import numpy as np

from monitor.domain.estimate import Estimate
from monitor.measures.spreads import of_differences
from monitor.profile.grid import Grid, IntArray
from monitor.uncertainty.between import Squares
from monitor.uncertainty.difference import newcombe

LEVEL = 0.95
"""Of the interval, held jointly over the classes."""

UNDECLARED = "(any other or none)"
"""Name of the rows whose predicted class was not declared, or that have none."""


def class_names(grid: Grid) -> tuple[str, ...]:
    """Return the names of the classes; none where the model has none."""
    return () if grid.classes is None else grid.classes.values


def largest_change(then: IntArray, now: IntArray, names: Sequence[str]) -> Estimate:
    """Return the largest change of a share, naming its class.

    The interval is that of the L-infinity distance: its lower end is the largest change that is sure, its upper
    end the largest that is possible.

    Args:
        then: shape (classes,), rows of the baseline, at least one in all.
        now: The same of the window.
        names: Names of the classes.
    """
    n, m = int(then.sum()), int(now.sum())
    difference = now / m - then / n
    place = int(np.argmax(np.abs(difference)))
    low, high = newcombe(now, m, then, n, 1 - (1 - LEVEL) / len(names))
    pooled = (then + now) / (n + m)
    error = float(np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m)).max())
    return Estimate(
        float(np.abs(difference).max()),
        n=m,
        n_reference=n,
        low=float(np.maximum(np.maximum(low, -high), 0.0).max()),
        high=float(np.maximum(-low, high).max()),
        level=LEVEL,
        method="Newcombe hybrid score, Bonferroni over the classes",
        then=float(then[place] / n),
        now=float(now[place] / m),
        detail={"groups": len(names), "error": error},
        note=names[place],
    )


def spread_of(whole: IntArray | None, parts: Sequence[IntArray | None]) -> Squares | None:
    """Return the squared largest change of a share between each part of a baseline and the others.

    Args:
        whole: shape (classes,), rows of the baseline; None if classes were not counted.
        parts: The same of its windows.
    """
    if whole is None:
        return None
    total = int(whole.sum())
    counted = [rows for rows in parts if rows is not None and 0 < rows.sum() < total]
    if not counted:
        return None
    part = np.stack(counted)
    others = whole - part
    n, m = others.sum(axis=1, keepdims=True), part.sum(axis=1, keepdims=True)
    share = whole / total
    return of_differences(part / m - others / n, share * (1 - share) * (1 / n + 1 / m))
