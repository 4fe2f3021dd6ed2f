"""Every shipped alert fires, does not fire, survives an outage of the exporter, and is explained."""

import re
from pathlib import Path

import pytest

from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.rule import JOB, OWNERS, Alert, Group, rule_file
from monitor.exposition.rules import rules_for
from tests.e2e.promtool import BAD, OUTAGE, RULES, WELL, Story, check, promtool, told

pytestmark = pytest.mark.slow

CREDIT = {"model": "credit", "owner": "risk team"}
FIRST = {**CREDIT, "model_version": "1"}
ASK = "Ask: modelmon explain credit"
OUTSIDE = 'modelmon_registry_alias_outside{model="credit"}'
FOUND = 'modelmon_registry_model_found{model="credit"}'


RECORDED = 'modelmon_audit_last_record_timestamp_seconds{log="prod"}'

STATE = 'modelmon_version_state{model="credit",model_version="1",state="held"}'
CASE = {"case": "7", "cause": "sex-parity", "rung": "hold"}
OF_CASE = 'model="credit",model_version="1",case="7",cause="sex-parity",rung="hold"'
UNSEEN = (
    'modelmon_evidence_unseen{job="modelmon",model="credit",model_version="1",evidence="report"}'
)
DUE = f"modelmon_case_deadline_timestamp_seconds{{{OF_CASE}}}"
MISSED = f"modelmon_case_deadlines_missed{{{OF_CASE}}}"


FINDING = {"finding": "0123456789abcdef"}
MUTED = 'modelmon_alert_muted_until_timestamp_seconds{model="credit",finding="0123456789abcdef"}'


def alarm(family, **labels):
    labels = {**FINDING, **labels}
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f'modelmon_alarm_firing{{model="credit",model_version="1",family="{family}",{inside}}}'


def annotations(summary, description):
    return {"summary": summary, "description": description}


def of_family(family, severity, what, **labels):
    return Story(
        f"ModelMon{family.capitalize()}",
        {alarm(family, severity=severity, **labels): 1},
        {alarm(family, severity=severity, **labels): 0},
        {**FIRST, **FINDING, **labels, "severity": severity},
        annotations(
            f"Alarm of {family} in model credit",
            f'Model "credit" version "1": {what} is beyond its {severity} limit in enough windows'
            f" to call. Ask: modelmon explain {FINDING['finding']}",
        ),
    )


def of_model(alert, severity, summary, description, bad, well=None, **labels):
    return Story(
        alert,
        bad,
        well or {},
        {**CREDIT, "severity": severity, **labels},
        annotations(summary, description),
    )


def of_monitor(alert, severity, summary, description, bad, well=None, **labels):
    return Story(
        alert, bad, well or {}, {"severity": severity, **labels}, annotations(summary, description)
    )


def growing(minute):
    """A counter that grows once in a while as long as things are bad."""
    return min(max(minute - BAD, 0), OUTAGE - BAD) // 3


SLICE = 'modelmon_segment_alarms{model="credit",model_version="1",segment="region",segment_value="north",severity="critical"}'
JUDGED = 'modelmon_findings{model="credit",model_version="1",check="psi",verdict="ok"}'
UNKNOWN = 'modelmon_findings{model="credit",model_version="1",check="psi",verdict="unknown"}'
NO_DATA = 'modelmon_window_state{model="credit",state="no_data"}'
READ = 'modelmon_window_records{model="credit"}'
UNTIMED = 'modelmon_window_rejected_records{{model="credit",reason="{}"}}'
COLUMN = 'modelmon_window_read_columns_changed{model="credit",column="sex",kind="missing"}'
LAST = 'modelmon_check_last_success_timestamp_seconds{model="credit"}'
OLDEST = 'modelmon_files_quarantined_oldest_timestamp_seconds{model="credit"}'
CLOSED = 'modelmon_closed_windows_changed{model="credit"}'
DROPPED = 'modelmon_series_dropped{model="credit",reason="limit"}'
FAILED = 'modelmon_check_run_failures_total{model="credit",reason="SourceError"}'
STORE = 'modelmon_check_run_failures_total{model="credit",reason="StoreError"}'
CRASHED = 'modelmon_check_errors_total{model="credit"}'
HEARTBEAT = "modelmon_scheduler_heartbeat_timestamp_seconds"
REACHABLE = "modelmon_store_reachable"
LEADER = "modelmon_leader"
STANDBY = 'modelmon_leader{instance="b"}'
RELOADED = "modelmon_config_last_reload_successful"

