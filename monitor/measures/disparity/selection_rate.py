"""Share of positive decisions, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import ANY_LABEL, DECIDED, Harm, Rate, cells
from monitor.profile.counts import POSITIVE

RATE = Rate(
    id="selection_rate",
    title="share of positive decisions",
    event="positive decisions",
    other="negative decisions",
    among="a known decision",
    numerator=cells((POSITIVE,), ANY_LABEL),
    denominator=cells(DECIDED, ANY_LABEL),
    harm={Effect.FAVOURABLE: Harm.LOW, Effect.HARMFUL: Harm.HIGH},
    source="29 CFR 1607.4(D) (1978)",
)
"""Positive prediction rate, acceptance rate: of the rows with a known decision, whatever their label."""

MEASURES = measures_of(RATE)
