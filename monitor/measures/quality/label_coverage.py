"""Share of rows whose label has arrived."""

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.applicability import has_any_label
from monitor.measures.drift.label_rate import labels
from monitor.measures.measure import Description, Family, ModelMeasure, ProfilePair
from monitor.profile.profile import Profile


def labelled(profile: Profile) -> int:
    """Return the rows that have a label: one of the classes, or a finite number."""
    if profile.classes is not None:
        return profile.classes.labelled
    numbers = 0 if profile.errors is None else profile.errors.labelled
    return labels(profile)[1] + numbers


def measure(pair: ProfilePair) -> Result:
    """Return the share of rows that have a positive or a negative label, or a number as a label.

    In [0, 1]; 0 while none has arrived. No interval: it is counted, not estimated. ``then`` is the
    share of the baseline's rows, where it has some. A label that the policy neither calls positive
    nor negative is none.

    Unmeasurable: no rows in the window.

    Source:
        Verification bias by what is verified: Begg and Greenes (1983).
    """
    rows, reference_rows = pair.current.rows, pair.reference.rows
    if not rows:
        return Unmeasurable(Absence.NO_DATA, "the window has no rows", 0, reference_rows)
    known = labelled(pair.current)
    return Estimate(
        known / rows,
        n=rows,
        n_reference=reference_rows,
        method="labelled / rows",
        then=labelled(pair.reference) / reference_rows if reference_rows else None,
        now=known / rows,
        detail={"labelled": known},
    )


MEASURE = ModelMeasure(
    Description(
        id="label_coverage",
        family=Family.QUALITY,
        title="share of rows with a label",
        unit="1",
        unchanged=None,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Begg and Greenes (1983)",
    ),
    measure,
    applies=has_any_label,
)
