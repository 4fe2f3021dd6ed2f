"""Every metric of modelmon: one line each, from which page, reference and tests are made.

States follow one scheme. ``modelmon_finding_state`` has one series for each verdict, 1 for the one
that holds; ``unknown`` is one of its own. The ``*_state`` gauges hold 0 (ok), 1 (warning) or 2
(critical). They are absent while it is unknown, as is what could not be measured: never NaN or 0.
"""

from monitor.exposition.alert_catalogue import ALERTS, FOUND
from monitor.exposition.auditing import AUDIT
from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part
from monitor.exposition.gating import GATING
from monitor.exposition.leading import LEADING
from monitor.exposition.process_catalogue import PROCESS
from monitor.exposition.registry import REGISTRY
from monitor.exposition.standing_catalogue import STANDINGS

_MODEL = ("model",)
_VERSION = ("model", "model_version")
_OF_CONDITION = (*_VERSION, "condition")
_FEATURE = ("model", "model_version", "feature", "method", "reference")
_OUTPUT = ("model", "model_version", "method", "reference")
_QUALITY = ("model", "model_version", "feature", "check")
_PERFORMANCE = ("model", "model_version", "check")
_GROUP = ("model", "model_version", "attribute", "group")
_RATE = (*_GROUP, "class")
_DISPARITY = (*_RATE, "check")
_WITHIN = (*_DISPARITY, "stratum")
_CHANGE = (*_DISPARITY, "reference")
_BAND = ("model", "model_version", "attribute", "class", "check", "stratum", "bound", "severity")
_FINDING = (*FOUND, "verdict")

_STATE = "0 ok, 1 warning, 2 critical; absent while the verdict is unknown."
_LOWER = "Lower end of the interval of"
_UPPER = "Upper end of the interval of"


def _result(
    name: str, meaning: str, unit: str, labels: tuple[str, ...], *, empty: bool = False
) -> MetricFamily:
    return MetricFamily(PREFIX + name, Kind.GAUGE, meaning, unit, labels, Part.RESULTS, empty)


def _bounded(
    name: str, meaning: str, labels: tuple[str, ...], unit: str = "ratio"
) -> tuple[MetricFamily, ...]:
    """Return a number and the two ends of its interval."""
    return (
        _result(name, meaning, unit, labels),
        _result(f"{name}_lower_bound", f"{_LOWER} {name}.", unit, labels),
        _result(f"{name}_upper_bound", f"{_UPPER} {name}.", unit, labels),
    )


def _result_counter(name: str, meaning: str, unit: str, labels: tuple[str, ...]) -> MetricFamily:
    return MetricFamily(PREFIX + name, Kind.COUNTER, meaning, unit, labels, Part.RESULTS)


def _judged(
    stem: str, score: str, what: str, unit: str, labels: tuple[str, ...]
) -> tuple[MetricFamily, ...]:
    """Return a score with the ends of its interval, its limits and its state."""
    limits = "Statistical rules decide whether a score is beyond it: alert on the state."
    return (
        _result(score, f"{what} in the latest window.", unit, labels),
        _result(f"{score}_lower_bound", f"{_LOWER} {score}.", unit, labels),
        _result(f"{score}_upper_bound", f"{_UPPER} {score}.", unit, labels),
        _result(
            f"{stem}_threshold",
            f"Limit of {score} by severity. {limits}",
            unit,
            (*labels, "severity"),
        ),
        _result(f"{stem}_state", f"Verdict on {score}: {_STATE}", "state", labels),
    )


_MODELS = (
    _result(
        "build_info", "Version of the code that rendered the results.", "1", ("version", "revision")
    ),
    _result("models", "Configured models.", "models", ()),
    _result(
        "store_size_bytes",
        "Room that the store took on its disk when results were last exported.",
        "bytes",
        (),
    ),
    _result("store_windows", "Windows of which the store has a result.", "windows", _MODEL),
    _result(
        "store_oldest_window_timestamp_seconds",
        "Start of the oldest window with a stored result; absent before the first run.",
        "seconds",
        _MODEL,
    ),
    _result(
        "model_info",
        "A watched model version, its owner and the first 12 digits of its baseline's and its policy's digest;"
        " how much harm it can do, and whether every question of governance is answered.",
        "1",
        ("model", "model_version", "model_owner", "baseline", "policy", "tier", "governed"),
    ),
    _result(
        "policy_pending",
        "1 while the model's file is looser than the policy in force, and waits for its approvals; else 0.",
        "1",
        _MODEL,
    ),
    _result(
        "policy_incomplete",
        "1 where the policy leaves out an answer without which no version may act, and 0 where it gives it.",
        "1",
        ("model", "answer"),
    ),
    _result(
        "baseline_registered_timestamp_seconds",
        "When the current baseline was registered.",
        "seconds",
        _VERSION,
    ),
    _result(
        "model_version_first_seen_timestamp_seconds",
        "Start of the first stored window with rows of the version; absent before there is one.",
        "seconds",
        _VERSION,
    ),
    _result("baseline_records", "Records in the current baseline.", "records", _VERSION),
    _result(
        "decisions_outside_authority",
        "Decisions of the latest window that the version was not allowed to make, by why; of"
        " undecided and unrecorded ones as many as there can be at most.",
        "decisions",
        ("model", "model_version", "reason"),
        empty=True,
    ),
    _result(
        "decisions_outside_condition",
        "Decisions of the latest window beyond a condition of the permits of their time; of"
        " human_review_share, how many more a person should have looked at.",
        "decisions",
        _OF_CONDITION,
        empty=True,
    ),
    _result(
        "decisions_condition_unknown",
        "Decisions of the latest window of which the log does not say whether they kept to a"
        " condition.",
        "decisions",
        _OF_CONDITION,
        empty=True,
    ),
)