STORIES = [
    of_family("drift", "warning", 'psi of feature "age"', check="psi", feature="age"),
    of_family(
        "quality", "critical", 'missing_rate of feature "age"', check="missing_rate", feature="age"
    ),
    of_family("performance", "critical", "auc_drop", check="auc_drop"),
    of_family(
        "disparity",
        "critical",
        'selection_rate_ratio of group "f" of population "sex"',
        check="selection_rate_ratio",
        attribute="sex",
        group="f",
    ),
    of_model(
        "ModelMonSegment",
        "critical",
        "Alarms in a slice of model credit",
        'Model "credit" version "1": 3 alarms of severity critical in slice "north" of segment'
        f' "region". {ASK}',
        {SLICE: 3},
        {SLICE: 0},
        model_version="1",
        segment="region",
        segment_value="north",
    ),
    of_model(
        "ModelMonDetector",
        "warning",
        "Slow drift of model credit",
        'Model "credit": the evidence of drift, gathered over all features and windows, is beyond'
        f" what chance makes. {ASK}",
        {'modelmon_detector_firing{model="credit"}': 1},
        {'modelmon_detector_firing{model="credit"}': 0},
    ),
    of_model(
        "ModelMonNothingJudged",
        "warning",
        "Nothing of model credit could be judged",
        'Model "credit" version "1": every verdict of the latest window is unknown. That is not'
        f" good news: nobody knows. {ASK}",
        {JUDGED: 0, UNKNOWN: 9},
        {JUDGED: 9, UNKNOWN: 0},
        model_version="1",
    ),
    of_model(
        "ModelMonNoData",
        "warning",
        "No rows of model credit in the latest window",
        f'Model "credit": the log has no row in its latest window. Alarms stay as they were. {ASK}',
        {NO_DATA: 1},
        {NO_DATA: 0},
    ),
    of_model(
        "ModelMonColumns",
        "warning",
        "A column that model credit is watched by is missing",
        'Model "credit": the column "sex" is missing in 2 files of the latest window. What rests'
        f" on it is unknown, or rests on the first of two columns. {ASK}",
        {COLUMN: 2},
        {COLUMN.replace("missing", "retyped"): 2},
        column="sex",
        kind="missing",
    ),
    of_model(
        "ModelMonRowsUntimed",
        "warning",
        "Rows of model credit have no usable event time",
        'Model "credit": 3% of the rows that were read for the latest window have no event time,'
        f" or none that can be; they are in no result. {ASK}",
        {READ: 1000, UNTIMED.format("bad_event_time"): 20, UNTIMED.format("no_event_time"): 10},
        {READ: 1000, UNTIMED.format("bad_event_time"): 10, UNTIMED.format("duplicate_id"): 500},
    ),
    of_model(
        "ModelMonNoBaseline",
        "warning",
        "Model credit has no baseline",
        'Model "credit" version "2": no baseline is registered, so nothing of it is measured.'
        " Ask: modelmon baseline list credit",
        {'modelmon_model_info{model="credit",model_version="2",model_owner="risk team"}': 1},
        model_version="2",
    ),
    of_model(
        "ModelMonOutsideAuthority",
        "critical",
        "Model credit decides without being allowed to",
        'Model "credit" version "2": 40 decisions of the latest window were made while the version'
        " was not allowed to act. Ask: modelmon authority --decisions --model credit",
        {
            'modelmon_decisions_outside_authority{model="credit",model_version="2",reason="not_acting"}': 40
        },
        model_version="2",
    ),
    of_model(
        "ModelMonGateInDoubt",
        "critical",
        "The gate denies a model whose stored state is not believed",
        "Every version of credit is denied: what is stored of it, or the audit log itself, is not"
        " what was signed. Ask: modelmon audit replay; modelmon audit verify",
        {'modelmon_gate_in_doubt{model="credit"}': 1},
        {'modelmon_gate_in_doubt{model="credit"}': 0},
    ),
    of_model(
        "ModelMonOutsideCondition",
        "critical",
        "Model credit decides beyond its conditions",
        'Model "credit" version "2": 7 decisions of the latest window are beyond what its permits said'
        " of amount. Ask: modelmon authority --decisions --model credit",
        {
            'modelmon_decisions_outside_condition{model="credit",model_version="2",condition="amount"}': 7
        },
        model_version="2",
        condition="amount",
    ),
    of_model(
        "ModelMonConditionUnknown",
        "warning",
        "Nobody knows whether model credit keeps its conditions",
        'Model "credit" version "2": of 3 decisions of the latest window the log does not say whether'
        " they kept to amount.",
        {
            'modelmon_decisions_condition_unknown{model="credit",model_version="2",condition="amount"}': 3
        },
        model_version="2",
        condition="amount",
    ),
    of_model(
        "ModelMonFilesQuarantined",
        "warning",
        "Files of model credit cannot be used",
        'Model "credit": a file has waited 7h 39m 0s to become whole; results are made without it.'
        " Ask: modelmon quarantine list --model credit",
        {OLDEST: -6 * 3600},
    ),
    of_model(
        "ModelMonLateData",
        "info",
        "Data of model credit came too late",
        'Model "credit": files of 2 windows have changed that are too old to be run again by'
        " themselves, or have no file any more.",
        {CLOSED: 2},
        {CLOSED: 0},
    ),
    of_model(
        "ModelMonSeriesDropped",
        "warning",
        "Results of model credit are not on the page",
        f'Model "credit": 4 readings or series are not exported, so no rule sees them. {ASK}',
        {DROPPED: 4},
        {DROPPED: 0},
    ),
    of_model(
        "ModelMonCheckStale",
        "critical",
        "Model credit is not being watched",
        f'Model "credit": no result for 1h 30m 0s, longer than two windows. {ASK}',
        {LAST: 540},
        {LAST: lambda minute: 60 * minute},
    ),
    of_model(
        "ModelMonCheckFailing",
        "warning",
        "Checks of model credit fail",
        'Model "credit": SourceError in the last hour, and no result since. The log of the daemon'
        " has the traceback.",
        {FAILED: growing, LAST: 540},
        {FAILED: growing, LAST: lambda minute: 60 * minute},
        reason="SourceError",
    ),
    of_monitor(
        "ModelMonSchedulerStalled",
        "critical",
        "The model monitor starts no checks",
        "No instance of job modelmon has shown a heartbeat of its scheduler for 1h 30m 0s.",
        {HEARTBEAT: 540},
        {HEARTBEAT: lambda minute: 60 * minute},
    ),
    of_monitor(
        "ModelMonStoreTrouble",
        "critical",
        "The model monitor cannot use its database",
        "Checks of job modelmon failed in the store, or no replica reaches it.",
        {STORE: growing},
        {STORE: growing},
    ),
    of_monitor(
        "ModelMonStoreTrouble",
        "critical",
        "The model monitor cannot use its database",
        "Checks of job modelmon failed in the store, or no replica reaches it.",
        {CRASHED: growing},
        {CRASHED: growing},
    ),
    of_monitor(
        "ModelMonStoreTrouble",
        "critical",
        "The model monitor cannot use its database",
        "Checks of job modelmon failed in the store, or no replica reaches it.",
        {REACHABLE: 0},
        {REACHABLE: 1},
    ),
    of_monitor(
        "ModelMonNoLeader",
        "critical",
        "No replica of the model monitor leads",
        "Replicas of job modelmon answer and none of them checks models.",
        {LEADER: 0},
        {LEADER: 1},
    ),
    of_monitor(
        "ModelMonSeveralLeaders",
        "warning",
        "Several replicas of the model monitor lead",
        "2 replicas of job modelmon check models, each on its own.",
        {LEADER: 1, STANDBY: 1},
        {LEADER: 1, STANDBY: 0},
    ),
    of_model(
        "ModelMonAliasOutside",
        "critical",
        "The registry serves a version of model credit that may not act",
        'Model "credit": the alias that is served names a version that nobody has approved, or that'
        " was held. Ask: modelmon registry show credit",
        {OUTSIDE: 1},
        {OUTSIDE: 0},
    ),
    of_model(
        "ModelMonRegistryModelMissing",
        "warning",
        "Model credit is not in the registry",
        'Model "credit": its file names a registry entry that the registry does not have.'
        " Ask: modelmon registry show credit",
        {FOUND: 0},
        {FOUND: 1},
    ),
    of_monitor(
        "ModelMonRegistryDown",
        "warning",
        "The model registry cannot be looked at",
        "Job modelmon cannot look at the registry: aliases that are moved there go unnoticed.",
        {"modelmon_registry_up": 0},
        {"modelmon_registry_up": 1},
    ),
    of_monitor(
        "ModelMonRegistryBehind",
        "warning",
        "The model registry has not taken what was decided",
        "What job modelmon has to tell the registry has waited 16m 40s.",
        {"modelmon_registry_outbox_oldest_seconds": 1000},
        {"modelmon_registry_outbox_oldest_seconds": 0},
    ),
    of_monitor(
        "ModelMonAuditDiffers",
        "critical",
        "What versions may do was changed past the audit log",
        "What is stored of versions, requests, cases or waivers is not what the audit log prod adds up"
        " to. Ask: modelmon audit replay",
        {'modelmon_audit_state_differences{log="prod"}': 1},
        {'modelmon_audit_state_differences{log="prod"}': 0},
        log="prod",
    ),
    of_monitor(
        "ModelMonAuditSilent",
        "warning",
        "Nothing is written to the audit log",
        "The newest record of the audit log prod is 2h 30m 0s old; there is one each hour.",
        {RECORDED: lambda minute: 60 * minute - 9000},
        {RECORDED: lambda minute: 60 * minute},
        log="prod",
    ),
    of_monitor(
        "ModelMonWitnessRefuses",
        "critical",
        "A witness refuses the audit log",
        "The witness w1 does not cosign the audit log prod: it may have seen another one."
        " Ask: modelmon doctor",
        {'modelmon_audit_witness_refuses{log="prod",witness="w1"}': 1},
        {'modelmon_audit_witness_refuses{log="prod",witness="w1"}': 0},
        log="prod",
        witness="w1",
    ),
    of_monitor(
        "ModelMonWitnessSilent",
        "warning",
        "A witness has not cosigned the audit log for long",
        "The witness w1 has not cosigned the audit log prod for three hours, or never."
        " Ask: modelmon doctor",
        {'modelmon_audit_cosigned_size{log="prod",witness="w1"}': 0},
        {'modelmon_audit_cosigned_size{log="prod",witness="w1"}': 7},
        log="prod",
        witness="w1",
    ),
    of_model(
        "ModelMonVersionHeld",
        "critical",
        "Version 1 of model credit is held",
        'Model "credit": version "1" may not act until a second person releases it.'
        " Ask: modelmon standing --model credit",
        {STATE: 1},
        {STATE: 0},
        model_version="1",
    ),
    of_monitor(
        "ModelMonUnwatched",
        "critical",
        "Model old has versions to be answered for, and nobody watches it",
        "No file names model old any more: the gate denies it, and what asks no gate goes on"
        " deciding. Ask: modelmon doctor; modelmon authority --model old",
        {'modelmon_model_unwatched{model="old"}': 1},
        {'modelmon_model_unwatched{model="old"}': 0},
        model="old",
    ),
    of_model(
        "ModelMonApprovalUnseen",
        "warning",
        "The report that version 1 of model credit was approved by cannot be looked at",
        'Model "credit": nobody can say whether the report of version "1" is still what was approved.'
        " The file is named under rests_on in the policy; the log of the daemon says why."
        " Where it is not there, the approval is void after a day.",
        {UNSEEN: 1},
        {UNSEEN: 0},
        model_version="1",
        evidence="report",
    ),
    of_model(
        "ModelMonCaseDue",
        "warning",
        "Case 7 of model credit is due",
        'Model "credit" version "1": case 7 (sex-parity) is to be closed within six hours; then the'
        " version loses more, or somebody higher up is told. Ask: modelmon cases show credit 7",
        {DUE: 7200},
        {DUE: 90_000},
        model_version="1",
        **CASE,
    ),
    of_model(
        "ModelMonCaseMissed",
        "critical",
        "Case 7 of model credit was not answered in time",
        'Model "credit" version "1": case 7 (sex-parity) has missed 2 of its deadlines.'
        " Ask: modelmon cases show credit 7",
        {MISSED: 2},
        {MISSED: 0},
        model_version="1",
        **CASE,
    ),
    of_monitor(
        "ModelMonConfigReloadFailed",
        "warning",
        "A configuration was refused",
        "Instance a goes on with its previous configuration. Ask: modelmon config check",
        {RELOADED: 0},
        {RELOADED: 1},
        instance="a",
    ),
]

