"""Positive predictive value of each group, without labels."""

from monitor.measures.disparity import positive_predictive_value
from monitor.measures.disparity.estimated import estimated_of
from monitor.measures.performance import estimated_precision

MEASURE = estimated_of(positive_predictive_value.RATE, estimated_precision.formula)
