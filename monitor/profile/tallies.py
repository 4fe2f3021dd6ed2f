"""Rows of each distinct value of a baseline, in memory that does not grow with them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct, field

from monitor.domain.segment import Segment
from monitor.profile.buffers import integers
from monitor.profile.counts import MAX_NAME, value_name
from monitor.profile.grid import CategoricalGrid, IntArray, SegmentGrid
from monitor.profile.numbers import Column, holds_numbers
from monitor.profile.segments import Values, distinct_values
from monitor.profile.values import (
    canonical_texts,
    number_of,
    one_array,
    rows_by_value,
    rows_of_codes,
)

LISTED_VALUES = 10_000
"""Values of a categorical field that a grid lists."""

NUMBERED_GROUPS = 20
"""Different numbers that may each be a group; more are an age or an amount, for which somebody has to
say where groups begin. Codes of groups are fewer, or are explained by the policy."""

TRACKED_VALUES = 100_000
"""Distinct values that a grid knows; of a baseline with more of them the list is incomplete."""

NEW_VALUES = 0.0025
"""Share of rows with a value never held before from which on new values are ordinary, if there are
more values than are listed: half of what warns of unseen values. With fewer, the counts of the listed
ones tell the measures what the baseline was too small to hold."""


_MANY_TEXTS = 1_000
"""A batch with so many different texts is not counted by itself: others have most of them too."""

_WAITING_BYTES = 1 << 23
"""Texts that wait for those of other batches."""


class ValueTally(Struct):
    """Rows of each distinct value, in memory that does not grow with them.

    Exact up to twice `TRACKED_VALUES` values. Beyond, as often as there are so many, the count of
    the first that is one too many is taken off all of them, and those with nothing left are
    dropped. A count is then too low, by no more than the rows counted over `TRACKED_VALUES`: a
    value with a larger share than 1 in 100,000 is never lost. Which of the rarer ones stay depends
    on the order of rows.

    Attributes:
        shortened: Whether long values are known by their names.

    Source:
        J. Misra and D. Gries (1982), Science of Computer Programming 2(2), 143-152.
    """

    shortened: bool = True
    _complete: bool = True
    _counts: Counter[str] = field(default_factory=Counter)
    _waiting: list[tuple[Any, IntArray]] = field(default_factory=list)

    def add(self, column: Column, *, boolean: bool = False) -> None:
        """Count a batch."""
        column = one_array(column)
        if not boolean and _has_many_texts(column):
            texts = column.dictionary.cast(pa.large_string())
            self._waiting.append((texts, rows_of_codes(column.indices, len(texts))))
            if (
                sum(len(texts) for texts, _ in self._waiting) > TRACKED_VALUES
                or sum(texts.nbytes for texts, _ in self._waiting) > _WAITING_BYTES
            ):
                self._settle()
            return
        values, rows, _ = rows_by_value(column)
        self._count(canonical_texts(values, boolean=boolean), rows)

    @property
    def counts(self) -> Counter[str]:
        """Return each value's rows; a long value by its name."""
        self._settle()
        return self._counts

    @property
    def complete(self) -> bool:
        """Return whether no value was dropped."""
        self._settle()
        return self._complete

    @property
    def novelty(self) -> float:
        """Return the expected share of further rows with a value that has not come yet.

        Source:
            I. J. Good (1953), Biometrika 40, 237-264: the share of rows whose value came once.
        """
        once = sum(count == 1 for count in self.counts.values())
        return once / max(self.counts.total(), 1)

    def grid(self) -> CategoricalGrid:
        """Return the values, most frequent first; the last of very many are known, not listed.

        The list is incomplete if values were dropped, or if there are so many rare ones that a
        value that is not among them is no news.
        """
        counts = self.counts
        # Of as many rows the first by its text: sorting keeps the order of what is equal.
        ordered = sorted(sorted(counts), key=counts.__getitem__, reverse=True)
        ever_new = len(ordered) > LISTED_VALUES and self.novelty > NEW_VALUES
        if not self.complete or ever_new or len(ordered) > TRACKED_VALUES:
            return CategoricalGrid(tuple(ordered[:LISTED_VALUES]), complete=False)
        return CategoricalGrid(
            tuple(ordered[:LISTED_VALUES]), known=tuple(sorted(ordered[LISTED_VALUES:]))
        )

    def _settle(self) -> None:
        """Count the texts that wait, those of all batches at once."""
        if not self._waiting:
            return
        texts = pa.chunked_array([texts for texts, _ in self._waiting])
        every = one_array(texts.combine_chunks().dictionary_encode("encode"))
        rows = np.zeros(len(every.dictionary), np.int64)
        np.add.at(
            rows, integers(every.indices, -1), np.concatenate([rows for _, rows in self._waiting])
        )
        self._waiting.clear()
        self._count(every.dictionary.to_pylist(), rows)

    def _count(self, texts: Sequence[str | None], rows: IntArray) -> None:
        """Count so many rows of each text; of None none are counted."""
        if self.shortened and max(map(len, filter(None, texts)), default=0) > MAX_NAME:
            texts = [None if text is None else _short(text) for text in texts]
        counts = self._counts  # a baseline may have a hundred thousand values
        for text, count in zip(texts, rows.tolist(), strict=True):
            if count and text is not None:
                counts[text] = counts.get(text, 0) + count
        if len(counts) > 2 * TRACKED_VALUES:
            self._prune()

    def _prune(self) -> None:
        rows = np.fromiter(self._counts.values(), np.int64, len(self._counts))
        most = int(np.partition(rows, -TRACKED_VALUES - 1)[-TRACKED_VALUES - 1])
        self._counts = Counter(
            {text: count - most for text, count in self._counts.items() if count > most}
        )
        self._complete = False


