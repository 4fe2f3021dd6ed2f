"""Share of negative decisions, in each group: the other frame of the selection rate."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import ANY_LABEL, DECIDED, Harm, Rate, cells
from monitor.profile.counts import NEGATIVE

RATE = Rate(
    id="non_selection_rate",
    title="share of negative decisions",
    event="negative decisions",
    other="positive decisions",
    among="a known decision",
    numerator=cells((NEGATIVE,), ANY_LABEL),
    denominator=cells(DECIDED, ANY_LABEL),
    harm={Effect.FAVOURABLE: Harm.HIGH, Effect.HARMFUL: Harm.LOW},
    source="29 CFR 1607.4(D) (1978), of the other decision",
)
"""One less the selection rate. Its ratio is another: 90 % against 98 % chosen is a ratio of 0.92, and of
those refused five."""

MEASURES = measures_of(RATE)
