"""Columns of codes into a dictionary."""

from typing import Any

import numpy as np
import pyarrow as pa

from monitor.profile.buffers import stored


def check_codes(column: Any) -> None:
    """Make sure that each code of a column has a text, and that the texts are texts.

    Raises:
        pa.ArrowInvalid: One has none, or is none.
    """
    column.dictionary.validate(full=True)
    codes, texts = stored(column.indices), len(column.dictionary)
    unsigned = codes.view(f"u{codes.itemsize}")  # in which those below zero are very large
    if len(codes) and not unsigned.max() < texts:
        column.validate(full=True)  # three times as dear; beyond may be what stands for null


def narrow(column: Any) -> Any:
    """Return a column of codes with codes of one byte, or of two, if its dictionary allows it."""
    if not pa.types.is_dictionary(column.type) or column.num_chunks != 1:
        return column
    (codes,) = column.chunks
    kind = np.min_scalar_type(-max(len(codes.dictionary), 1))
    short = codes.indices.cast(pa.from_numpy_dtype(kind), safe=False)  # each has a value there
    return pa.chunked_array([pa.DictionaryArray.from_arrays(short, codes.dictionary, safe=False)])