_RUNS = (
    _result_counter(
        "check_runs_total", "Runs that ended, with rows, without, or in failure.", "runs", _MODEL
    ),
    _result_counter(
        "check_run_failures_total",
        "Runs that ended in failure, by error class.",
        "runs",
        ("model", "reason"),
    ),
    _result(
        "check_last_success_timestamp_seconds",
        "When the newest stored run ended.",
        "seconds",
        _MODEL,
    ),
    _result(
        "check_last_duration_seconds", "How long the newest stored run took.", "seconds", _MODEL
    ),
    _result(
        "check_interval_seconds",
        "Longest time between two windows; absent once the schedule has no further window.",
        "seconds",
        _MODEL,
    ),
)

_WINDOW = (
    _result("window_start_timestamp_seconds", "Start of the latest window.", "seconds", _MODEL),
    _result("window_end_timestamp_seconds", "End of the latest window.", "seconds", _MODEL),
    _result(
        "window_revision",
        "How often the latest window has been computed on other inputs.",
        "revisions",
        _MODEL,
    ),
    _result(
        "window_state",
        "How the run of the latest window ended: 1 for the state that holds.",
        "state",
        ("model", "state"),
    ),
    _result(
        "window_records",
        "Records read in the latest window, profiled or rejected.",
        "records",
        _MODEL,
    ),
    _result(
        "window_profiled_records", "Records profiled in the latest window.", "records", _VERSION
    ),
    _result(
        "window_rejected_records",
        "Records read in the latest window and not profiled, by reason.",
        "records",
        ("model", "reason"),
    ),
    _result(
        "window_invalid_values",
        "Values of the latest window that are not of their column's kind, by column.",
        "values",
        ("model", "column"),
        empty=True,
    ),
    _result(
        "window_schema_changes",
        "Columns of the latest window's files that differ from those the baseline rests on, by kind.",
        "columns",
        ("model", "kind"),
    ),
    _result(
        "window_read_columns_changed",
        "Files of the latest window in which a column that the policy reads is not as in the baseline's, by column and kind.",
        "files",
        ("model", "column", "kind"),
        empty=True,
    ),
    _result("window_files", "Log and label files behind the latest window.", "files", _MODEL),
    _result(
        "window_files_unreadable",
        "Files of the latest window that had to be left out.",
        "files",
        _MODEL,
    ),
    _result(
        "window_labels",
        "Ids, labels and rows of the latest window's join with its label table, by kind; unmapped are rows whose label the policy does not explain.",
        "labels",
        ("model", "kind"),
    ),
    _result(
        "window_memberships",
        "Ids and rows of the latest window's join with the table of protected attributes, by its column and kind; labelled are ids that it has a value of.",
        "ids",
        ("model", "column", "kind"),
    ),
    _result(
        "files_quarantined",
        "Files of the log and its labels that cannot be used now, by reason; dropped is that of"
        " files that a person decided never to try again.",
        "files",
        ("model", "reason"),
        empty=True,
    ),
    _result(
        "files_quarantined_oldest_timestamp_seconds",
        "When the file was quarantined that has waited longest to become whole; absent when no"
        " file waits.",
        "seconds",
        _MODEL,
        empty=True,
    ),
    _result_counter(
        "file_quarantines_total",
        "Times that a file was quarantined; one that breaks again counts again.",
        "files",
        _MODEL,
    ),
    _result(
        "data_last_record_timestamp_seconds",
        "Latest event time in the latest window; absent without records.",
        "seconds",
        _MODEL,
    ),
)


def _tolerance(stem: str, score: str, labels: tuple[str, ...]) -> MetricFamily:
    return _result(
        f"{stem}_tolerance",
        f"Tolerated {score} by severity: the limit, or what the baseline's own windows reach"
        " where that is larger; absent for a score that is not tested.",
        "by method" if "method" in labels else "by check",
        (*labels, "severity"),
    )


