"""Share of positive decisions with a positive label, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import LABELLED, Harm, Rate, cells
from monitor.profile.counts import POSITIVE

RATE = Rate(
    id="positive_predictive_value",
    title="share of positive decisions with a positive label",
    event="true positives",
    other="false positives",
    among="a positive decision and a known label",
    numerator=cells((POSITIVE,), (POSITIVE,)),
    denominator=cells((POSITIVE,), LABELLED),
    harm={Effect.FAVOURABLE: Harm.EITHER, Effect.HARMFUL: Harm.LOW},
    source="Chouldechova (2017)",
)
"""Precision: how many positive decisions were right. Where the decision favours, a high one may mean
that the group was held to a higher bar, a low one that it was served badly."""

MEASURES = measures_of(RATE)