DOWN = Story(
    "ModelMonDown",
    {},
    labels={"severity": "critical"},
    annotations=annotations(
        "No model monitor is up",
        "Prometheus reaches no instance of job modelmon. Alerts on models show what was last"
        " known.",
    ),
)
WATCHDOG = Story(
    "ModelMonWatchdog",
    {},
    annotations=annotations(
        "The way of alerts works",
        "This alert always fires. Whoever receives it calls when it does not come.",
    ),
)


def late(alert, severity, since, share):
    return Story(
        alert,
        {LAST: 540},
        {LAST: lambda minute: 60 * minute},
        {"severity": severity},
        annotations(
            "Results of models are late" + (" too often" if alert.endswith("Slow") else ""),
            f"Of the last {since}, {share} of the models' time went by without a result that was"
            " due; 1% of thirty days is what is allowed.",
        ),
    )


def test_prometheus_takes_them_and_they_name_series_that_exist():
    code, said = promtool("check", "rules", "--lint=all", str(RULES))
    assert code == 0, said
    named = set(re.findall(r"\bmodelmon_[a-z_]+", RULES.read_text()))
    assert named
    assert named <= {family.name for family in CATALOGUE}


def test_they_fire_on_a_page_as_it_is_rendered(tmp_path):
    page = (Path(__file__).parents[1] / "golden" / "exposition" / "fleet.txt").read_text()
    lines = [line for line in page.splitlines() if line and not line.startswith("#")]
    series = [{"series": "modelmon_results_exported_timestamp_seconds", "values": "1x20"}]
    for line in lines:
        name, _, value = line.rpartition(" ")
        series.append({"series": name, "values": f"{value}x20"})
    for each in series:
        name, brace, rest = each["series"].partition("{")
        each["series"] = f'{name}{{job="modelmon",instance="a"{"," + rest if brace else "}"}'
    fired = 'count by (severity, model, feature, check) (ALERTS{alertname="ModelMonDrift"})'
    only = '{check="psi", feature="pay", model="credit", severity="critical"}'
    check(tmp_path, series, [], [(9, fired, 1, only)])