_DRIFT = (
    *_judged(
        "feature_drift",
        "feature_drift_score",
        "Drift of a feature from its baseline or, where one is named, from a reference",
        "by method",
        _FEATURE,
    ),
    _tolerance("feature_drift", "feature_drift_score", _FEATURE),
    _result(
        "features_monitored",
        "Fields that the policy watches, the score and the parts of times and texts included.",
        "features",
        _VERSION,
    ),
    _result(
        "features_drifted",
        "Features whose drift is a warning or critical; absent when no feature could be judged.",
        "features",
        _VERSION,
    ),
    _result(
        "features_insufficient_data",
        "Features without a verdict on their drift in the latest window: neither drifted nor well; "
        "those that the policy never judges are left out.",
        "features",
        _VERSION,
    ),
    *_judged(
        "output_drift",
        "output_drift_score",
        "Drift of the model's output or labels from the baseline or, where one is named, a reference",
        "by method",
        _OUTPUT,
    ),
    _tolerance("output_drift", "output_drift_score", _OUTPUT),
    _result("score_mean", "Mean score in the latest window.", "score", _VERSION),
    _result("baseline_score_mean", "Mean score in the baseline.", "score", _VERSION),
    _result(
        "decision_positive_ratio",
        "Share of positive decisions in the latest window.",
        "ratio",
        _VERSION,
    ),
    _result(
        "baseline_decision_positive_ratio",
        "Share of positive decisions in the baseline.",
        "ratio",
        _VERSION,
    ),
    _result(
        "label_positive_ratio", "Share of positive labels in the latest window.", "ratio", _VERSION
    ),
    _result(
        "baseline_label_positive_ratio",
        "Share of positive labels in the baseline.",
        "ratio",
        _VERSION,
    ),
)

_QUALITY_AND_PERFORMANCE = (
    *_judged("quality", "quality_score", "A data quality measure", "by check", _QUALITY),
    _tolerance("quality", "quality_score", _QUALITY),
    *_judged("performance", "performance_score", "A performance measure", "by check", _PERFORMANCE),
    _result("auc", "Area under the ROC curve in the latest window.", "probability", _VERSION),
    _result("baseline_auc", "Area under the ROC curve in the baseline.", "probability", _VERSION),
)

_DISPARITIES = (
    _result(
        "population_reference_info",
        "What the groups of a population are held against.",
        "1",
        ("model", "model_version", "attribute", "reference_group"),
    ),
    _result(
        "suppressed_groups",
        "Groups of a population whose counts, and what would give them away, are not on this page;"
        " their verdicts are.",
        "groups",
        ("model", "model_version", "attribute"),
    ),
    _result("group_records", "Records of a group in the latest window.", "records", _GROUP),
    *_bounded(
        "group_outcome_ratio",
        "Share of positive decisions in a group in the latest window; with class, of rows of the class.",
        _RATE,
    ),
    *_bounded(
        "group_level",
        "Any other metric of a group, or of a population, that the policy lists, in the latest window; "
        "check estimated_…: estimated assuming no concept drift.",
        _DISPARITY,
        "by check",
    ),
    *_bounded(
        "group_label_coverage_ratio",
        "Share of rows of a group in the latest window that have a label.",
        _GROUP,
    ),
    *_bounded("disparity_ratio", "Metric of a group over that of its reference group.", _WITHIN),
    *_bounded(
        "disparity_difference",
        "Metric of a group minus that of its reference group; of shares of rows, minus the baseline's.",
        _WITHIN,
        "by check",
    ),
    *_bounded("disparity_ratio_change", "Change of disparity_ratio since the baseline.", _CHANGE),
    _result(
        "disparity_threshold",
        "Limits of the disparity that a check measures: the band's low and high bound, or by severity."
        " Statistical rules decide within them: alert on the state.",
        "by check",
        _BAND,
    ),
    _result("disparity_state", f"Verdict on a disparity: {_STATE}", "state", _WITHIN),
)

_FINDINGS = (
    _result(
        "finding_state",
        "Verdict on everything that was judged: 1 for the verdict that holds, 0 for the others.",
        "state",
        _FINDING,
    ),
    _result(
        "findings",
        "Judged readings by verdict.",
        "findings",
        ("model", "model_version", "check", "reference", "verdict"),
    ),
    _result(
        "findings_unknown",
        "Readings that could not be judged, by reason.",
        "findings",
        ("model", "model_version", "check", "reference", "reason"),
        empty=True,
    ),
    _result(
        "segment_findings",
        "Judged readings of a slice of a segment by verdict; of fields and output together.",
        "findings",
        ("model", "model_version", "segment", "segment_value", "verdict"),
        empty=True,
    ),
    _result(
        "series",
        "Series that the results of a model take, these that count them included.",
        "series",
        _MODEL,
    ),
    _result(
        "series_limit",
        "Series that the results of a model may take: metrics.max_series_per_model.",
        "series",
        _MODEL,
    ),
    _result(
        "series_dropped",
        "Series of a model that are not on the page, by reason: limit is beyond series_limit, the worst stay;"
        " unplaced are readings of an unknown measure, and series named like another one.",
        "series",
        ("model", "reason"),
    ),
)

CATALOGUE: tuple[MetricFamily, ...] = (
    *_MODELS,
    *_RUNS,
    *_WINDOW,
    *_DRIFT,
    *_QUALITY_AND_PERFORMANCE,
    *_DISPARITIES,
    *_FINDINGS,
    *ALERTS,
    *PROCESS,
    *LEADING,
    *REGISTRY,
    *GATING,
    *AUDIT,
    *STANDINGS,
)
