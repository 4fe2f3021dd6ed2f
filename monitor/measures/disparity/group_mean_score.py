"""Mean score of each group."""

from functools import partial

from monitor.domain.field import Effect
from monitor.measures.applicability import has_score
from monitor.measures.disparity.means import MEANS, Summed, mean_of
from monitor.measures.disparity.quantity import Quantity, measures_of_quantity
from monitor.measures.disparity.rate import Harm
from monitor.measures.measure import Description, Family

QUANTITY = Quantity(
    Description(
        id="group_mean_score",
        family=Family.DISPARITY,
        title="mean score",
        unit="unit of the score",
        unchanged=None,
        lower=None,
        upper=None,
        symmetric=False,
        source="Student (1908)",
    ),
    MEANS,
    partial(mean_of, Summed("rows", "score", "score_squared", "a finite score", center=True)),
    {Effect.FAVOURABLE: Harm.LOW, Effect.HARMFUL: Harm.HIGH},
    has_score,
    "Welch (1947); Holm (1979)",
)
"""The mean of the finite scores, in the score's own unit. High scores are taken to lead to positive
decisions."""

MEASURES = measures_of_quantity(QUANTITY)
