"""Mean error of each group, of a model that gives a number."""

from functools import partial

from monitor.domain.field import Effect
from monitor.measures.applicability import has_number_label
from monitor.measures.disparity.means import MEANS, Summed, mean_of
from monitor.measures.disparity.quantity import Quantity, measures_of_quantity
from monitor.measures.disparity.rate import Harm
from monitor.measures.measure import Description, Family

QUANTITY = Quantity(
    Description(
        id="group_mean_error",
        family=Family.DISPARITY,
        title="mean error",
        unit="unit of the label",
        unchanged=None,
        lower=None,
        upper=None,
        symmetric=False,
        source="Student (1908)",
    ),
    MEANS,
    partial(mean_of, Summed("error_rows", "error", "squared", "a finite score and a label")),
    {Effect.FAVOURABLE: Harm.EITHER, Effect.HARMFUL: Harm.EITHER},
    has_number_label,
    "Welch (1947); Holm (1979)",
)
"""The mean of score less label; above 0, the number is set too high. Each side can harm."""

MEASURES = measures_of_quantity(QUANTITY)
