"""Change of the share of rows without a known decision."""

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
from monitor.measures.tails import of_a_rise
from monitor.profile.counts import UNKNOWN
from monitor.profile.profile import Profile
from monitor.uncertainty.between import Squares


def measure(pair: ProfilePair) -> Result:
    """Return the share of rows without a known decision now less that of the baseline.

    A decision is not known where the column is null or not in the file, where it holds a value of
    another kind, and, if the policy lists negative decisions, one that it does not list. Signed, in [−1, 1], 0 when nothing changed, 1 for decisions that
    were all known and of which none is; Newcombe's interval; ``then`` and ``now`` are the shares.

    Unmeasurable: no rows in the window or in the baseline.

    Source:
        Newcombe (1998), method 10.
    """
    reference, current = pair.reference, pair.current
    if not reference.rows:
        return Unmeasurable(Absence.NO_BASELINE, "the baseline has no rows", current.rows)
    if not current.rows:
        return Unmeasurable(Absence.NO_DATA, "the window has no rows", 0, reference.rows)
    return change_of_share(_undecided(current), current.rows, _undecided(reference), reference.rows)


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared change of the share between a window of the baseline and the others."""
    undecided, rows = zip(*((_undecided(part), part.rows) for part in model.parts), strict=True)
    return of_shares(undecided, rows, _undecided(model.whole), model.whole.rows)


def _undecided(profile: Profile) -> int:
    return int(profile.outcomes.margin()[UNKNOWN].sum())


MEASURE = ModelMeasure(
    Description(
        id="undecided_rate",
        family=Family.QUALITY,
        title="change of the share of rows without a known decision",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="Newcombe (1998)",
    ),
    measure,
    applies=has_decision,
    tail=of_a_rise,
    spread=spread,
)
