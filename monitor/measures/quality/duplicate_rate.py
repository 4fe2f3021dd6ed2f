"""Change of the share of rows that repeat an id."""

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_ids
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
from monitor.profile.profile import Profile
from monitor.uncertainty.between import Squares


def measure(pair: ProfilePair) -> Result:
    """Return the share of rows that repeat the id of another row, less that of the baseline.

    Of all rows of the version in the window, those that were set aside included: of several rows
    with one id the last is profiled. Signed, in [−1, 1], 0 when nothing changed; Newcombe's
    interval; ``then`` and ``now`` are the shares.

    Unmeasurable: no rows in the window or in the baseline.

    Source:
        Newcombe (1998), method 10.
    """
    reference, current = pair.reference, pair.current
    if not reference.rows:
        return Unmeasurable(Absence.NO_BASELINE, "the baseline has no rows", current.rows)
    if not current.rows:
        return Unmeasurable(Absence.NO_DATA, "the window has no rows", 0, reference.rows)
    return change_of_share(
        current.duplicates, _logged(current), reference.duplicates, _logged(reference)
    )


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared change of the share between a window of the baseline and the others."""
    duplicates, rows = zip(*((part.duplicates, _logged(part)) for part in model.parts), strict=True)
    return of_shares(duplicates, rows, model.whole.duplicates, _logged(model.whole))


def _logged(profile: Profile) -> int:
    return profile.rows + profile.duplicates


MEASURE = ModelMeasure(
    Description(
        id="duplicate_rate",
        family=Family.QUALITY,
        title="change of the share of rows that repeat an id",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="Newcombe (1998)",
    ),
    measure,
    applies=has_ids,
    tail=of_a_rise,
    spread=spread,
)
