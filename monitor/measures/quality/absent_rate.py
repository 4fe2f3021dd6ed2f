"""Change of the share of rows whose file lacks a column."""

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.change_of_share import change_of_share
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.presence import nothing_counted
from monitor.measures.spreads import of_shares
from monitor.measures.tails import of_a_rise
from monitor.uncertainty.between import Squares


def measure(pair: FieldPair) -> Result:
    """Return the share of rows from files without the column now less that of the baseline.

    Signed, in [−1, 1], 0 when nothing changed, 1 for a column that was everywhere and is gone;
    Newcombe's interval; ``then`` and ``now`` are the shares. Rows of one file are not independent:
    the interval is that of rows.

    Unmeasurable: no rows in the window or in the baseline; a baseline whose files lack the column.

    Source:
        Newcombe (1998), method 10.
    """
    if (nothing := nothing_counted(pair)) is not None:
        return nothing
    reference, current = pair.reference, pair.current
    if reference.absent == reference.rows:
        return Unmeasurable(
            Absence.NO_BASELINE,
            f"the baseline's files do not have the column {pair.field.column}",
            current.rows,
            reference.rows,
        )
    return change_of_share(current.absent, current.rows, reference.absent, reference.rows)


def spread(field: FieldParts) -> Squares | None:
    """Return the squared change of the share between a window of the baseline and the others."""
    absent, rows = zip(*((part.absent, part.rows) for part in field.parts), strict=True)
    return of_shares(absent, rows, field.whole.absent, field.whole.rows)


MEASURE = FieldMeasure(
    Description(
        id="absent_rate",
        family=Family.QUALITY,
        title="change of the share of rows whose file lacks the column",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="Newcombe (1998)",
    ),
    measure,
    tail=of_a_rise,
    spread=spread,
)
