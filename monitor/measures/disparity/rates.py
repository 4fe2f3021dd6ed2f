"""Every rate of a group by its id."""

from collections.abc import Mapping

from monitor.domain.field import Effect
from monitor.measures.disparity import (
    calibration_ratio,
    error_rate,
    false_discovery_rate,
    false_negative_rate,
    false_omission_rate,
    false_positive_rate,
    group_auc,
    group_mae,
    group_mean_error,
    group_mean_score,
    negative_predictive_value,
    non_selection_rate,
    positive_predictive_value,
    scoring_rate,
    selection_rate,
    true_negative_rate,
    true_positive_rate,
)
from monitor.measures.disparity.rate import Harm, Rate

RATES: Mapping[str, Rate] = {
    module.RATE.id: module.RATE
    for module in (
        selection_rate,
        non_selection_rate,
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
"""Rates of decisions and labels, in the order of readings."""

HARM: Mapping[str, Mapping[Effect, Harm]] = {
    **{rate.id: rate.harm for rate in RATES.values()},
    scoring_rate.RATE.id: scoring_rate.RATE.harm,
    **{
        module.QUANTITY.about.id: module.QUANTITY.harm
        for module in (
            calibration_ratio,
            group_auc,
            group_mean_score,
            group_mean_error,
            group_mae,
        )
    },
}
"""Every metric that a group can be harmed by, to the side that does."""
