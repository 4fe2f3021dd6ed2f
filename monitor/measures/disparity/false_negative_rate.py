"""Share of positive labels with a negative decision, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import DECIDED, Harm, Rate, cells
from monitor.profile.counts import NEGATIVE, POSITIVE

RATE = Rate(
    id="false_negative_rate",
    title="share of positive labels with a negative decision",
    event="false negatives",
    other="true positives",
    among="a positive label and a known decision",
    numerator=cells((NEGATIVE,), (POSITIVE,)),
    denominator=cells(DECIDED, (POSITIVE,)),
    harm={Effect.FAVOURABLE: Harm.HIGH, Effect.HARMFUL: Harm.EITHER},
    source="Chouldechova (2017)",
)
"""Miss rate: one less the true positive rate."""

MEASURES = measures_of(RATE)
