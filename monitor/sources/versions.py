"""Which version made which rows of a batch."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from monitor.domain.policy import SourceSpec
from monitor.engine.counting import OTHER_VERSIONS
from monitor.profile.counts import value_name
from monitor.profile.grid import BoolArray, IntArray
from monitor.profile.values import canonical_text, encoded

NO_VERSION = "(none)"
"""The version of rows whose version column is null or absent although the policy names one."""

TOLD_VERSIONS = 200
"""Versions of one batch that are told apart."""


def by_version(
    spec: SourceSpec, column_of: Callable[[], Any], inside: BoolArray
) -> dict[str, BoolArray]:
    """Return the rows of each version among some rows.

    Args:
        spec: What says which version made a row.
        column_of: Reads the column of versions; None where there is none.
        inside: shape (rows,), the rows that are meant.
    """
    if not spec.version:
        return {spec.default_version: inside}
    if not inside.any():
        return {}
    column = column_of()
    if column is None:
        return {NO_VERSION: inside}
    indices, values = encoded(column)
    texts = [canonical_text(value) for value in values]
    # An empty text names no version, and would be taken for all of them.
    named = [value_name(text) if text else NO_VERSION for text in (*texts, None)]
    if len(set(named)) > TOLD_VERSIONS:
        named = _with_others(named, indices)
    versions = list(dict.fromkeys(named))
    if len(values) == 1 and indices.min() == 0:
        return {versions[0]: inside}
    codes = np.array([versions.index(name) for name in named]).take(indices)  # the last: null
    return {version: inside & (codes == code) for code, version in enumerate(versions)}


def _with_others(named: list[str], indices: IntArray) -> list[str]:
    """Return the names of versions with all but the most frequent as one.

    A column of ids that passes for one of versions would cost a mask for each of its values.
    """
    rows: Counter[str] = Counter()
    for name, count in zip(named, np.bincount(indices % len(named)).tolist(), strict=False):
        rows[name] += count
    told = sorted(rows, key=lambda name: (-rows[name], name))[:TOLD_VERSIONS]
    kept = frozenset(told)
    return [name if name in kept else OTHER_VERSIONS for name in named]
