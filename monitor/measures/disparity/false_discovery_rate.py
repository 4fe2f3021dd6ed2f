"""Share of positive decisions with a negative label, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import LABELLED, Harm, Rate, cells
from monitor.profile.counts import NEGATIVE, POSITIVE

RATE = Rate(
    id="false_discovery_rate",
    title="share of positive decisions with a negative label",
    event="false positives",
    other="true positives",
    among="a positive decision and a known label",
    numerator=cells((POSITIVE,), (NEGATIVE,)),
    denominator=cells((POSITIVE,), LABELLED),
    harm={Effect.FAVOURABLE: Harm.EITHER, Effect.HARMFUL: Harm.HIGH},
    source="Berk et al. (2021)",
)
"""One less the positive predictive value."""

MEASURES = measures_of(RATE)
