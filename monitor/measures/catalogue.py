"""Every measure, one line each, in the order of readings."""

from monitor.measures.disparity import (
    group_label_coverage,
    selection_rate,
    selection_rate_difference,
    selection_rate_ratio,
    selection_rate_ratio_change,
)
from monitor.measures.drift import (
    correlation_change,
    cramers_v,
    decision_rate,
    hellinger,
    js_distance,
    ks,
    l_infinity,
    label_rate,
    psi,
    reconstruction_error,
    score_mean,
    wasserstein,
)
from monitor.measures.measure import Measure
from monitor.measures.performance import auc_drop
from monitor.measures.quality import (
    absent_rate,
    duplicate_rate,
    freshness,
    label_coverage,
    missing_rate,
    mistyped_rate,
    out_of_range_rate,
    rows,
    unseen_rate,
)

CATALOGUE: tuple[Measure, ...] = (
    psi.MEASURE,
    js_distance.MEASURE,
    ks.MEASURE,
    wasserstein.MEASURE,
    hellinger.MEASURE,
    l_infinity.MEASURE,
    cramers_v.MEASURE,
    score_mean.MEASURE,
    decision_rate.MEASURE,
    label_rate.MEASURE,
    correlation_change.MEASURE,
    reconstruction_error.MEASURE,
    missing_rate.MEASURE,
    absent_rate.MEASURE,
    mistyped_rate.MEASURE,
    unseen_rate.MEASURE,
    out_of_range_rate.MEASURE,
    duplicate_rate.MEASURE,
    rows.MEASURE,
    freshness.MEASURE,
    label_coverage.MEASURE,
    auc_drop.MEASURE,
    selection_rate.MEASURE,
    selection_rate_ratio.MEASURE,
    selection_rate_difference.MEASURE,
    selection_rate_ratio_change.MEASURE,
    group_label_coverage.MEASURE,
)
