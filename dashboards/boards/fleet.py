"""The fleet: which models need somebody, and which are not being watched."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.boards.authority import KNOWN
from dashboards.boards.board import board, choice, filled, job, marks
from dashboards.boards.panels import (
    ALARM,
    ANY_IS_BAD,
    ANY_IS_ODD,
    RED,
    Column,
    Line,
    Panels,
    lines,
    number,
    rows,
    states,
    threshold,
)
from dashboards.boards.queries import CRITICAL, UNKNOWN, WARNING, Scope

SCOPE = Scope({"model": 'model=~"$model"'})
BY = ("model",)
OVERDUE = (
    f"(time() - {SCOPE.latest('check_last_success_timestamp_seconds')}) "
    f"> bool (2.5 * {SCOPE.latest('check_interval_seconds')})"
)
ALL = Scope()
WITHOUT_RESULT = (
    f"{ALL.latest('models')} - "
    f"(count ({ALL.latest('check_last_success_timestamp_seconds')}) or vector(0))"
)
WORST = (
    f"max by (model) (2 * {SCOPE.latest('alarm_firing', CRITICAL)} "
    f"or {SCOPE.latest('alarm_firing', WARNING)})"
)
NOT_JUDGED = SCOPE.latest("findings", UNKNOWN)
MODEL_PAGE = "/d/modelmon-model?var-model=${__value.text:percentencode}&${__url_time_range}"


def fleet() -> dashboard.Dashboard:
    """Return the dashboard of all models."""
    return filled(
        board(
            "modelmon-fleet",
            "modelmon / Fleet",
            "Every watched model: alarms, what could not be judged, and whether it is watched.",
            since="now-7d",
        ),
        (
            job(),
            choice(
                "model",
                "Model",
                'label_values(modelmon_check_runs_total{job=~"$job"}, model)',
                multi=True,
                everything=".+",
            ),
        ),
        marks(
            SCOPE,
            (
                (
                    "Baselines",
                    "baseline_registered_timestamp_seconds",
                    "{{model}}: new baseline",
                    "blue",
                ),
                (
                    "Versions",
                    "model_version_first_seen_timestamp_seconds",
                    "{{model}}: first rows of version {{model_version}}",
                    "green",
                ),
            ),
        ),
        {"Now": (*_now(), *_models()), "Over time": _over_time()},
    )


def _now() -> Panels:
    critical = SCOPE.total("alarm_firing", CRITICAL)
    warning = SCOPE.total("alarm_firing", WARNING)
    return (
        number(
            "Daemons up",
            "Daemons that Prometheus reaches. With none, every other number here is of the past.",
            f"sum (up{{{SCOPE.target}}})",
            colours=threshold((None, RED), (1, "green")),
        ),
        number(
            "Models without a result",
            "Configured models that have no run in the store, of all jobs that are chosen: what "
            "is not in the table below for want of a baseline, or of a window that has ended.",
            WITHOUT_RESULT,
            colours=ANY_IS_ODD,
        ),
        number(
            "Critical alarms",
            "Alarms that fire because a verdict is critical. No data is not the same as none.",
            critical,
            colours=ANY_IS_BAD,
        ),
        number(
            "Warnings that last",
            "Alarms that fire because enough of the last judged windows were beyond a limit.",
            warning,
            colours=ANY_IS_ODD,
        ),
        number(
            "Not judged",
            "Readings of the latest windows without a verdict: neither within a limit nor beyond it.",
            f"sum ({NOT_JUDGED})",
            colours=ANY_IS_ODD,
        ),
        number(
            "Overdue models",
            "Models whose newest result is older than two and a half times the longest time "
            "between two windows. A schedule that has ended has no next window and is not counted.",
            f"sum ({OVERDUE})",
            colours=ANY_IS_BAD,
        ),
    )


def _models() -> Panels:
    firing = "sum by (model) ({})".format
    columns = (
        Column(SCOPE.latest("model_info", by=("model", "model_owner")), "info", hidden=True),
        Column(WORST, "Alarm", mapping=ALARM),
        Column(firing(SCOPE.latest("alarm_firing", CRITICAL)), "Critical alarms"),
        Column(firing(SCOPE.latest("alarm_firing", WARNING)), "Warnings"),
        Column(firing(NOT_JUDGED), "Not judged"),
        Column(firing(SCOPE.latest("decisions_outside_authority", KNOWN)), "Outside authority"),
        Column(SCOPE.latest("features_drifted", by=BY), "Drifted features"),
        Column(SCOPE.latest("window_records"), "Records in window"),
        Column(
            f"1000 * {SCOPE.latest('window_end_timestamp_seconds')}",
            "Window ends",
            "dateTimeAsIso",
        ),
        Column(
            f"time() - {SCOPE.latest('check_last_success_timestamp_seconds')}",
            "Since last result",
            "s",
        ),
        Column(
            f"1000 * {SCOPE.latest('baseline_registered_timestamp_seconds', by=BY)}",
            "Baseline registered",
            "dateTimeAsIso",
        ),
    )
    return (
        rows(
            "Models",
            "One row a model. Its name leads to its own dashboard; "
            "`modelmon explain MODEL` lists what was judged in its latest window. "
            "An empty cell is a number that could not be had, not a zero.",
            columns,
            labels={"model": "Model", "model_owner": "Owner"},
            link=("model", "Open this model", MODEL_PAGE),
            height=10,
        ),
    )


def _over_time() -> Panels:
    return (
        states(
            "Alarms by model",
            "The worst alarm of each model. An empty stretch is one in which nothing was judged "
            "or nobody was watching.",
            WORST,
            "{{model}}",
            mapping=ALARM,
        ),
        lines(
            "Alarms firing",
            "Alarms by model, warnings and critical ones together.",
            [Line(f"sum by (model) ({SCOPE.latest('alarm_firing')})", "{{model}}")],
        ),
        lines(
            "Findings that were not judged",
            "Readings without a verdict by model: too few rows, no labels yet, a missing column.",
            [Line(f"sum by (model) ({NOT_JUDGED})", "{{model}}")],
        ),
        lines(
            "Share of features that drifted",
            "Features whose drift is a warning or critical, of all that the policy watches.",
            [
                Line(
                    f"{SCOPE.latest('features_drifted')} / {SCOPE.latest('features_monitored')}",
                    "{{model}} {{model_version}}",
                )
            ],
            unit="percentunit",
        ),
        lines(
            "Age of the data",
            "Time since the latest event of the latest window. It grows by the length of a window "
            "between two runs; beyond that the log has stopped.",
            [
                Line(
                    f"time() - {SCOPE.latest('data_last_record_timestamp_seconds')}",
                    "{{model}}",
                )
            ],
            unit="s",
        ),
    )
