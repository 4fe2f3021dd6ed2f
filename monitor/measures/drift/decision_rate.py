"""Change of the share of positive decisions."""

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_decision
from monitor.measures.change_of_share import change_of_share
from monitor.measures.measure import (
    Description,
    Family,
    ModelMeasure,
    ProfilePair,
    ProfileParts,
)
from monitor.measures.spreads import of_shares
from monitor.measures.tails import of_a_change
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.profile.profile import Profile
from monitor.uncertainty.between import Squares


def decisions(profile: Profile) -> tuple[int, int]:
    """Return the positive decisions and all known ones."""
    rows = profile.outcomes.margin().sum(axis=1)
    return int(rows[POSITIVE]), int(rows[NEGATIVE] + rows[POSITIVE])


def measure(pair: ProfilePair) -> Result:
    """Return the share of positive decisions now less that of the baseline.

    Of the rows whose decision is known. Signed, in [−1, 1], 0 when nothing changed; Newcombe's
    interval; ``then`` and ``now`` are the shares.

    Unmeasurable: no row with a known decision in the window, or none in the baseline.

    Source:
        Newcombe (1998), method 10.
    """
    now, rows = decisions(pair.current)
    then, reference_rows = decisions(pair.reference)
    if not reference_rows:
        return Unmeasurable(
            Absence.NO_BASELINE, "no row of the baseline has a known decision", rows
        )
    if not rows:
        return Unmeasurable(
            Absence.NO_DATA,
            f"none of the window's {pair.current.rows} rows has a known decision",
            0,
            reference_rows,
        )
    return change_of_share(now, rows, then, reference_rows)


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared change of the share between a window of the baseline and the others."""
    positive, known = zip(*map(decisions, model.parts), strict=True)
    return of_shares(positive, known, *decisions(model.whole))


MEASURE = ModelMeasure(
    Description(
        id="decision_rate",
        family=Family.DRIFT,
        title="change of the share of positive decisions",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="Newcombe (1998)",
    ),
    measure,
    applies=has_decision,
    tail=of_a_change,
    spread=spread,
)
