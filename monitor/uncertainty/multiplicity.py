"""Adjusting p-values for the number of tests made."""

import numpy as np
from numpy.typing import ArrayLike

from monitor.uncertainty.interval import FloatArray


def holm(p_values: ArrayLike) -> FloatArray:
    """Return p-values adjusted so that rejecting at α keeps the family-wise error below α.

    Step-down Bonferroni: the k-th smallest of K is multiplied by ``K − k + 1``, made monotone and
    cut at 1. Valid under any dependence.

    Args:
        p_values: Shape (K,), a family tested together.

    Returns:
        Shape (K,), in the order given.

    Source:
        S. Holm (1979), Scand. J. Statist. 6, 65-70.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    """Return p-values adjusted so that rejecting at q keeps the false discovery rate below q.

    Step-up: the k-th smallest of K is multiplied by ``K / k``, made monotone from the largest
    down. Valid for independent or positively dependent tests.

    Args:
        p_values: Shape (K,), a family tested together.

    Returns:
        Shape (K,), in the order given.

    Source:
        Y. Benjamini and Y. Hochberg (1995), J. R. Stat. Soc. B 57, 289-300.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")[::-1]
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(p[order] * len(p) / np.maximum(ranks, 1))
    return np.minimum(adjusted, 1.0)