def test_every_alert_has_a_story():
    told_of = {story.alert for story in [*STORIES, DOWN, WATCHDOG]}
    told_of |= {
        "ModelMonAuditRewritten",
        "ModelMonNoResults",
        "ModelMonChecksLateFast",
        "ModelMonChecksLateSlow",
    }
    assert told_of == {alert.name for group in rules_for(JOB) for alert in group.alerts}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.alert)
def test_it_fires_and_survives_an_outage_that_is_explained(story, tmp_path):
    firing = told(story)
    expected = [
        (BAD - 1, story.alert, []),
        (OUTAGE - 1, story.alert, firing),
        (OUTAGE - 1, "ModelMonDown", []),
        *((minute, story.alert, firing) for minute in (OUTAGE, OUTAGE + 1, OUTAGE + 6, WELL - 1)),
        (WELL - 1, "ModelMonDown", told(DOWN)),
        (WELL + 30, story.alert, []),
        (WELL + 30, "ModelMonDown", []),
    ]
    check(tmp_path, story.series(), expected)


def test_the_monitor_is_down_only_when_no_instance_is_up(tmp_path):
    expected = [
        (OUTAGE + 4, "ModelMonDown", []),
        (OUTAGE + 5, "ModelMonDown", told(DOWN)),
        (WELL, "ModelMonDown", []),
    ]
    check(tmp_path, DOWN.series(), expected)
    other = {"series": 'up{job="modelmon",instance="b"}', "values": "1x170"}
    check(tmp_path, [*DOWN.series(), other], [(WELL - 1, "ModelMonDown", [])])


