"""Number of columns that the baseline's files did not have."""

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import ColumnMeasure, Description, Family, FoundColumns

_NAMED = 3


def measure(columns: FoundColumns) -> Result:
    """Return how many columns the window's files have that no file of the baseline had.

    From 0, which is when nothing changed; no upper bound. Counted, so without an interval. A column
    that is there under another spelling of a known name is not counted: it is missing under its
    own. The note names the first.

    Unmeasurable: the baseline was registered before its columns were kept.

    Source:
        Unexpected columns of schema validation: E. Breck et al. (2019), Data Validation for
        Machine Learning, MLSys.
    """
    if not columns.known:
        return Unmeasurable(
            Absence.NO_BASELINE,
            "the columns of the baseline's files are not known: register a new one",
            columns.rows,
        )
    more = len(columns.extra) - _NAMED
    named = ", ".join(columns.extra[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return Estimate(
        float(len(columns.extra)), n=columns.rows, method="count of columns", note=named
    )


MEASURE = ColumnMeasure(
    Description(
        id="extra_columns",
        family=Family.QUALITY,
        title="columns that the baseline did not have",
        unit="columns",
        unchanged=0.0,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Breck et al. (2019)",
    ),
    measure,
)
