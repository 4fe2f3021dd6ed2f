"""Change of the share of missing values."""

from monitor.domain.estimate import Result
from monitor.measures.change_of_share import change_of_share
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair
from monitor.measures.presence import nothing_counted


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
)