def test_the_monitor_is_down_when_prometheus_knows_no_such_job(tmp_path):
    elsewhere = [{"series": 'up{job="node"}', "values": "1x170"}]
    check(tmp_path, elsewhere, [(4, "ModelMonDown", []), (9, "ModelMonDown", told(DOWN))])


@pytest.mark.parametrize(
    ("size", "part", "rewritten"),
    [
        ("5 6 6 7 8", "1 2 2 3 4", False),
        ("5 6 6 5 6", "1 2 2 1 9", True),
        ("5x4", "1 1 9 9 9", True),
    ],
    ids=["it grows", "records are gone", "as many, and others"],
)
def test_a_log_that_was_rewritten_is_told_for_a_day(tmp_path, size, part, rewritten):
    labels = 'job="modelmon",instance="a",log="prod"'
    series = [
        {"series": f"modelmon_audit_log_size{{{labels}}}", "values": size},
        {"series": f'modelmon_audit_root_part{{{labels},part="0"}}', "values": part},
    ]
    story = of_monitor(
        "ModelMonAuditRewritten",
        "critical",
        "The audit log is not the one that it was",
        "The audit log prod has lost records, or has others in their place: Prometheus has stored what"
        " it was. Ask: modelmon audit verify --prometheus URL",
        {},
        log="prod",
    )
    firing = told(story) if rewritten else []
    check(tmp_path, series, [(minute, story.alert, firing) for minute in (5, 60, 23 * 60)])


