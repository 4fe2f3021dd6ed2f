"""True positive rate of each group, without labels."""

from monitor.measures.disparity import true_positive_rate
from monitor.measures.disparity.estimated import estimated_of
from monitor.measures.performance import estimated_recall

MEASURE = estimated_of(true_positive_rate.RATE, estimated_recall.formula)
