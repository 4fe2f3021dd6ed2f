"""How long before the window's end the log fell silent."""

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair


def measure(pair: ProfilePair) -> Result:
    """Return the seconds between the last event and the window's end.

    Not negative, at most the window's length; a steady log has a small one. No interval: it is
    read, not estimated.

    Unmeasurable: no rows in the window.

    Source:
        Data freshness as a service level indicator: B. Beyer et al. (2018), The Site Reliability
        Workbook, chapter 13.
    """
    last = pair.current.last_event
    if last is None:
        return Unmeasurable(Absence.NO_DATA, "the window has no rows", 0, pair.reference.rows)
    return Estimate(
        (pair.window.end - last).total_seconds(),
        n=pair.current.rows,
        n_reference=pair.reference.rows,
        method="window end − last event",
    )


MEASURE = ModelMeasure(
    Description(
        id="freshness",
        family=Family.QUALITY,
        title="time without events before the window's end",
        unit="seconds",
        unchanged=None,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Beyer et al. (2018), The Site Reliability Workbook, chapter 13",
    ),
    measure,
)
