"""Every rule: alarms of models, checks that are late, and a monitor that is itself in trouble.

Rules name no model and hold no limit: limits are the owner's, judging is the daemon's, and an alert
is what the daemon has judged and stored. No alert has a measured value in its text, because a bare
number of a disparity says less than it seems to; ``modelmon explain`` shows it with its rows.
"""

from monitor.domain.manifest import TOLERATED_UNTIMED, UNTIMED
from monitor.exposition.audit_rules import AUDIT_ALERTS
from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.registry_rules import REGISTRY_ALERTS
from monitor.exposition.rule import OWNERS, Alert, Group, Record, last_known
from monitor.exposition.standing_rules import STANDING_ALERTS
from monitor.measures.measure import Family

OBJECTIVE = 0.99
"""Share of the time in which a model's results are on time, over thirty days."""

LATE = 1.25
"""Intervals between windows after which a result is late: a quarter of a window to spare …"""

STALE = 2.5
"""… and after which the model is as good as unwatched: two windows have come to nothing."""

_FAST = (("1h", "5m", 14.4), ("6h", "30m", 6))
_SLOW = (("3d", "6h", 1),)
"""Long window, short window, and how many times faster than allowed the rest of thirty days is
used up: the pairs of Google's Site Reliability Workbook, chapter 5."""

_LATE_RATIO = "modelmon:results_late:ratio"

_OF = (
    '{{ $labels.check }}{{ with $labels.feature }} of feature "{{ . }}"{{ end }}'
    '{{ with $labels.group }} of group "{{ . }}"{{ end }}'
    '{{ with $labels.attribute }} of population "{{ . }}"{{ end }}'
    '{{ with $labels.class }} for class "{{ . }}" against the rest{{ end }}'
    '{{ with $labels.stratum }} within the strata of "{{ . }}"{{ end }}'
    '{{ with $labels.reference }} against reference "{{ . }}"{{ end }}'
)
_MODEL = 'Model "{{ $labels.model }}"{{ with $labels.model_version }} version "{{ . }}"{{ end }}: '
_ASK = " Ask: modelmon explain {{ $labels.model }}"
_ASK_WHY = " Ask: modelmon explain {{ $labels.finding }}"
_NUMBER = '{{ $value | printf "%.0f" }}'


def rules_for(job: str) -> tuple[Group, ...]:
    """Return every rule.

    Args:
        job: The ``job_name`` of the daemon in the scrape configuration.
    """
    return (
        Group("modelmon.owners", OWNERS),
        Group("modelmon.alarms", alerts=(*(_of_family(family) for family in Family), *_ALARMS)),
        Group("modelmon.data", alerts=_DATA),
        Group("modelmon.checks", _LATENESS, (*_CHECKS, *_BURNS)),
        Group("modelmon.registry", alerts=REGISTRY_ALERTS),
        Group("modelmon.standing", alerts=STANDING_ALERTS),
        Group("modelmon.audit", alerts=AUDIT_ALERTS),
        Group("modelmon.daemon", alerts=(*_of_daemon(job), *_DAEMON)),
    )


def _labels_of(name: str) -> str:
    (family,) = (each for each in CATALOGUE if each.name == name)
    return ", ".join(("job", *(label for label in family.labels if label != "family")))


def _of_family(family: Family) -> Alert:
    return Alert(
        f"ModelMon{family.capitalize()}",
        f"max by ({_labels_of('modelmon_alarm_firing')})"
        f' (modelmon_alarm_firing{{family="{family}"}}) == 1',
        "{{ $labels.severity }}",
        f"Alarm of {family} in model {{{{ $labels.model }}}}",
        f"{_MODEL}{_OF} is beyond its {{{{ $labels.severity }}}} limit in enough windows to call."
        f"{_ASK_WHY}",
        muted=True,
    )


_ALARMS = (
    Alert(
        "ModelMonSegment",
        f"max by ({_labels_of('modelmon_segment_alarms')}) (modelmon_segment_alarms) > 0",
        "{{ $labels.severity }}",
        "Alarms in a slice of model {{ $labels.model }}",
        f'{_MODEL}{_NUMBER} alarms of severity {{{{ $labels.severity }}}} in slice "{{{{ $labels.segment_value }}}}"'
        f' of segment "{{{{ $labels.segment }}}}".{_ASK}',
    ),
    Alert(
        "ModelMonDetector",
        "max by (job, model) (modelmon_detector_firing) == 1",
        "warning",
        "Slow drift of model {{ $labels.model }}",
        f"{_MODEL}the evidence of drift, gathered over all features and windows, is beyond what chance makes.{_ASK}",
    ),
    Alert(
        "ModelMonNothingJudged",
        'sum by (job, model, model_version) (modelmon_findings{verdict!="unknown"}) == 0\n'
        'unless on (job, model) modelmon_window_state{state="no_data"} == 1',
        "warning",
        "Nothing of model {{ $labels.model }} could be judged",
        f"{_MODEL}every verdict of the latest window is unknown. That is not good news: nobody knows.{_ASK}",
    ),
)

