"""Labels that a policy says nothing about."""

from typing import Any

import numpy as np

from monitor.domain.field import Label
from monitor.profile.values import canonical_text, encoded, outcome_text


def unmapped_labels(label: Label | None, column: Any) -> list[tuple[str, int]]:
    """Return the labels that are neither positive nor negative, with their rows.

    Where only positive labels are declared every other one is negative, unless they are declared
    as booleans or by numbers: then what cannot mean one is neither. A null is no label.

    Args:
        label: What the labels mean; None when there is none.
        column: The label column, a pyarrow Array or ChunkedArray; None when there is none.
    """
    if label is None or column is None or not label.positive:
        return []
    mapped = {*label.positive, *label.negative}
    read = outcome_text(mapped)
    if read is canonical_text and not label.negative:
        return []
    indices, values = encoded(column)
    rows = np.bincount(indices + 1, minlength=len(values) + 1)[1:].tolist()
    strays: list[tuple[str, int]] = []
    for value, count in zip(values, rows, strict=True):
        text = canonical_text(value)
        if not count or text is None:
            continue
        meant = read(value)
        if meant is None or (label.negative and meant not in mapped):
            strays.append((text, count))
    return strays
