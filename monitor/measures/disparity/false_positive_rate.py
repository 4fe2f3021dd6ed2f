"""Share of negative labels with a positive decision, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import DECIDED, Harm, Rate, cells
from monitor.profile.counts import NEGATIVE, POSITIVE

RATE = Rate(
    id="false_positive_rate",
    title="share of negative labels with a positive decision",
    event="false positives",
    other="true negatives",
    among="a negative label and a known decision",
    numerator=cells((POSITIVE,), (NEGATIVE,)),
    denominator=cells(DECIDED, (NEGATIVE,)),
    harm={Effect.FAVOURABLE: Harm.EITHER, Effect.HARMFUL: Harm.HIGH},
    source="Hardt, Price and Srebro (2016)",
)
"""Of those who turned out negative, how many were decided positive. Where the decision harms, a group
with a high one is flagged without cause."""

MEASURES = measures_of(RATE)