def test_the_watchdog_always_fires(tmp_path):
    (firing,) = told(WATCHDOG)
    firing["exp_labels"] = {"severity": "none"}
    expected = [(minute, "ModelMonWatchdog", [firing]) for minute in (0, OUTAGE + 9, WELL + 9)]
    check(tmp_path, WATCHDOG.series(), expected)


def test_a_monitor_that_answers_without_results_is_told(tmp_path):
    story = of_monitor(
        "ModelMonNoResults",
        "critical",
        "The model monitor is up and shows no results",
        "Instances of job modelmon answer and export no results.",
        {"modelmon_results_exported_timestamp_seconds": None},
    )
    expected = [
        (BAD + 9, story.alert, []),
        (BAD + 10, story.alert, told(story)),
        (OUTAGE + 9, story.alert, []),  # then it is down, which is another alert
        (WELL, story.alert, []),
    ]
    check(tmp_path, story.series(), expected)


def test_results_that_are_late_use_up_what_is_allowed(tmp_path):
    # A result is due 12.5 minutes after the one before: late from minute 22 on.
    fast = late("ModelMonChecksLateFast", "critical", "hours", "83.33%")
    slow = late("ModelMonChecksLateSlow", "warning", "three days", "78%")
    expected = [
        (BAD + 9, fast.alert, []),
        (BAD + 9, slow.alert, []),
        (OUTAGE + 11, fast.alert, told(late(fast.alert, "critical", "hours", "100%"))),
        (OUTAGE - 1, slow.alert, told(slow)),
        (OUTAGE + 11, "ModelMonDown", told(DOWN)),
        (WELL + 39, fast.alert, []),
    ]
    check(tmp_path, fast.series(), expected)


