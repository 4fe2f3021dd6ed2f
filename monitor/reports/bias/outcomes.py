"""What the labels say of each group's decisions, from the stored table of integers."""

from collections.abc import Mapping

from monitor.measures.disparity.rate import Cells
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import GroupPair
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.reports.bias.document import Figure, OutcomeRow
from monitor.reports.bias.ledger import WHOLE, Place
from monitor.reports.bias.tables import Tables
from monitor.uncertainty.proportion import wilson

CELLS: Mapping[str, tuple[int, int]] = {
    "true_positive": (POSITIVE, POSITIVE),
    "false_positive": (POSITIVE, NEGATIVE),
    "false_negative": (NEGATIVE, POSITIVE),
    "true_negative": (NEGATIVE, NEGATIVE),
}
"""Name of each cell to its decision and its label."""


SHOWN = (
    "true_positive_rate",
    "false_positive_rate",
    "false_negative_rate",
    "positive_predictive_value",
    "negative_predictive_value",
    "error_rate",
)
"""The error rates that are listed; the others are one less one of these."""

_TP, _FP, _FN, _TN = CELLS.values()

_LABELLED = frozenset(CELLS.values())

_Counts = Mapping[tuple[int, int], int | None]


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
                _figure(frozenset({_TP, _FN}), _LABELLED, counts),
                {
                    name: _figure(RATES[name].numerator, RATES[name].denominator, counts)
                    for name in SHOWN
                },
            )
        )
    return tuple(rows)


def _figure(counted: Cells, among: Cells, counts: _Counts) -> Figure | None:
    """Return a rate with Wilson's interval; None where a count is not shown or there are no rows."""
    of = [counts[cell] for cell in sorted(among)]
    rows = sum(number or 0 for number in of)
    if None in of or not rows:
        return None
    events = sum(counts[cell] or 0 for cell in counted)
    low, high = wilson(events, rows)
    return Figure(events / rows, float(low), float(high), events, rows)
