"""Change of the share of positive labels."""

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.measures.applicability import has_label
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


def labels(profile: Profile) -> tuple[int, int]:
    """Return the positive labels and all known ones."""
    rows = profile.outcomes.margin().sum(axis=0)
    return int(rows[POSITIVE]), int(rows[NEGATIVE] + rows[POSITIVE])


def measure(pair: ProfilePair) -> Result:
    """Return the share of positive labels now less that of the baseline.

    Of the rows whose label has arrived. Signed, in [−1, 1], 0 when nothing changed; Newcombe's
    interval; ``then`` and ``now`` are the shares. Labels that arrive early may be of another kind
    than those that arrive late: read it together with how many have arrived.

    Unmeasurable: no labelled row in the window, or none in the baseline.

    Source:
        Newcombe (1998), method 10.
    """
    now, rows = labels(pair.current)
    then, reference_rows = labels(pair.reference)
    if not reference_rows:
        return Unmeasurable(Absence.NO_BASELINE, "no row of the baseline has a label", rows)
    if not rows:
        return Unmeasurable(
            Absence.NO_LABELS,
            f"none of the window's {pair.current.rows} rows has a label",
            0,
            reference_rows,
        )
    return change_of_share(now, rows, then, reference_rows)


def spread(model: ProfileParts) -> Squares | None:
    """Return the squared change of the share between a window of the baseline and the others."""
    positive, known = zip(*map(labels, model.parts), strict=True)
    return of_shares(positive, known, *labels(model.whole))


MEASURE = ModelMeasure(
    Description(
        id="label_rate",
        family=Family.DRIFT,
        title="change of the share of positive labels",
        unit="1",
        unchanged=0.0,
        lower=-1.0,
        upper=1.0,
        symmetric=False,
        source="Newcombe (1998)",
    ),
    measure,
    applies=has_label,
    tail=of_a_change,
    spread=spread,
)
