"""Every rate of a group by its id."""

from collections.abc import Mapping

from monitor.measures.disparity import (
    error_rate,
    false_discovery_rate,
    false_negative_rate,
    false_omission_rate,
    false_positive_rate,
    negative_predictive_value,
    positive_predictive_value,
    selection_rate,
    true_negative_rate,
    true_positive_rate,
)
from monitor.measures.disparity.rate import Rate

RATES: Mapping[str, Rate] = {
    module.RATE.id: module.RATE
    for module in (
        selection_rate,
        true_positive_rate,
        false_positive_rate,
        true_negative_rate,
        false_negative_rate,
        positive_predictive_value,
        negative_predictive_value,
        false_discovery_rate,
        false_omission_rate,
        error_rate,
    )
}
"""In the order of readings."""
