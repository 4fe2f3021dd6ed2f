"""Share of negative decisions with a negative label, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import LABELLED, Harm, Rate, cells
from monitor.profile.counts import NEGATIVE

RATE = Rate(
    id="negative_predictive_value",
    title="share of negative decisions with a negative label",
    event="true negatives",
    other="false negatives",
    among="a negative decision and a known label",
    numerator=cells((NEGATIVE,), (NEGATIVE,)),
    denominator=cells((NEGATIVE,), LABELLED),
    harm={Effect.FAVOURABLE: Harm.LOW, Effect.HARMFUL: Harm.EITHER},
    source="Berk et al. (2021)",
)
"""How many negative decisions were right. Where a positive one favours, a group with a low one is
often refused in error."""

MEASURES = measures_of(RATE)
