"""Share of negative decisions with a positive label, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import LABELLED, Harm, Rate, cells
from monitor.profile.counts import NEGATIVE, POSITIVE

RATE = Rate(
    id="false_omission_rate",
    title="share of negative decisions with a positive label",
    event="false negatives",
    other="true negatives",
    among="a negative decision and a known label",
    numerator=cells((NEGATIVE,), (POSITIVE,)),
    denominator=cells((NEGATIVE,), LABELLED),
    harm={Effect.FAVOURABLE: Harm.HIGH, Effect.HARMFUL: Harm.EITHER},
    source="Berk et al. (2021)",
)
"""One less the negative predictive value."""

MEASURES = measures_of(RATE)
