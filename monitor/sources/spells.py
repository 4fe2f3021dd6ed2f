"""The decisions of a batch, by what their version was allowed at the time."""

from typing import Any

import numpy as np

from monitor.domain.governance import HUMAN_REVIEW_SHARE
from monitor.domain.timetable import Regime, ReviewMark, Spell, Timetable
from monitor.engine.allowance import Allowance, Part
from monitor.profile.grid import BoolArray
from monitor.profile.instants import to_micros
from monitor.profile.numbers import to_numbers
from monitor.profile.values import canonical_text, encoded
from monitor.sources.reader import Batch, OpenFile, Selection


def count_spells(
    allowance: Allowance, timetable: Timetable | None, log: OpenFile, batch: Batch
) -> None:
    """Count the rows of a batch by version and spell.

    Columns are read only of rows whose spell has conditions, or in which people were to decide.

    Args:
        allowance: Takes the counts.
        timetable: What each version was allowed when; None: nothing is counted.
        log: The file.
        batch: The rows that count.
    """
    if timetable is None:
        return
    for version, selection in batch.versions.items():
        spells = timetable.of(version)
        for place, chosen in _by_spell(spells, selection, batch):
            part = Part(version, place)
            allowance.add(part, "rows", chosen.rows, chosen.last)
            _look(allowance, part, spells[place], timetable.mark, chosen, log, batch)


def _by_spell(
    spells: tuple[Spell, ...], selection: Selection, batch: Batch
) -> list[tuple[int, Selection]]:
    if len(spells) == 1:
        return [(0, selection)]
    begins = np.array([to_micros(spell.start) for spell in spells[1:]], np.int64)
    first, last = np.searchsorted(begins, [selection.first, selection.last], side="right").tolist()
    if first == last:
        return [(first, selection)]
    places = np.searchsorted(begins, batch.micros, side="right")
    found = [(place, selection.kept(places == place, batch.micros)) for place in range(len(spells))]
    return [(place, chosen) for place, chosen in found if chosen is not None]


def _look(  # noqa: PLR0917  # a place, what holds there, and where its rows are
    allowance: Allowance,
    part: Part,
    spell: Spell,
    mark: ReviewMark | None,
    chosen: Selection,
    log: OpenFile,
    batch: Batch,
) -> None:
    """Count what people looked at, and what is beyond the conditions of a spell."""
    routed = spell.regime is Regime.ROUTED and mark is not None
    if not (routed or spell.conditions):
        return
    if mark is None:
        reviewed, told = np.zeros(chosen.rows, np.bool_), np.ones(chosen.rows, np.bool_)
        allowance.add(part, "unmarked", chosen.rows)
    else:
        column = chosen.of(log.column(batch.chunk, mark.column))
        reviewed, told = _reviewed(mark, column, chosen.rows)
        allowance.add(part, "unmarked", int((~told).sum()))
    allowance.add(part, "reviewed", int(reviewed.sum()))
    for name, bound in spell.conditions.items():
        if name == HUMAN_REVIEW_SHARE:
            continue
        number, beyond = _held(bound, chosen.of(log.column(batch.chunk, name)), chosen.rows)
        over = beyond & told & ~reviewed
        last = int(chosen.times(batch.micros)[over].max()) if over.any() else None
        allowance.add(part, f"over {name}", int(over.sum()), last)
        nobody = ~reviewed & (~number | (beyond & ~told))
        allowance.add(part, f"unknown {name}", int(nobody.sum()))


def _reviewed(mark: ReviewMark, column: Any, rows: int) -> tuple[BoolArray, BoolArray]:
    """Return of which rows the log says that a person looked, and of which it says whether."""
    if column is None:
        return np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
    indices, values = encoded(column)
    texts = [canonical_text(value) for value in (*values, None)]
    there = np.array([text is not None for text in texts]).take(indices)  # the last: null
    if not mark.values:
        return there, np.ones(rows, np.bool_)
    return np.array([text in mark.values for text in texts]).take(indices), there


def _held(bound: float, column: Any, rows: int) -> tuple[BoolArray, BoolArray]:
    """Return which values of a column are numbers, and which of them are beyond a bound."""
    if column is None:
        return np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
    numbers = to_numbers(column)[0]
    return ~np.isnan(numbers), numbers > bound
