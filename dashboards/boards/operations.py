"""Operations: whether the daemon does its work, and what it could not read."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.boards.board import board, filled, instance, job, marks
from dashboards.boards.panels import (
    ANY_IS_BAD,
    ANY_IS_ODD,
    GREEN,
    LEADS,
    RED,
    YES_IS_GOOD,
    Column,
    Line,
    Panels,
    lines,
    number,
    rows,
    states,
    threshold,
)
from dashboards.boards.queries import RATE, Scope

SCOPE = Scope(instance=True)
EACH = "{{instance}}"
OF_MODEL = "{{model}} {{instance}}"


def operations() -> dashboard.Dashboard:
    """Return the dashboard of the daemons."""
    return filled(
        board(
            "modelmon-operations",
            "modelmon / Operations",
            "The daemons: alive, on time, reading every file, and within their budget.",
            since="now-24h",
        ),
        (job(), instance()),
        marks(
            SCOPE,
            (
                (
                    "Configuration",
                    "config_last_reload_success_timestamp_seconds",
                    "{{instance}}: configuration loaded",
                    "purple",
                ),
                (
                    "Baselines",
                    "baseline_registered_timestamp_seconds",
                    "{{model}}: new baseline",
                    "blue",
                ),
            ),
        ),
        {
            "Alive": _alive(),
            "Replicas": _replicas(),
            "Checks": _checks(),
            "What was read": _read(),
            "Cost": _cost(),
        },
    )


def _alive() -> Panels:
    return (
        number(
            "Up",
            "Whether Prometheus reaches the daemon. A daemon that is down shows no drift.",
            f"max by (instance) (up{{{SCOPE.target}}})",
            mapping=YES_IS_GOOD,
            colours=threshold((None, RED), (1, GREEN)),
            legend=EACH,
        ),
        number(
            "Scheduler seen",
            "Time since the scheduler last showed that it is alive.",
            f"time() - {SCOPE.latest('scheduler_heartbeat_timestamp_seconds')}",
            unit="s",
            colours=threshold((None, GREEN), (300, RED)),
            legend=EACH,
        ),
        number(
            "Results rendered",
            "Time since the results on the page were rendered. It grows between two runs.",
            f"time() - {SCOPE.latest('results_exported_timestamp_seconds')}",
            unit="s",
            legend=EACH,
        ),
        number(
            "Configuration loaded",
            "Whether the newest configuration could be loaded. If not, the one before is in force.",
            SCOPE.latest("config_last_reload_successful"),
            mapping=YES_IS_GOOD,
            colours=threshold((None, RED), (1, GREEN)),
            legend=EACH,
        ),
        number(
            "Configured models",
            "Models in the configuration in force.",
            SCOPE.latest("models"),
            legend=EACH,
        ),
        rows(
            "Version",
            "The code that runs, by daemon.",
            [Column(SCOPE.latest("build_info"), "info", hidden=True)],
            labels={"instance": "Instance", "version": "Version", "revision": "Revision"},
            span=4,
            height=4,
        ),
    )


def _replicas() -> Panels:
    counted = (
        (
            "Changes of leader",
            "lease_takeovers_total",
            "Times that a replica began to lead, in each interval. Many mean that leases are lost.",
        ),
        (
            "Refused writes",
            "fenced_writes_total",
            "Writes that came too late, from a replica that no longer led. Nothing was written.",
        ),
        (
            "Store not reached",
            "lease_failures_total",
            "Times that the store could not be asked for the lease, in each interval.",
        ),
    )
    return (
        states(
            "Who leads",
            "One replica checks and writes; the others show the same results. A time in which none "
            "does is one without checks.",
            SCOPE.latest("leader"),
            EACH,
            mapping=LEADS,
            span=12,
            height=6,
        ),
        number(
            "Store reached",
            "Whether the store could be asked for the lease just now. While it cannot, the last "
            "results are shown.",
            SCOPE.latest("store_reachable"),
            mapping=YES_IS_GOOD,
            colours=threshold((None, RED), (1, GREEN)),
            legend=EACH,
            span=6,
        ),
        number(
            "Clock",
            "The store's clock minus the machine's; 0 where they agree within a second.",
            SCOPE.latest("clock_skew_seconds"),
            unit="s",
            legend=EACH,
            span=6,
        ),
        *(
            lines(title, meaning, [Line(SCOPE.increase(name), EACH)], span=8, height=6)
            for title, name, meaning in counted
        ),
    )


def _checks() -> Panels:
    counted = (
        ("Runs", "check_runs_total", OF_MODEL, "Runs that ended, with rows or without."),
        (
            "Failed runs",
            "check_run_failures_total",
            "{{model}}: {{reason}}",
            "Runs that ended in failure, by error class.",
        ),
        (
            "Checks passed over",
            "check_missed_runs_total",
            OF_MODEL,
            "Times that a check was due and a later one was made instead.",
        ),
        (
            "Checks that were still busy",
            "check_overlapping_runs_total",
            OF_MODEL,
            "Times that a check was due while the one before was waiting or running.",
        ),
        (
            "Unforeseen errors",
            "check_errors_total",
            OF_MODEL,
            "Checks that ended in an exception that nobody had foreseen: please report them.",
        ),
    )
    return (
        lines(
            "Since the last result",
            "Time since the newest stored run of each model, and its longest time between windows.",
            [
                Line(f"time() - {SCOPE.latest('check_last_success_timestamp_seconds')}", OF_MODEL),
            ],
            unit="s",
        ),
        lines(
            "Duration of the newest run",
            "How long the newest stored run of each model took.",
            [Line(SCOPE.latest("check_last_duration_seconds"), OF_MODEL)],
            unit="s",
        ),
        *(
            lines(
                title, f"{meaning} In each interval.", [Line(SCOPE.increase(name), legend)], span=8
            )
            for title, name, legend, meaning in counted
        ),
        lines(
            "Messages logged",
            "Messages in each interval by level.",
            [Line(SCOPE.increase("log_messages_total"), "{{level}} {{instance}}")],
            span=8,
        ),
    )


def _read() -> Panels:
    now = (
        (
            "Files left out of the latest window",
            "window_files_unreadable",
            "Files that could not be read: their rows are in no number.",
            ANY_IS_BAD,
        ),
        (
            "Files in late for their window",
            "late_files",
            "Files that came, went or were rewritten in windows that are too old to be run again.",
            ANY_IS_ODD,
        ),
        (
            "Closed windows that changed",
            "closed_windows_changed",
            "Windows too old to be run again whose files have changed since their results.",
            ANY_IS_ODD,
        ),
    )
    return (
        *(
            number(title, meaning, SCOPE.latest(name), colours=colours, legend="{{model}}", span=6)
            for title, name, meaning, colours in now
        ),
        number(
            "Quarantined files",
            "Files that cannot be used now, by reason: `modelmon quarantine list` names them. "
            "`no data` when there are none, as long as the daemon is up.",
            SCOPE.latest("files_quarantined"),
            colours=ANY_IS_BAD,
            legend="{{model}}: {{reason}}",
            span=6,
        ),
        lines(
            "Files quarantined",
            "Times that a file was quarantined in each interval; one that breaks again counts again.",
            [Line(SCOPE.increase("file_quarantines_total"), OF_MODEL)],
            span=8,
        ),
        lines(
            "Rejected records",
            "Records of the latest window that were read and not profiled, by reason.",
            [Line(SCOPE.latest("window_rejected_records"), "{{model}}: {{reason}}")],
            span=8,
        ),
        lines(
            "Columns that changed",
            "Columns of the latest window's files that differ from the baseline's, by kind.",
            [Line(SCOPE.latest("window_schema_changes"), "{{model}}: {{kind}}")],
            span=8,
        ),
    )


def _cost() -> Panels:
    return (
        lines(
            "Series",
            "Series of each model on the page, how many there may be, and those that are not on it.",
            [
                Line(SCOPE.latest("series"), OF_MODEL),
                Line(SCOPE.latest("series_limit"), f"{OF_MODEL}: limit"),
                Line(SCOPE.latest("series_dropped"), f"{OF_MODEL}: left out, {{{{reason}}}}"),
            ],
            span=6,
        ),
        lines(
            "Time of a scrape",
            "How long Prometheus takes to read the page.",
            [Line(f"max by (instance) (scrape_duration_seconds{{{SCOPE.target}}})", EACH)],
            unit="s",
            span=6,
        ),
        lines(
            "Memory",
            "Resident memory of the daemon; worker processes are not in it.",
            [Line(f"max by (instance) (process_resident_memory_bytes{{{SCOPE.target}}})", EACH)],
            unit="bytes",
            span=6,
        ),
        lines(
            "Processor",
            "Processor seconds a second of the daemon.",
            [
                Line(
                    "sum by (instance) "
                    f"(rate(process_cpu_seconds_total{{{SCOPE.target}}}[{RATE}]))",
                    EACH,
                )
            ],
            unit="short",
            span=6,
        ),
    )
