"""What the labels say of each group's decisions, from the stored table of integers."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.measures.measure import GroupPair
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.reports.bias.document import Figure, OutcomeRow
from monitor.reports.bias.tables import WHOLE, Place, Tables
from monitor.uncertainty.proportion import wilson

_Cells = tuple[tuple[int, int], ...]
"""Pairs of decision and label."""

CELLS: Mapping[str, tuple[int, int]] = {
    "true_positive": (POSITIVE, POSITIVE),
    "false_positive": (POSITIVE, NEGATIVE),
    "false_negative": (NEGATIVE, POSITIVE),
    "true_negative": (NEGATIVE, NEGATIVE),
}
"""Name of each cell to its decision and its label."""


@dataclass(frozen=True)
class _Rate:
    counted: _Cells
    of: _Cells


_TP, _FP, _FN, _TN = CELLS.values()

RATES: Mapping[str, _Rate] = {
    "true_positive_rate": _Rate((_TP,), (_TP, _FN)),
    "false_positive_rate": _Rate((_FP,), (_FP, _TN)),
    "false_negative_rate": _Rate((_FN,), (_TP, _FN)),
    "positive_predictive_value": _Rate((_TP,), (_TP, _FP)),
    "negative_predictive_value": _Rate((_TN,), (_TN, _FN)),
    "error_rate": _Rate((_FP, _FN), (_TP, _FP, _FN, _TN)),
}

_BASE = _Rate((_TP, _FN), (_TP, _FP, _FN, _TN))


def outcome_rows(population: str, pair: GroupPair, tables: Tables) -> tuple[OutcomeRow, ...]:
    """Return each group's decisions by label; empty where the model has no labels."""
    if not tables.labels:
        return ()
    rows = []
    for index, group in enumerate(pair.groups):
        table = pair.current[index]

        def count(cell: tuple[int, int], group: str = group, table: object = table) -> int | None:
            shown = tables.shown(Place(WHOLE, population, group, *cell))
            return int(table[cell]) if shown else None  # type: ignore[index]

        counts = {cell: count(cell) for cell in CELLS.values()}
        rows.append(
            OutcomeRow(
                group,
                {name: counts[cell] for name, cell in CELLS.items()},
                _figure(_BASE, counts),
                {name: _figure(rate, counts) for name, rate in RATES.items()},
            )
        )
    return tuple(rows)


def _figure(rate: _Rate, counts: Mapping[tuple[int, int], int | None]) -> Figure | None:
    """Return a rate with Wilson's interval; None where a count is not shown or there are no rows."""
    of = [counts[cell] for cell in rate.of]
    rows = sum(number or 0 for number in of)
    if None in of or not rows:
        return None
    events = sum(counts[cell] or 0 for cell in rate.counted)
    low, high = wilson(events, rows)
    return Figure(events / rows, float(low), float(high), events, rows)