class SliceTally(Struct):
    """Rows of each combination of values, up to `TRACKED_VALUES` of them."""

    counts: Counter[Values] = field(default_factory=Counter)

    def add(self, columns: Sequence[Column | None], rows: int) -> None:
        """Count a batch."""
        found, places = distinct_values(columns, rows)
        counted = np.bincount(places, minlength=len(found)).tolist()
        for value, count in zip(found, counted, strict=True):
            if value is None or not count:
                continue
            if value in self.counts or len(self.counts) < TRACKED_VALUES:
                self.counts[value] += count

    def grid(self, segment: Segment) -> SegmentGrid:
        """Return the most frequent values, in the order of their texts."""
        ordered = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        values = tuple(sorted(value for value, _ in ordered[: segment.most]))
        return SegmentGrid(segment.name, segment.columns, values, segment.most)


class GroupTally(ValueTally):
    """Rows of each value of an attribute by its whole text, and which values were numbers.

    Attributes:
        numbers: Texts of values that came as numbers; no more than tell that they are too many.
        spelled: Whether numbers come as texts that spell them.
    """

    shortened: bool = False
    spelled: bool = False
    numbers: set[str] = field(default_factory=set)

    def add(self, column: Column, *, boolean: bool = False) -> None:
        """Count a batch."""
        ValueTally.add(self, column, boolean=boolean)
        if len(self.numbers) <= 2 * NUMBERED_GROUPS and (self.spelled or holds_numbers(column)):
            values, rows, _ = rows_by_value(column)
            there = [value for value, count in zip(values, rows.tolist(), strict=True) if count]
            texts = [text for text in canonical_texts(there) if text is not None]
            self.numbers.update(text for text in texts if number_of(text) is not None)


def _has_many_texts(column: Column) -> bool:
    """Return whether a column has many different texts, each of which is one value."""
    if not pa.types.is_dictionary(column.type) or len(column.dictionary) < _MANY_TEXTS:
        return False
    kind = column.dictionary.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _short(text: str) -> str:
    return value_name(text) if len(text) > MAX_NAME else text
