"""Share of the features whose drift is beyond a limit."""

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.measures.measure import Description, Family, FeatureVerdicts, VerdictMeasure

_NAMED = 3


def measure(features: FeatureVerdicts) -> Result:
    """Return the share of the judged features that were found beyond a limit of drift.

    In [0, 1], 0 when nothing changed. The ends of the interval are no matter of chance: they are
    the shares of all features, had those that could not be judged been within their limits, and
    had they been beyond; there are none where all were judged. ``detail`` has the numbers of
    features ``beyond``, ``judged`` and ``unjudged``, and the note names the first.

    Unmeasurable: no feature could be judged.

    Source:
        Share of drifted columns, "dataset drift" of other tools; expected share of false ones among
        them: Y. Benjamini and Y. Hochberg (1995), J. R. Stat. Soc. B 57(1), 289-300.
    """
    judged = len(features.beyond) + features.within
    every = judged + features.unjudged
    if not judged:
        return Unmeasurable(
            Absence.INSUFFICIENT_DATA,
            f"drift of none of {every} features could be judged",
            features.rows,
            features.reference_rows,
        )
    beyond = len(features.beyond)
    return Estimate(
        beyond / judged,
        n=features.rows,
        n_reference=features.reference_rows,
        low=beyond / every if features.unjudged else None,
        high=(beyond + features.unjudged) / every if features.unjudged else None,
        level=1.0,
        method="count of verdicts; bounds for those that are unknown",
        detail={"beyond": beyond, "judged": judged, "unjudged": features.unjudged},
        note=f"{beyond} of {judged} features" + _named(features.beyond),
    )


def _named(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f" ({', '.join(names[:_NAMED])}{more})"


MEASURE = VerdictMeasure(
    Description(
        id="drifted_share",
        family=Family.DRIFT,
        title="share of the features whose drift is beyond a limit",
        unit="1",
        unchanged=0.0,
        lower=0.0,
        upper=1.0,
        symmetric=False,
        source="Benjamini and Hochberg (1995)",
    ),
    measure,
)
