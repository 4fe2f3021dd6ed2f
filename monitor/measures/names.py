"""Names of all measures, as plain data: configuration is checked without loading statistics."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Need = Literal["score", "decision", "classes", "number", "several", "probabilities"]
"""A score, a decision, a label of two classes, a label that is a number, one of several classes, and
the probabilities of these."""


class MeasureName(Struct, frozen=True):
    """A measure as configuration sees it.

    Attributes:
        family: Section of ``limits`` it belongs to.
        subject: What one reading of it is about; only a measure of fields or of embeddings can have
            another limit for some of them.
        floor: Whether a low value is the bad one, so that its limits are floors.
        labels: Whether it rests on labels: it is not judged before enough of them have arrived.
        together: Whether it is about how fields move together: it is tested apart from the model's
            own output.
        needs: What a model must have, so that there is anything to judge.
        metric: Of groups, the metric that it is measured for, if the policy lists it; "" for
            always.
    """

    family: Literal["drift", "quality", "performance", "disparity"]
    subject: Literal["field", "embedding", "model", "group"]
    floor: bool = False
    labels: bool = False
    together: bool = False
    needs: tuple[Need, ...] = ()
    metric: str = ""


_DRIFT_OF_FIELD = MeasureName("drift", "field")
_DRIFT_OF_EMBEDDING = MeasureName("drift", "embedding")
_DRIFT_OF_MODEL = MeasureName("drift", "model")
_DRIFT_TOGETHER = MeasureName("drift", "model", together=True)
_QUALITY_OF_FIELD = MeasureName("quality", "field")
_OF_SCORES = MeasureName("performance", "model", labels=True, needs=("score", "classes"))
_OF_DECISIONS = replace(_OF_SCORES, needs=("decision", "classes"))
_OF_NUMBERS = replace(_OF_SCORES, needs=("number",))
_OF_CLASSES = replace(_OF_SCORES, needs=("several",))
_OF_PROBABILITIES = replace(_OF_SCORES, needs=("several", "probabilities"))
_ESTIMATED = MeasureName("performance", "model", floor=True, needs=("score", "decision", "classes"))
_ESTIMATED_OF_CLASSES = replace(_ESTIMATED, needs=("several", "probabilities"))
_OF_GROUPS = MeasureName("disparity", "group")
_DISPARITY = replace(_OF_GROUPS, needs=("decision",))
_ERRORS_OF_GROUPS = replace(_DISPARITY, labels=True, needs=("decision", "classes"))
_SCORES_OF_GROUPS = replace(_OF_GROUPS, labels=True, needs=("score", "classes"))
_NUMBERS_OF_GROUPS = replace(_OF_GROUPS, labels=True, needs=("score", "number"))

_ESTIMATED_OF_GROUPS = replace(_OF_GROUPS, needs=("score", "decision", "classes"))

METRIC_NAMES: Mapping[str, MeasureName] = {
    "selection_rate": _DISPARITY,
    "non_selection_rate": _DISPARITY,
    "true_positive_rate": _ERRORS_OF_GROUPS,
    "false_positive_rate": _ERRORS_OF_GROUPS,
    "true_negative_rate": _ERRORS_OF_GROUPS,
    "false_negative_rate": _ERRORS_OF_GROUPS,
    "positive_predictive_value": _ERRORS_OF_GROUPS,
    "negative_predictive_value": _ERRORS_OF_GROUPS,
    "false_discovery_rate": _ERRORS_OF_GROUPS,
    "false_omission_rate": _ERRORS_OF_GROUPS,
    "error_rate": _ERRORS_OF_GROUPS,
    "scoring_rate": replace(_OF_GROUPS, needs=("score",)),
    "calibration_ratio": _SCORES_OF_GROUPS,
    "group_auc": _SCORES_OF_GROUPS,
    "group_mean_score": replace(_OF_GROUPS, needs=("score",)),
    "group_mean_error": _NUMBERS_OF_GROUPS,
    "group_mae": _NUMBERS_OF_GROUPS,
    "representation": _OF_GROUPS,
    "unknown_share": _OF_GROUPS,
}
"""What can be compared between groups, by the id that the names of its measures begin with."""

OF_A_RATE = "", "_ratio", "_difference", "_ratio_change"
"""What is appended to a rate's id: its level in each group, and its measures of two groups."""