def test_models_that_are_late_count_by_their_share(tmp_path):
    story = late("ModelMonChecksLateFast", "critical", "hours", "56.86%")
    check(tmp_path, story.series(), [(50, story.alert, told(story))])
    # One of ten that is late for an hour is 10 % of the time: not 14.4 times what is allowed.
    for number in range(9):
        of = f'{{model="m{number}"}}'
        story.well[f"modelmon_check_last_success_timestamp_seconds{of}"] = lambda minute: (
            60 * minute
        )
        story.well[f"modelmon_check_interval_seconds{of}"] = 600
    check(tmp_path, story.series(), [(50, story.alert, [])])


def test_a_model_that_never_had_a_result_is_stale_from_its_baseline_on(tmp_path):
    story = next(each for each in STORIES if each.alert == "ModelMonCheckStale")
    never = {LAST: None, 'modelmon_baseline_registered_timestamp_seconds{model="credit"}': 540}
    story = Story(story.alert, never, never, story.labels, story.annotations)
    check(tmp_path, story.series(), [(35, story.alert, []), (OUTAGE - 1, story.alert, told(story))])


def test_an_alarm_that_is_gone_after_the_outage_is_resolved_then(tmp_path):
    story = STORIES[0]
    expected = [(WELL - 1, story.alert, told(story)), (WELL + 1, story.alert, [])]
    check(tmp_path, story.series(), expected)


def test_nothing_is_kept_of_a_model_that_is_gone_while_results_are_exported(tmp_path):
    (alarm_series,) = STORIES[0].bad
    story = Story(
        STORIES[0].alert, {alarm_series: 1}, {}, STORIES[0].labels, STORIES[0].annotations
    )
    gone = {"series": f'{alarm_series[:-1]},job="modelmon",instance="a"}}', "values": "1x20 stale"}
    rest = [each for each in story.series() if not each["series"].startswith("modelmon_alarm")]
    expected = [(20, story.alert, told(story)), (22, story.alert, [])]
    check(tmp_path, [*rest, gone], expected)


def test_an_alert_links_the_page_of_its_finding_whatever_its_model_is_called(tmp_path):
    name = 'a/b + c?"d"#%<e>'
    alert = Alert("Any", "max by (job, model, finding) (found) == 1", "info", "s", "d")
    rules = tmp_path / "rules.yml"
    groups = (Group("owners", OWNERS), Group("any", alerts=(alert,)))
    rules.write_text(rule_file(groups, "books", "https://models.example/m/"))
    model = name.replace('"', '\\"')
    series = [
        {"series": f'found{{job="j",model="{model}",finding="0123456789abcdef"}}', "values": "1x9"},
        {
            "series": f'modelmon_model_info{{job="j",model="{model}",model_owner="o"}}',
            "values": "1x9",
        },
        {"series": 'modelmon_results_exported_timestamp_seconds{job="j"}', "values": "1x9"},
    ]
    page = "https://models.example/m/models/a%2Fb%20%2B%20c%3F%22d%22%23%25%3Ce%3E"
    fired = {
        "exp_labels": {
            "job": "j",
            "model": name,
            "owner": "o",
            "finding": "0123456789abcdef",
            "severity": "info",
        },
        "exp_annotations": {
            "summary": "s",
            "description": "d",
            "runbook_url": "books/Any.md",
            "evidence_url": f"{page}/findings/0123456789abcdef",
        },
    }
    check(tmp_path, series, [(5, "Any", [fired])], rules=rules)


