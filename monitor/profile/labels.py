"""Labels that a policy says nothing about."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitor.domain.field import Classes, Label
from monitor.profile.buffers import doubles, of_truths, valid
from monitor.profile.grid import FloatArray
from monitor.profile.numbers import to_numbers
from monitor.profile.values import (
    canonical_text,
    encoded,
    one_array,
    outcome_text,
    rows_by_value,
    rows_of,
)

_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


def unmapped_labels(
    label: Label | None, column: Any, classes: Classes | None = None
) -> list[tuple[str, int]]:
    """Return the labels that are neither positive nor negative, no class or no number, with their rows.

    Where only positive labels are declared every other one is negative, unless they are declared
    as booleans or by numbers: then what cannot mean one is neither. Where none is declared the label is
    a number. A null is no label.

    Args:
        label: What the labels mean; None when there is none.
        column: The label column, a pyarrow Array or ChunkedArray; None when there is none.
        classes: The classes that the label is one of; None when it is no class.
    """
    if label is None or column is None:
        return []
    if not (label.positive or classes):
        return _no_numbers(column)
    mapped = {*classes.by_label} if classes else {*label.positive, *label.negative}
    read, listed = outcome_text(mapped), bool(classes or label.negative)
    if read is canonical_text and not listed:
        return []
    indices, values = encoded(column)
    strays: dict[int, str] = {}
    for place, value in enumerate(values):
        meant, text = read(value), canonical_text(value)
        if text is not None and (meant is None or (listed and meant not in mapped)):
            strays[place] = text
    if not strays:
        return []
    rows, _ = rows_of(indices, len(values))
    return [(text, int(rows[place])) for place, text in strays.items() if rows[place]]


def _no_numbers(column: Any) -> list[tuple[str, int]]:
    """Return the values that are or spell no number, with their rows."""
    column = one_array(column)
    numbers = numbers_in_text(column)
    if numbers is None:
        numbers, _, invalid = to_numbers(column)
        if not invalid:
            return []
    strays = column.filter(of_truths(valid(column) & np.isnan(numbers)))
    values, rows, _ = rows_by_value(strays)
    found = zip(map(canonical_text, values), rows.tolist(), strict=True)
    return [(text, count) for text, count in found if text is not None and count]


def numbers_in_text(column: Any) -> FloatArray | None:
    """Return the numbers that texts spell, as a label table brings them; NaN for any other text.

    Args:
        column: A pyarrow Array or ChunkedArray, dictionary-encoded or not.

    Returns:
        Shape (rows,), or None when the column does not hold texts.
    """
    column = one_array(column)
    coded = pa.types.is_dictionary(column.type)
    texts = column.dictionary if coded else column
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return None
    spelled = pc.if_else(pc.match_substring_regex(texts, _NUMBER), texts, None)
    numbers = spelled.cast(pa.float64())
    if coded:
        numbers = numbers.take(column.indices)
    return doubles(numbers)
