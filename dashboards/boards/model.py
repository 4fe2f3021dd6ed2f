"""One model: what is beyond its limits, and the numbers behind it."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.boards.authority import of_authority
from dashboards.boards.board import board, choice, filled, job, marks, pages
from dashboards.boards.panels import (
    ALARM,
    ALERT,
    ANY_IS_BAD,
    ANY_IS_ODD,
    Column,
    Line,
    Panels,
    lines,
    note,
    number,
    rows,
    states,
)
from dashboards.boards.queries import CRITICAL, UNKNOWN, WARNING, WHOLE, Scope

SCOPE = Scope({"model": 'model="$model"', "model_version": 'model_version=~"$version"'})
FEATURES = Scope({**SCOPE.chosen, "feature": 'feature=~"$feature"', "method": 'method="$method"'})
CHECKS = Scope({**SCOPE.chosen, "check": 'check="$performance"'})
VERSION = "version {{model_version}}"

SUBJECT = {
    "check": "Check",
    "feature": "Feature",
    "attribute": "Population",
    "group": "Group",
    "class": "Class",
    "stratum": "Stratum",
    "reference": "Reference",
}
"""What a finding is about: label and the title of its column."""
EXPLAIN = """\
`modelmon explain $model` lists everything that was judged in the latest window, with fingerprints; \
`modelmon explain FINGERPRINT` shows one finding: its reading, its limit and who it is held against, its last \
windows, and the bins or groups that made it. The same stands on \
[the page of this model](${pages}/models/${model:percentencode}) of the daemon.
"""
PAGE = "${pages}/models/${model:percentencode}"
"""The model among the pages of the daemon."""


def of_model() -> dashboard.Dashboard:
    """Return the dashboard of one model."""
    return filled(
        board(
            "modelmon-model",
            "modelmon / Model",
            "One model: alarms, drift, output, data quality and performance against its baseline.",
            since="now-30d",
        ),
        _variables(),
        marks(
            SCOPE,
            (
                (
                    "Baselines",
                    "baseline_registered_timestamp_seconds",
                    "baseline of version {{model_version}}",
                    "blue",
                ),
                (
                    "Versions",
                    "model_version_first_seen_timestamp_seconds",
                    "first rows of version {{model_version}}",
                    "green",
                ),
                ("Results", "check_last_success_timestamp_seconds", "new result", "green"),
            ),
        ),
        {
            "Now": _now(),
            "Verdicts": _verdicts(),
            "Life of alerts": _alerts(),
            "Authority": of_authority(SCOPE),
            "Drift of features": _drift(),
            "Output and labels": _output(),
            "Data quality": _quality(),
            "Performance": _performance(),
        },
    )


def _variables() -> tuple[dashboard.QueryVariable | dashboard.TextBoxVariable, ...]:
    of = 'job=~"$job", model="$model"'
    return (
        job(),
        choice("model", "Model", 'label_values(modelmon_check_runs_total{job=~"$job"}, model)'),
        choice(
            "version",
            "Version",
            f"label_values(modelmon_model_info{{{of}}}, model_version)",
            multi=True,
            everything=".*",  # findings on the log as a whole have no version
        ),
        choice(
            "feature",
            "Feature",
            f"label_values(modelmon_feature_drift_score{{{of}}}, feature)",
            multi=True,
            everything=".+",
        ),
        choice(
            "method",
            "Drift method",
            f"label_values(modelmon_feature_drift_threshold{{{of}}}, method)",
        ),
        choice(
            "performance",
            "Performance measure",
            f"label_values(modelmon_performance_score{{{of}}}, check)",
        ),
        pages(),
    )


def _now() -> Panels:
    return (
        note("From a number to its evidence", "How to see why a verdict is what it is.", EXPLAIN),
        number(
            "Critical alarms",
            "Alarms that fire because a verdict is critical.",
            SCOPE.total("alarm_firing", CRITICAL),
            colours=ANY_IS_BAD,
        ),
        number(
            "Warnings that last",
            "Alarms that fire because enough of the last judged windows were beyond a limit.",
            SCOPE.total("alarm_firing", WARNING),
            colours=ANY_IS_ODD,
        ),
        number(
            "Not judged",
            "Readings of the latest window without a verdict.",
            SCOPE.total("findings", UNKNOWN),
            colours=ANY_IS_ODD,
        ),
        number(
            "Records in the latest window",
            "Records read, profiled or rejected.",
            SCOPE.total("window_records"),
        ),
        number(
            "Latest window ends",
            "The end of the window that everything here is about.",
            f"1000 * {SCOPE.latest('window_end_timestamp_seconds')}",
            unit="dateTimeAsIso",
        ),
        number(
            "Since the last result",
            "Time since the newest stored run ended.",
            f"time() - {SCOPE.latest('check_last_success_timestamp_seconds')}",
            unit="s",
        ),
    )


def _verdicts() -> Panels:
    reasons = "sum by (check, reason) ({})".format
    return (
        rows(
            "Alarms that fire",
            "What somebody is called for, 2 critical and 1 warning. Empty when nothing fires; the "
            "number of alarms above says `no data` when nothing was judged.",
            [
                Column(
                    f"max by (model_version, {', '.join(SUBJECT)}) (2 * "
                    f"({SCOPE.latest('alarm_firing', CRITICAL)} == 1) or "
                    f"({SCOPE.latest('alarm_firing', WARNING)} == 1))",
                    "Alarm",
                    mapping=ALARM,
                )
            ],
            labels={"model_version": "Version", **SUBJECT},
            link=("check", "Open the page of this model", PAGE),
            span=16,
        ),
        rows(
            "Why readings were not judged",
            "Readings without a verdict by measure and reason.",
            [Column(reasons(SCOPE.latest("findings_unknown")), "Readings")],
            labels={"check": "Check", "reason": "Reason"},
            span=8,
        ),
        lines(
            "Findings by verdict",
            "Everything that was judged in the latest window, and what could not be.",
            [Line(f"sum by (verdict) ({SCOPE.latest('findings')})", "{{verdict}}")],
        ),
        rows(
            "What is watched",
            "Owner, and the first digits of the digests of baseline and policy: what the verdicts "
            "rest on.",
            [Column(SCOPE.latest("model_info"), "info", hidden=True)],
            labels={
                "model_version": "Version",
                "model_owner": "Owner",
                "baseline": "Baseline",
                "policy": "Policy",
            },
            span=12,
        ),
    )


def _alerts() -> Panels:
    state, muted = SCOPE.latest("alert_state"), SCOPE.latest("alert_muted_until_timestamp_seconds")
    until = f"{state} * 0 + on (model, finding) group_left () (1000 * ({muted} > time()))"
    return (
        rows(
            "Alerts",
            "Everything that is beyond a limit, or was in the latest window: what becomes of it, since "
            "when it fires, and until when nobody is called for it. `modelmon alerts show FINDING` has "
            "its history.",
            [
                Column(state, "State", mapping=ALERT),
                Column(
                    f"1000 * {SCOPE.latest('alert_started_timestamp_seconds')}",
                    "Fires since",
                    unit="dateTimeAsIso",
                ),
                Column(until, "Muted until", unit="dateTimeAsIso"),
            ],
            labels={"finding": "Finding", "model_version": "Version", **SUBJECT},
        ),
        states(
            "Alerts over time",
            "A band for each alert: pending, firing, over. It is empty where there was none, and goes on "
            "while windows are unknown or have no rows.",
            state,
            "{{check}} {{feature}}{{attribute}} {{group}} {{class}} {{stratum}} {{reference}} "
            "{{model_version}} {{finding}}",
            mapping=ALERT,
        ),
    )


def _drift() -> Panels:
    return (
        states(
            "Verdicts on drift",
            "Against the registered baseline, by the measures that are judged.",
            Scope({**SCOPE.chosen, "feature": FEATURES.chosen["feature"]}).latest(
                "feature_drift_state", WHOLE
            ),
            "{{feature}} {{method}} {{model_version}}",
        ),
        lines(
            "Drift of $feature",
            "Distance from the baseline with its interval, and what is tolerated: the limit, or "
            "what the baseline's own windows reach where that is larger. A point above the line may "
            "still be noise: the verdict above is by test.",
            [
                Line(FEATURES.latest("feature_drift_score", WHOLE), f"$method, {VERSION}"),
                Line(
                    FEATURES.latest("feature_drift_score_lower_bound", WHOLE), "lower end", "bound"
                ),
                Line(
                    FEATURES.latest("feature_drift_score_upper_bound", WHOLE), "upper end", "bound"
                ),
                Line(
                    FEATURES.latest("feature_drift_tolerance", WHOLE),
                    "tolerated: {{severity}}",
                    "limit",
                ),
            ],
        )
        .repeat("feature")
        .repeat_direction("h")
        .max_per_row(3),
    )


def _output() -> Panels:
    pairs = (
        ("Mean score", "score_mean", "baseline_score_mean", "short"),
        (
            "Share of positive decisions",
            "decision_positive_ratio",
            "baseline_decision_positive_ratio",
            "percentunit",
        ),
        (
            "Share of positive labels",
            "label_positive_ratio",
            "baseline_label_positive_ratio",
            "percentunit",
        ),
    )
    return (
        *(
            lines(
                title,
                "In the latest window, beside the baseline. Absent where it could not be measured.",
                [
                    Line(SCOPE.latest(now), VERSION),
                    Line(SCOPE.latest(then), f"baseline of {VERSION}", "baseline"),
                ],
                unit=unit,
                span=8,
            )
            for title, now, then, unit in pairs
        ),
        states(
            "Verdicts on output and labels",
            "Drift of score, decisions and labels from the baseline.",
            SCOPE.latest("output_drift_state", WHOLE),
            "{{method}} {{model_version}}",
            span=12,
        ),
        lines(
            "Drift of output and labels",
            "Distance from the baseline by measure, and what is tolerated.",
            [
                Line(SCOPE.latest("output_drift_score", WHOLE), "{{method}} {{model_version}}"),
                Line(
                    SCOPE.latest("output_drift_tolerance", WHOLE),
                    "{{method}} tolerated: {{severity}}",
                    "limit",
                ),
            ],
        ),
    )


def _quality() -> Panels:
    return (
        states(
            "Verdicts on data quality",
            "Missing, unseen, out of range, of another type, duplicated, too many or too few.",
            SCOPE.latest("quality_state"),
            "{{check}} {{feature}}",
            height=10,
        ),
        lines(
            "Quality measures that are not at zero",
            "Measures of the latest window that found anything, by check and feature; shares "
            "and, for volumes, ratios to the baseline.",
            [Line(f"{SCOPE.latest('quality_score')} != 0", "{{check}} {{feature}}")],
        ),
        lines(
            "Records",
            "Records of the latest window: read, and left out by reason.",
            [
                Line(SCOPE.latest("window_records"), "read"),
                Line(SCOPE.latest("window_profiled_records"), f"profiled, {VERSION}"),
                Line(SCOPE.latest("window_rejected_records"), "rejected: {{reason}}"),
            ],
        ),
    )


def _performance() -> Panels:
    return (
        states(
            "Verdicts on performance",
            "By labels where they have come, and by estimates where they have not.",
            SCOPE.latest("performance_state"),
            "{{check}} {{model_version}}",
            span=24,
            height=6,
        ),
        lines(
            "AUC",
            "Area under the ROC curve of the rows with a label, beside the baseline. It is absent, not "
            "one half, while there are too few labels.",
            [
                Line(SCOPE.latest("auc"), VERSION),
                Line(SCOPE.latest("baseline_auc"), f"baseline of {VERSION}", "baseline"),
            ],
        ),
        lines(
            "$performance",
            "The chosen performance measure with its interval, and its limits where it is judged. "
            "Estimates assume that no concept drift has happened.",
            [
                Line(CHECKS.latest("performance_score"), VERSION),
                Line(CHECKS.latest("performance_score_lower_bound"), "lower end", "bound"),
                Line(CHECKS.latest("performance_score_upper_bound"), "upper end", "bound"),
                Line(CHECKS.latest("performance_threshold"), "limit: {{severity}}", "limit"),
            ],
        ),
        lines(
            "Labels by what became of them",
            "Ids, labels and rows of the latest window's join with its label table.",
            [Line(SCOPE.latest("window_labels"), "{{kind}}")],
        ),
    )