MEASURED_AS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(METRIC_NAMES, OF_A_RATE),
    "calibration_ratio": ("", "_ratio"),
    "group_auc": ("", "_difference"),
    "group_mean_score": ("", "_difference"),
    "group_mean_error": ("", "_difference"),
    "group_mae": ("", "_difference"),
    "representation": ("", "_difference"),
    "unknown_share": ("", "_difference"),
}
"""Metric to what is appended to its id in the names of its measures."""

WITHIN_STRATA: Mapping[str, tuple[str, ...]] = {
    metric: ("_conditional_difference", "_conditional_ratio")
    for metric, suffixes in MEASURED_AS.items()
    if suffixes == OF_A_RATE and "decision" in METRIC_NAMES[metric].needs
}
"""And in those of two groups within the strata of each factor that the policy declares."""

ESTIMATED_OF_GROUPS = (
    "estimated_true_positive_rate",
    "estimated_false_positive_rate",
    "estimated_positive_predictive_value",
    "estimated_error_rate",
)
"""Rates of groups before labels are there; they are shown, and not judged."""

MEASURE_NAMES: Mapping[str, MeasureName] = {
    "psi": _DRIFT_OF_FIELD,
    "js_distance": _DRIFT_OF_FIELD,
    "ks": _DRIFT_OF_FIELD,
    "wasserstein": _DRIFT_OF_FIELD,
    "hellinger": _DRIFT_OF_FIELD,
    "l_infinity": _DRIFT_OF_FIELD,
    "cramers_v": _DRIFT_OF_FIELD,
    "embedding_mean": _DRIFT_OF_EMBEDDING,
    "embedding_covariance": _DRIFT_OF_EMBEDDING,
    "decision_rate": _DRIFT_OF_MODEL,
    "label_rate": MeasureName("drift", "model", labels=True),
    "prediction_shares": _DRIFT_OF_MODEL,
    "label_shares": MeasureName("drift", "model", labels=True),
    "score_mean": _DRIFT_OF_MODEL,
    "correlation_change": _DRIFT_TOGETHER,
    "reconstruction_error": _DRIFT_TOGETHER,
    "drifted_share": _DRIFT_OF_MODEL,
    "missing_rate": _QUALITY_OF_FIELD,
    "absent_rate": _QUALITY_OF_FIELD,
    "mistyped_rate": _QUALITY_OF_FIELD,
    "unseen_rate": _QUALITY_OF_FIELD,
    "out_of_range_rate": _QUALITY_OF_FIELD,
    "out_of_bounds_rate": _QUALITY_OF_FIELD,
    "undecided_rate": MeasureName("quality", "model"),
    "duplicate_rate": MeasureName("quality", "model"),
    "extra_columns": MeasureName("quality", "model"),
    "rows": MeasureName("quality", "model"),
    "freshness": MeasureName("quality", "model"),
    "label_coverage": MeasureName("quality", "model", floor=True),
    "auc": replace(_OF_SCORES, floor=True),
    "auc_drop": _OF_SCORES,
    "average_precision": replace(_OF_SCORES, floor=True),
    "average_precision_drop": _OF_SCORES,
    "log_loss": _OF_SCORES,
    "log_loss_rise": _OF_SCORES,
    "brier": _OF_SCORES,
    "brier_rise": _OF_SCORES,
    "calibration_error": _OF_SCORES,
    "calibration_error_rise": _OF_SCORES,
    "accuracy": replace(_OF_DECISIONS, floor=True),
    "accuracy_drop": _OF_DECISIONS,
    "f1": replace(_OF_DECISIONS, floor=True),
    "f1_drop": _OF_DECISIONS,
    "precision": replace(_OF_DECISIONS, floor=True),
    "precision_drop": _OF_DECISIONS,
    "recall": replace(_OF_DECISIONS, floor=True),
    "recall_drop": _OF_DECISIONS,
    "multiclass_accuracy": replace(_OF_CLASSES, floor=True),
    "multiclass_accuracy_drop": _OF_CLASSES,
    "macro_f1": replace(_OF_CLASSES, floor=True),
    "macro_f1_drop": _OF_CLASSES,
    "weighted_f1": replace(_OF_CLASSES, floor=True),
    "weighted_f1_drop": _OF_CLASSES,
    "macro_precision": replace(_OF_CLASSES, floor=True),
    "macro_precision_drop": _OF_CLASSES,
    "macro_recall": replace(_OF_CLASSES, floor=True),
    "macro_recall_drop": _OF_CLASSES,
    "class_precision": replace(_OF_CLASSES, floor=True),
    "class_precision_drop": _OF_CLASSES,
    "class_recall": replace(_OF_CLASSES, floor=True),
    "class_recall_drop": _OF_CLASSES,
    "multiclass_log_loss": _OF_PROBABILITIES,
    "multiclass_log_loss_rise": _OF_PROBABILITIES,
    "multiclass_brier": _OF_PROBABILITIES,
    "multiclass_brier_rise": _OF_PROBABILITIES,
    "macro_auc": replace(_OF_PROBABILITIES, floor=True),
    "macro_auc_drop": _OF_PROBABILITIES,
    "mae": _OF_NUMBERS,
    "mae_rise": _OF_NUMBERS,
    "rmse": _OF_NUMBERS,
    "rmse_rise": _OF_NUMBERS,
    "mean_error": _OF_NUMBERS,
    "mean_error_change": _OF_NUMBERS,
    "estimated_auc": replace(_ESTIMATED, needs=("score", "classes")),
    "estimated_accuracy": _ESTIMATED,
    "estimated_f1": _ESTIMATED,
    "estimated_precision": _ESTIMATED,
    "estimated_recall": _ESTIMATED,
    "estimated_multiclass_accuracy": _ESTIMATED_OF_CLASSES,
    "estimated_macro_f1": _ESTIMATED_OF_CLASSES,
    "estimated_macro_precision": _ESTIMATED_OF_CLASSES,
    "estimated_macro_recall": _ESTIMATED_OF_CLASSES,
    "estimated_macro_auc": _ESTIMATED_OF_CLASSES,
    "auc_delay_adjusted": replace(_ESTIMATED, needs=("score", "classes")),
    "accuracy_delay_adjusted": _ESTIMATED,
    "f1_delay_adjusted": _ESTIMATED,
    "precision_delay_adjusted": _ESTIMATED,
    "recall_delay_adjusted": _ESTIMATED,
    "multiclass_accuracy_delay_adjusted": _ESTIMATED_OF_CLASSES,
    "concept_drift": _OF_SCORES,
    "label_rate_gap": _OF_SCORES,
    "multiclass_concept_drift": _OF_PROBABILITIES,
    "label_shares_gap": _OF_PROBABILITIES,
    **{
        f"{metric}{suffix}": replace(name, metric=metric)
        for metric, name in METRIC_NAMES.items()
        for suffix in MEASURED_AS[metric]
    },
    **dict.fromkeys(ESTIMATED_OF_GROUPS, _ESTIMATED_OF_GROUPS),
    "group_label_coverage": MeasureName("disparity", "group", needs=("classes",)),
    **{
        f"{metric}{suffix}": replace(name, metric=metric)
        for metric, name in METRIC_NAMES.items()
        for suffix in WITHIN_STRATA.get(metric, ())
    },
}
"""Id to family and subject, one for each entry of the catalogue."""
