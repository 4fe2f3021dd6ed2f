"""Mean absolute error of each group, of a model that gives a number."""

from functools import partial

from monitor.domain.field import Effect
from monitor.measures.applicability import has_number_label
from monitor.measures.disparity.means import MEANS, Summed, mean_of
from monitor.measures.disparity.quantity import Quantity, measures_of_quantity
from monitor.measures.disparity.rate import Harm
from monitor.measures.measure import Description, Family

QUANTITY = Quantity(
    Description(
        id="group_mae",
        family=Family.DISPARITY,
        title="mean absolute error",
        unit="unit of the label",
        unchanged=None,
        lower=0.0,
        upper=None,
        symmetric=False,
        source="Student (1908)",
    ),
    MEANS,
    partial(mean_of, Summed("error_rows", "absolute", "squared", "a finite score and a label")),
    {Effect.FAVOURABLE: Harm.HIGH, Effect.HARMFUL: Harm.HIGH},
    has_number_label,
    "Welch (1947); Holm (1979)",
)
"""The mean size of score less label."""

MEASURES = measures_of_quantity(QUANTITY)
