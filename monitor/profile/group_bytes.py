"""The bytes form of scores by group."""

from typing import Any

import numpy as np

from monitor.profile.group_scores import GroupScores
from monitor.profile.packing import Arrays


def add_group_scores(arrays: Arrays, scores: GroupScores, prefix: str) -> list[Any]:
    """Add the scores by group, and return what describes them.

    Their sorted codes are kept as differences, which take few bytes.
    """
    arrays |= {
        f"{prefix}group codes": np.diff(scores.codes, prepend=0),
        f"{prefix}group rows": scores.rows,
        f"{prefix}group groups": scores.groups,
        f"{prefix}group counts": scores.counts,
        f"{prefix}group sums": scores.sums,
    }
    return [scores.attributes, scores.sizes, scores.cells, scores.level]


def group_scores_of(described: list[Any] | None, arrays: Arrays, prefix: str) -> GroupScores | None:
    """Return the scores by group of what was said of them; None of nothing."""
    if described is None:  # without attributes or a score, or of before they were counted
        return None
    attributes, sizes, cells, level = described
    return GroupScores(
        tuple(attributes),
        tuple(sizes),
        cells,
        level,
        np.cumsum(arrays[f"{prefix}group codes"]),
        arrays[f"{prefix}group rows"],
        arrays[f"{prefix}group groups"],
        arrays[f"{prefix}group counts"],
        arrays[f"{prefix}group sums"],
    )
