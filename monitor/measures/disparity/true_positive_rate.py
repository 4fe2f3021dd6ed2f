"""Share of positive labels with a positive decision, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import DECIDED, Harm, Rate, cells
from monitor.profile.counts import POSITIVE

RATE = Rate(
    id="true_positive_rate",
    title="share of positive labels with a positive decision",
    event="true positives",
    other="false negatives",
    among="a positive label and a known decision",
    numerator=cells((POSITIVE,), (POSITIVE,)),
    denominator=cells(DECIDED, (POSITIVE,)),
    harm={Effect.FAVOURABLE: Harm.LOW, Effect.HARMFUL: Harm.EITHER},
    source="Hardt, Price and Srebro (2016)",
)
"""Recall, sensitivity: of those who turned out positive, how many were decided so. Where the decision
favours, a group with a low one is refused what it would have deserved."""

MEASURES = measures_of(RATE)