_DATA = (
    Alert(
        "ModelMonNoData",
        'max by (job, model) (modelmon_window_state{state="no_data"}) == 1',
        "warning",
        "No rows of model {{ $labels.model }} in the latest window",
        f"{_MODEL}the log has no row in its latest window. Alarms stay as they were.{_ASK}",
    ),
    Alert(
        "ModelMonColumns",
        "max by (job, model, column, kind)"
        ' (modelmon_window_read_columns_changed{kind=~"missing|duplicate"}) > 0',
        "warning",
        "A column that model {{ $labels.model }} is watched by is {{ $labels.kind }}",
        f'{_MODEL}the column "{{{{ $labels.column }}}}" is {{{{ $labels.kind }}}} in {_NUMBER} files of the latest window.'
        f" What rests on it is unknown, or rests on the first of two columns.{_ASK}",
    ),
    Alert(
        "ModelMonRowsUntimed",
        "sum by (job, model) (max by (job, model, reason)"
        f' (modelmon_window_rejected_records{{reason=~"{"|".join(UNTIMED)}"}}))\n'
        f"/ max by (job, model) (modelmon_window_records) > {TOLERATED_UNTIMED}",
        "warning",
        "Rows of model {{ $labels.model }} have no usable event time",
        f"{_MODEL}{{{{ $value | humanizePercentage }}}} of the rows that were read for the latest window have"
        f" no event time, or none that can be; they are in no result.{_ASK}",
    ),
    Alert(
        "ModelMonNoBaseline",
        'max by (job, model, model_version) (modelmon_model_info{baseline=""}) == 1',
        "warning",
        "Model {{ $labels.model }} has no baseline",
        f"{_MODEL}no baseline is registered, so nothing of it is measured. Ask: modelmon baseline list {{{{ $labels.model }}}}",
        wait="15m",
    ),
    Alert(
        "ModelMonOutsideAuthority",
        "sum by (job, model, model_version) (max by (job, model, model_version, reason)"
        ' (modelmon_decisions_outside_authority{reason=~"not_acting|unknown_version"})) > 0',
        "critical",
        "Model {{ $labels.model }} decides without being allowed to",
        f"{_MODEL}{_NUMBER} decisions of the latest window were made while the version was not allowed to act."
        " Ask: modelmon authority --decisions --model {{ $labels.model }}",
    ),
    Alert(
        "ModelMonOutsideCondition",
        "max by (job, model, model_version, condition) (modelmon_decisions_outside_condition) > 0",
        "critical",
        "Model {{ $labels.model }} decides beyond its conditions",
        f"{_MODEL}{_NUMBER} decisions of the latest window are beyond what its permits said of"
        " {{ $labels.condition }}. Ask: modelmon authority --decisions --model {{ $labels.model }}",
    ),
    Alert(
        "ModelMonConditionUnknown",
        "max by (job, model, model_version, condition) (modelmon_decisions_condition_unknown) > 0",
        "warning",
        "Nobody knows whether model {{ $labels.model }} keeps its conditions",
        f"{_MODEL}of {_NUMBER} decisions of the latest window the log does not say whether they kept"
        " to {{ $labels.condition }}.",
    ),
    Alert(
        "ModelMonFilesQuarantined",
        "time() - min by (job, model) (modelmon_files_quarantined_oldest_timestamp_seconds) > 6 * 3600",
        "warning",
        "Files of model {{ $labels.model }} cannot be used",
        f"{_MODEL}a file has waited {{{{ $value | humanizeDuration }}}} to become whole; results are made without it."
        " Ask: modelmon quarantine list --model {{ $labels.model }}",
    ),
    Alert(
        "ModelMonLateData",
        "max by (job, model) (modelmon_closed_windows_changed) > 0",
        "info",
        "Data of model {{ $labels.model }} came too late",
        f"{_MODEL}files of {_NUMBER} windows have changed that are too old to be run again by themselves,"
        " or have no file any more.",
    ),
    Alert(
        "ModelMonSeriesDropped",
        "sum by (job, model) (max by (job, model, reason) (modelmon_series_dropped)) > 0",
        "warning",
        "Results of model {{ $labels.model }} are not on the page",
        f"{_MODEL}{_NUMBER} readings or series are not exported, so no rule sees them.{_ASK}",
        wait="15m",
    ),
)

_LAST_RESULT = "max by (job, model) (modelmon_check_last_success_timestamp_seconds)"
_REGISTERED = "max by (job, model) (modelmon_baseline_registered_timestamp_seconds)"
_INTERVAL = "max by (job, model) (modelmon_check_interval_seconds)"

_WINDOWS = sorted({window for *pair, _ in (*_FAST, *_SLOW) for window in pair})

_LATENESS = (
    Record(
        "modelmon:result_due:timestamp_seconds",
        f"{_LAST_RESULT}\n+ {LATE} * {_INTERVAL}",
    ),
    Record(
        _LATE_RATIO,
        f"avg by (job) (time() > bool {last_known('modelmon:result_due:timestamp_seconds')})",
    ),
    *(
        Record(f"{_LATE_RATIO}_{window}", f"avg_over_time({_LATE_RATIO}[{window}])")
        for window in _WINDOWS
    ),
)


