"""Other names of the metrics that are compared between groups, as plain data."""

from collections.abc import Mapping

from monitor.measures.names import METRIC_NAMES

_SELECTION = ("selection_rate",)
_TPR = ("true_positive_rate",)
_FPR = ("false_positive_rate",)
_TNR = ("true_negative_rate",)
_FNR = ("false_negative_rate",)
_PPV = ("positive_predictive_value",)
_NPV = ("negative_predictive_value",)
_ODDS = _TPR + _FPR

METRIC_ALIASES: Mapping[str, tuple[str, ...]] = {
    # Rates of one group.
    "acceptance_rate": _SELECTION,
    "positive_rate": _SELECTION,
    "pprev": _SELECTION,  # Aequitas
    "rejection_rate": ("non_selection_rate",),
    "tpr": _TPR,
    "recall": _TPR,
    "sensitivity": _TPR,
    "fpr": _FPR,
    "fall_out": _FPR,
    "tnr": _TNR,
    "specificity": _TNR,
    "fnr": _FNR,
    "miss_rate": _FNR,
    "ppv": _PPV,
    "precision": _PPV,
    "npv": _NPV,
    "fdr": ("false_discovery_rate",),
    "for": ("false_omission_rate",),
    "accuracy": ("error_rate",),
    "calibration": ("calibration_ratio",),
    "calibration_oe": ("calibration_ratio",),
    "auc": ("group_auc",),
    "mean_score": ("group_mean_score",),
    "mean_prediction": ("group_mean_score",),
    "mean_error": ("group_mean_error",),
    "mae": ("group_mae",),
    # Statements about two groups, in the literature.
    "demographic_parity": _SELECTION,
    "statistical_parity": _SELECTION,
    "proportional_parity": _SELECTION,
    "disparate_impact": _SELECTION,
    "adverse_impact": _SELECTION,
    "impact_ratio": _SELECTION,
    "four_fifths": _SELECTION,
    "equal_opportunity": _TPR,
    "equalized_odds": _ODDS,
    "average_odds": _ODDS,
    "predictive_equality": _FPR,
    "predictive_parity": _PPV,
    "conditional_use_accuracy_equality": _PPV + _NPV,
    "overall_accuracy_equality": ("error_rate",),
    # Fairlearn.
    "demographic_parity_ratio": _SELECTION,
    "demographic_parity_difference": _SELECTION,
    "equal_opportunity_ratio": _TPR,
    "equal_opportunity_difference": _TPR,
    "equalized_odds_ratio": _ODDS,
    "equalized_odds_difference": _ODDS,
    # AIF360, TrustyAI.
    "spd": _SELECTION,
    "dir": _SELECTION,
    "statistical_parity_difference": _SELECTION,
    "average_odds_difference": _ODDS,
    # SageMaker Clarify, after training.
    "dppl": _SELECTION,
    "di": _SELECTION,
    "rd": _TPR,
    "sd": _TNR,
    "dar": _PPV,
    "drr": _NPV,
    "ad": ("error_rate",),
}
"""Another name, in small letters, to the ids of the metrics that it is about."""


def metrics_named(name: str) -> tuple[str, ...]:
    """Return the ids of the metrics that a name means: one, several, or none if nobody calls it so.

    Capitals do not matter, nor whether words are joined by ``-``, ``_`` or blanks.
    """
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    return (plain,) if plain in METRIC_NAMES else METRIC_ALIASES.get(plain, ())
