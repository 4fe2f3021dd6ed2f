"""Share of negative labels with a negative decision, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import DECIDED, Harm, Rate, cells
from monitor.profile.counts import NEGATIVE

RATE = Rate(
    id="true_negative_rate",
    title="share of negative labels with a negative decision",
    event="true negatives",
    other="false positives",
    among="a negative label and a known decision",
    numerator=cells((NEGATIVE,), (NEGATIVE,)),
    denominator=cells(DECIDED, (NEGATIVE,)),
    harm={Effect.FAVOURABLE: Harm.EITHER, Effect.HARMFUL: Harm.LOW},
    source="Chouldechova (2017)",
)
"""Specificity: one less the false positive rate."""

MEASURES = measures_of(RATE)
