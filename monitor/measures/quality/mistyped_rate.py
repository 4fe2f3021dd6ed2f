"""Change of the share of values of another type."""

from monitor.domain.estimate import Result
from monitor.measures.change_of_share import change_of_share
from monitor.measures.measure import Description, Family, FieldMeasure, FieldPair, FieldParts
from monitor.measures.presence import no_filled
from monitor.measures.spreads import of_shares
from monitor.measures.tails import of_a_rise
from monitor.profile.counts import FieldCounts
from monitor.uncertainty.between import Squares


def measure(pair: FieldPair) -> Result:
    """Return the share of values that cannot be read as the field's kind, less the baseline's.

    Of the rows that hold a value at all: neither null, nor NaN, nor from a file without the column.
    For a numeric field a text or a list is of another type; for a boolean what means neither true
    nor false; for a categorical one lists and structs only, since anything else has a text. Whole
    numbers that turned into broken ones are of the same kind. Signed, in [−1, 1], 0 when nothing
    changed; Newcombe's interval; ``then`` and ``now`` are the shares.

    Unmeasurable: no rows, no such column, or one side without a value.

    Source:
        Newcombe (1998), method 10.
    """
    if (nothing := no_filled(pair)) is not None:
        return nothing
    reference, current = pair.reference, pair.current
    return change_of_share(current.invalid, filled(current), reference.invalid, filled(reference))


def filled(counts: FieldCounts) -> int:
    """Return the rows that hold a value, of whatever type."""
    return counts.rows - counts.missing + counts.invalid


def spread(field: FieldParts) -> Squares | None:
    """Return the squared change of the share between a window of the baseline and the others."""
    invalid, rows = zip(*((part.invalid, filled(part)) for part in field.parts), strict=True)
    return of_shares(invalid, rows, field.whole.invalid, filled(field.whole))


MEASURE = FieldMeasure(
    Description(
        id="mistyped_rate",
        family=Family.QUALITY,
        title="change of the share of values of another type",
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
