"""Share of wrong decisions, in each group."""

from monitor.domain.field import Effect
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rate import DECIDED, LABELLED, Harm, Rate, cells
from monitor.profile.counts import NEGATIVE, POSITIVE

RATE = Rate(
    id="error_rate",
    title="share of wrong decisions",
    event="wrong decisions",
    other="right decisions",
    among="a known decision and a known label",
    numerator=frozenset({(NEGATIVE, POSITIVE), (POSITIVE, NEGATIVE)}),
    denominator=cells(DECIDED, LABELLED),
    harm={Effect.FAVOURABLE: Harm.HIGH, Effect.HARMFUL: Harm.HIGH},
    source="Berk et al. (2021)",
)
"""One less the accuracy: a high one harms, whatever the decision does."""

MEASURES = measures_of(RATE)