def test_what_was_last_known_is_not_kept_for_ever(tmp_path):
    story = STORIES[0]
    ends = [
        {**each, "values": f"{each['values'].split()[OUTAGE - 1]}x9 stale"}
        for each in story.series()
        if not each["series"].startswith("up")
    ]
    three_days = 3 * 24 * 60
    expected = [
        (three_days - 60, story.alert, told(story)),
        (three_days + 60, story.alert, []),
        (three_days + 60, "ModelMonDown", told(DOWN)),
    ]
    check(tmp_path, ends, expected)


def on_instance(name, story, values):
    for each in story.series():
        yield {
            "series": each["series"].replace('instance="a"', f'instance="{name}"'),
            "values": values or each["values"],
        }


def test_one_of_two_replicas_is_enough_and_says_it_once(tmp_path):
    story = STORIES[0]
    second = [
        {**each, "values": f"{value}x170"}
        for each in on_instance("b", story, "")
        for value in [each["values"].split()[OUTAGE - 1]]
    ]
    expected = [
        (OUTAGE - 1, story.alert, told(story)),
        (WELL - 1, story.alert, told(story)),
        (WELL - 1, "ModelMonDown", []),
    ]
    check(tmp_path, [*story.series(), *second], expected)


def test_a_change_of_owner_that_only_one_replica_has_seen_loses_no_alert(tmp_path):
    story = STORIES[0]
    second = [
        {
            "series": each["series"].replace("risk team", "new team"),
            "values": f"{each['values'].split()[OUTAGE - 1]}x170",
        }
        for each in on_instance("b", story, "")
        if "model_info" in each["series"]
    ]
    firing = 'count(ALERTS{alertname="ModelMonDrift",alertstate="firing"})'
    values = [(50, "count(modelmon:model_owner:last)", 1), (50, firing, 1)]
    check(tmp_path, [*story.series(), *second], [], values)


def test_a_warning_that_turns_critical_is_the_same_alert_of_another_severity(tmp_path):
    warning, critical = (
        of_family("drift", severity, 'psi of feature "age"', check="psi", feature="age")
        for severity in ("warning", "critical")
    )
    of = {"check": "psi", "feature": "age"}
    story = Story(
        warning.alert,
        {alarm("drift", severity="warning", **of): lambda minute: int(minute < 50),
         alarm("drift", severity="critical", **of): lambda minute: int(minute >= 50)},
    )  # fmt: skip
    story.well = dict.fromkeys(story.bad, 0)
    expected = [(49, warning.alert, told(warning)), (50, warning.alert, told(critical))]
    check(tmp_path, story.series(), expected)


def muted(until):
    """Return the first story with a mute, and until when the exporter says it is, by minute."""
    story, shown = STORIES[0], {MUTED: until}
    return Story(story.alert, story.bad, {**story.well, **shown}, story.labels, story.annotations)


def test_nobody_is_called_while_a_finding_is_muted_and_a_mute_ends_by_itself(tmp_path):
    story = muted(lambda minute: 60 * 50 if minute >= 20 else None)
    expected = [(minute, story.alert, told(story)) for minute in (19, 50, OUTAGE + 5)]
    expected += [(minute, story.alert, []) for minute in (20, 49)]
    check(tmp_path, story.series(), expected)


def test_an_outage_does_not_bring_back_what_is_muted(tmp_path):
    story = muted(lambda minute: 60 * (OUTAGE + 10) if minute >= 20 else None)
    expected = [(minute, story.alert, []) for minute in (20, OUTAGE + 1, OUTAGE + 9)]
    expected += [(minute, story.alert, told(story)) for minute in (19, OUTAGE + 10, WELL - 1)]
    check(tmp_path, story.series(), expected)


def test_an_outage_does_not_bring_back_a_mute_that_was_lifted(tmp_path):
    story = muted(lambda minute: 60 * (500 if minute < 40 else 40))
    expected = [(minute, story.alert, told(story)) for minute in (40, OUTAGE + 5)]
    check(tmp_path, story.series(), [(39, story.alert, []), *expected])
