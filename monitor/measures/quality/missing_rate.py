"""Change of the share of missing values."""

from monitor.domain.estimate import Result
from monitor.measures.change_of_share import change_of_share
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.presence import nothing_counted
from monitor.measures.spreads import of_shares
from monitor.measures.tails import of_a_rise
from monitor.uncertainty.between import Squares


def measure(pair: FieldPair) -> Result:
    """Return the share of rows without a usable value now less that of the baseline.

    Missing: null, NaN, a value of another type, or a row from a file without the column. Signed, in
    [−1, 1], 0 when nothing changed; Newcombe's interval; ``then`` and ``now`` are the shares. A
    column that is gone is missing in every row, and that is a number.

    Unmeasurable: no rows in the window or in the baseline.

    Source:
        Newcombe (1998), method 10.
    """
    if (nothing := nothing_counted(pair)) is not None:
        return nothing
    reference, current = pair.reference, pair.current
    return change_of_share(current.missing, current.rows, reference.missing, reference.rows)


def spread(field: FieldParts) -> Squares | None:
    """Return the squared change of the share between a window of the baseline and the others."""
    missing, rows = zip(*((part.missing, part.rows) for part in field.parts), strict=True)
    return of_shares(missing, rows, field.whole.missing, field.whole.rows)


MEASURE = FieldMeasure(
    Description(
        id="missing_rate",
        family=Family.QUALITY,
        title="change of the share of missing values",
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
