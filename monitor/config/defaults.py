"""Every limit that holds when a model's file does not say otherwise."""

from collections.abc import Mapping

from monitor.domain.alarm import USUAL
from monitor.domain.disparity import DisparityLimits
from monitor.domain.field import Effect
from monitor.domain.limit import Band, Limit

DEFAULT_LIMITS: Mapping[str, Limit] = {
    # Above .10 a population is commonly called slightly, above .25 considerably shifted.
    "psi": Limit(warning=0.10, critical=0.25),
    # In standard deviations of a projection; for a shift of all vectors the largest of 64 projections
    # moves by about 2.5 times the shift over the vectors' spread.
    "embedding_mean": Limit(warning=0.20, critical=0.50),
    # As Fisher's z: a correlation that changes from 0 to .2, a standard deviation by a fifth.
    "embedding_covariance": Limit(warning=0.20, critical=0.50),
    # Differences of shares, in either direction: two in a hundred decisions, or ten.
    "decision_rate": Limit(warning=0.02, critical=0.10),
    "label_rate": Limit(warning=0.02, critical=0.10),
    # The same of the share of one of several classes.
    "prediction_shares": Limit(warning=0.02, critical=0.10),
    "label_shares": Limit(warning=0.02, critical=0.10),
    # Largest change of a correlation, if it is more than chance.
    "correlation_change": Limit(warning=0.10, critical=None),
    # Increases of the missing share; a broken feed loses whole columns at once.
    "missing_rate": Limit(warning=0.01, critical=0.05),
    # What of it is a column that is gone, or a type that changed: named, while the missing share
    # says how grave it is.
    "absent_rate": Limit(warning=0.01, critical=None),
    "mistyped_rate": Limit(warning=0.01, critical=None),
    # Increases of the share of rows without a decision: what is judged of them rests on the others.
    "undecided_rate": Limit(warning=0.01, critical=0.05),
    # Share of values that the baseline never held: one stray row must not alarm.
    "unseen_rate": Limit(warning=0.005, critical=0.05),
    # Share of numbers beyond the baseline's extremes, and of rows that came more than once.
    "out_of_range_rate": Limit(warning=0.01, critical=None),
    # Share of numbers that the owner calls impossible: as for values that were never there.
    "out_of_bounds_rate": Limit(warning=0.005, critical=0.05),
    "duplicate_rate": Limit(warning=0.01, critical=None),
    # One column that nobody looks at is worth a question; it harms nothing by itself.
    "extra_columns": Limit(warning=0.0, critical=None),
    # Loss of AUC against the baseline.
    "auc_drop": Limit(warning=0.02, critical=0.05),
    # Share of right classes against the baseline: where there are several there is no one AUC.
    "multiclass_accuracy_drop": Limit(warning=0.02, critical=0.05),
    # Realised AUC less the estimated one, in either direction. Wider than the loss itself: a model is
    # rarely calibrated so well that the last hundredths of an estimate mean something.
    "concept_drift": Limit(warning=0.05, critical=0.10),
    # The same of the share of right classes.
    "multiclass_concept_drift": Limit(warning=0.05, critical=0.10),
}
"""Measure id to its limit; a measure that is not here is measured and not judged by default."""

ONLY_WITH_PROBABILITIES = frozenset({"multiclass_concept_drift"})
"""Measures whose default holds only where a model logs probabilities of classes: every other policy
has the digest that it had before there was such a measure, and what was approved stays approved."""

NOT_IN_DIGEST = frozenset({"undecided_rate"})
"""Measures whose default came when policies had been approved: a limit that is this default is no part
of a policy's digest, and what was approved stays approved. They are not
changed: two limits would have one digest."""

UNJUDGED = Limit(warning=None, critical=None)
"""What a measure without a default limit starts from when a file gives it one."""

DEFAULT_BAND = Band()
"""Four-fifths benchmark, one percentage point at least, five per cent family-wise error."""

DEFAULT_METRIC = "selection_rate"
"""What is compared between groups, whatever the decision does."""

DEFAULT_ERROR: Mapping[Effect, str] = {
    Effect.FAVOURABLE: "true_positive_rate",
    Effect.HARMFUL: "false_positive_rate",
}
"""And, where there are labels: who deserved a favour and got it, who was harmed without cause."""
EITHER = "either"
"""What being given a class does where nobody has said: each side may harm."""

DEFAULT_DISPARITY = DisparityLimits()
"""A tenth of change, four weeks for small groups, two judged windows one after the other."""

DEFAULT_FALSE_DISCOVERY_RATE = 0.05
"""Of the fields found beyond a limit, one in twenty may be so by chance."""

DEFAULT_SUPPRESS_BELOW = 10
"""Published tables of people are commonly kept from counts below 5 to 30; ten is between them."""

DEFAULT_ALARMS = USUAL
"""A warning in two of the last three judged windows calls; a critical finding at once."""

DEFAULT_LABEL_COVERAGE = 0.9
"""Labels that arrive first may be of another kind than the rest: nine in ten make a window."""

MOST_WINDOWS = 1000
"""Windows that a reference may be the sum of: each is read from the store for every run."""

DEFAULT_SLICES = 20
"""Each is a profile of its own in every window, and a row for each field that is judged."""

MOST_PAIRS = 10
"""Each costs as much as a segment that is declared; five columns have as many."""

MOST_SLICES = 100
"""Beyond that nobody looks at them one by one."""

MOST_CLASSES = 100
"""Each class has a row and a column in the table of every population's groups."""

MOST_AGAINST_REST = 20
"""Each class that is held against the rest has as many numbers as a decision."""

REOPENED_WINDOWS = 7
"""Files may be a week late for daily windows, and as many windows for others."""