def _burning(pairs: tuple[tuple[str, str, float], ...]) -> str:
    return "\nor\n".join(
        f"({_LATE_RATIO}_{long} > {factor} * {1 - OBJECTIVE:.2f} and {_LATE_RATIO}_{short} > {factor} * {1 - OBJECTIVE:.2f})"
        for long, short, factor in pairs
    )


_CHECKS = (
    Alert(
        "ModelMonCheckStale",
        f"time() - ({_LAST_RESULT} or {_REGISTERED})\n> {STALE} * {_INTERVAL}",
        "critical",
        "Model {{ $labels.model }} is not being watched",
        f"{_MODEL}no result for {{{{ $value | humanizeDuration }}}}, longer than two windows.{_ASK}",
        wait="5m",
    ),
    Alert(
        "ModelMonCheckFailing",
        "sum by (job, model, reason)"
        ' (increase(modelmon_check_run_failures_total{reason!="StoreError"}[1h])) > 0\n'
        "unless on (job, model) changes(modelmon_check_last_success_timestamp_seconds[1h]) > 0",
        "warning",
        "Checks of model {{ $labels.model }} fail",
        f"{_MODEL}{{{{ $labels.reason }}}} in the last hour, and no result since. The log of the daemon has the traceback.",
        wait="10m",
    ),
)

_BURNS = (
    Alert(
        "ModelMonChecksLateFast",
        _burning(_FAST),
        "critical",
        "Results of models are late",
        "Of the last hours, {{ $value | humanizePercentage }} of the models' time went by without a result that was due; "
        f"{1 - OBJECTIVE:.0%} of thirty days is what is allowed.",
        held=False,
        owned=False,
    ),
    Alert(
        "ModelMonChecksLateSlow",
        _burning(_SLOW),
        "warning",
        "Results of models are late too often",
        "Of the last three days, {{ $value | humanizePercentage }} of the models' time went by without a result that was due; "
        f"{1 - OBJECTIVE:.0%} of thirty days is what is allowed.",
        held=False,
        owned=False,
    ),
)


def _of_daemon(job: str) -> tuple[Alert, ...]:
    of = f'up{{job="{job}"}}'
    return (
        Alert(
            "ModelMonDown",
            f"absent({of}) or sum by (job) ({of}) == 0",
            "critical",
            "No model monitor is up",
            "Prometheus reaches no instance of job {{ $labels.job }}. Alerts on models show what was last known.",
            wait="5m",
            held=False,
            owned=False,
        ),
        Alert(
            "ModelMonNoResults",
            f"max by (job) ({of}) == 1\n"
            "unless on (job) modelmon_results_exported_timestamp_seconds",
            "critical",
            "The model monitor is up and shows no results",
            "Instances of job {{ $labels.job }} answer and export no results.",
            wait="10m",
            held=False,
            owned=False,
        ),
    )


_DAEMON = (
    Alert(
        "ModelMonSchedulerStalled",
        "time() - max by (job) (modelmon_scheduler_heartbeat_timestamp_seconds) > 300",
        "critical",
        "The model monitor starts no checks",
        "No instance of job {{ $labels.job }} has shown a heartbeat of its scheduler for {{ $value | humanizeDuration }}.",
        owned=False,
    ),
    Alert(
        "ModelMonStoreTrouble",
        'sum by (job) (increase(modelmon_check_run_failures_total{reason="StoreError"}[15m])) > 0\n'
        "or sum by (job) (increase(modelmon_check_errors_total[15m])) > 0\n"
        "or max by (job) (modelmon_store_reachable) == 0",
        "critical",
        "The model monitor cannot use its database",
        "Checks of job {{ $labels.job }} failed in the store, or no replica reaches it.",
        wait="5m",
        owned=False,
    ),
    Alert(
        "ModelMonNoLeader",
        "sum by (job) (modelmon_leader) == 0",
        "critical",
        "No replica of the model monitor leads",
        "Replicas of job {{ $labels.job }} answer and none of them checks models.",
        wait="2m",
        owned=False,
    ),
    Alert(
        "ModelMonSeveralLeaders",
        "sum by (job) (modelmon_leader) > 1",
        "warning",
        "Several replicas of the model monitor lead",
        f"{_NUMBER} replicas of job {{{{ $labels.job }}}} check models, each on its own.",
        wait="5m",
        owned=False,
    ),
    Alert(
        "ModelMonConfigReloadFailed",
        "min by (job, instance) (modelmon_config_last_reload_successful) == 0",
        "warning",
        "A configuration was refused",
        "Instance {{ $labels.instance }} goes on with its previous configuration. Ask: modelmon config check",
        wait="5m",
        owned=False,
    ),
    Alert(
        "ModelMonWatchdog",
        "vector(1)",
        "none",
        "The way of alerts works",
        "This alert always fires. Whoever receives it calls when it does not come.",
        held=False,
        owned=False,
    ),
)
