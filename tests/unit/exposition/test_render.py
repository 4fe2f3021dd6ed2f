from datetime import UTC, datetime, timedelta
from math import isfinite

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from monitor.domain.alarm import Alarm, AlarmState, Detection
from monitor.domain.alert import AlertState, Condition, Mute
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.finding import Evidence, Reason, Verdict
from monitor.domain.governance import (
    Accountability,
    Delegation,
    Governance,
    Risk,
    RiskLimit,
    Rung,
    Tier,
)
from monitor.domain.limit import Limit
from monitor.domain.run import VersionResult
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.schema import ColumnChange, SchemaChange
from monitor.domain.timetable import Regime, Spell, Tally
from monitor.engine.alarms import ModelAlarms
from monitor.engine.overreach import Excess, Overreach
from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import Part
from monitor.exposition.label import label_value
from monitor.exposition.render import render
from monitor.exposition.sheet import Sheet
from monitor.measures.measure import Family

ABSENT = object()
NAMES = st.text(st.characters(), min_size=1)


@pytest.fixture
def page(make):
    """Return a function that renders snapshots and gives (name, labels) to value."""

    def parse(*snapshots):
        text = render(snapshots, make.build, make.families, 10_000, 40_960).text().decode()
        samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]
        series = {(s.name, frozenset(s.labels.items())): s.value for s in samples}
        assert len(series) == len(samples), "a series is on the page twice"
        return series

    return parse


def value(series, name, **labels):
    return series.get((f"modelmon_{name}", frozenset(labels.items())), ABSENT)


def names(series):
    return {name for name, _ in series}


def test_the_page_of_a_fleet_is_the_golden_one(golden, make, fleet):
    golden(
        "exposition/fleet.txt",
        render(fleet, make.build, make.families, size=40_960).text().decode(),
    )


def test_the_same_results_give_the_same_bytes_in_any_order(make, fleet):
    forwards = render(fleet, make.build, make.families)
    assert render(fleet[::-1], make.build, make.families) == forwards


def test_everything_on_the_page_is_in_the_catalogue_and_nothing_is_nan(page, fleet):
    labels = {family.name: set(family.labels) for family in CATALOGUE}
    for (name, found), number in page(*fleet).items():
        assert {label for label, _ in found} <= labels[name], name
        assert isfinite(number), name


def test_every_result_metric_of_the_catalogue_can_be_filled(page, make, fleet):
    scored = Estimate(0.1, 900, 900, 0.05, 0.2, then=0.3, now=0.4)
    fields = ("psi", "missing_rate")
    groups = [item for item, family in make.families.items() if family is Family.DISPARITY]
    models = ("score_mean", "decision_rate", "label_rate", "auc_drop")
    readings = [make.reading(measure, scored, "full", field="age") for measure in fields]
    readings += [make.reading(measure, scored, "full") for measure in models]
    readings += [
        make.reading(measure, scored, "full", population="sex", group="f", reference_group="m")
        for measure in groups
    ]
    readings.append(make.reading("psi", scored, "full", segment="region", segment_value="north"))
    gone = SchemaChange("1", ColumnChange.MISSING, "sex", "string", "", True, 1, "a.parquet")  # noqa: FBT003
    found = [make.finding(each) for each in readings]
    run = make.run(readings, found, "full", schema_changes=(gone,))
    of_slice = make.finding(readings[-1]).fingerprint
    alarms = ModelAlarms(found={run.window: {of_slice: Alarm(AlarmState.WARNING, 2, 3)}})
    beyond = (
        Overreach("1", Excess.NOT_ACTING, 40, run.window.end),
        Overreach("1", Excess.CONDITION_BROKEN, 3, run.window.end, "amount", 5000.0),
    )
    full = make.snapshot(run, alarms=alarms, overreach=beyond)
    expected = {family.name for family in CATALOGUE if family.part is Part.RESULTS}
    assert names(page(full, *fleet)) == expected


def test_an_unmeasurable_reading_has_no_score_and_no_state_and_its_verdict_is_seen(page, fleet):
    series = page(*fleet)
    of = {"model": "credit", "model_version": "1", "feature": "age", "method": "psi"}
    assert value(series, "feature_drift_score", **of) is ABSENT
    assert value(series, "feature_drift_state", **of) is ABSENT
    assert value(series, "feature_drift_threshold", **of, severity="warning") == 0.1
    judged = {"model": "credit", "model_version": "1", "feature": "age", "check": "psi"}
    assert value(series, "finding_state", **judged, verdict="unknown") == 1
    for other in ("ok", "warning", "critical"):
        assert value(series, "finding_state", **judged, verdict=other) == 0
    assert (
        value(
            series,
            "findings_unknown",
            model="credit",
            model_version="1",
            check="psi",
            reason="insufficient_data",
        )
        == 1
    )


def test_states_are_the_verdicts(page, fleet):
    series = page(*fleet)
    of = {"model": "credit", "model_version": "1"}
    drift = {**of, "method": "psi"}
    assert value(series, "feature_drift_state", **drift, feature="limit") == 0
    assert value(series, "output_drift_state", **of, method="decision_rate") == 1
    assert value(series, "feature_drift_state", **drift, feature="pay") == 2
    disparity = {**of, "attribute": "sex", "check": "selection_rate_ratio"}
    assert value(series, "disparity_state", **disparity, group="female") == 2
    assert value(series, "disparity_state", **disparity, group="other") is ABSENT
    assert value(series, "disparity_threshold", **disparity, bound="low") == 0.8


def test_a_limit_that_is_not_set_has_no_threshold(page, fleet):
    of = {"model": "credit", "model_version": "1", "feature": "age", "check": "missing_rate"}
    series = page(*fleet)
    assert value(series, "quality_threshold", **of, severity="warning") == 0.01
    assert value(series, "quality_threshold", **of, severity="critical") is ABSENT


def test_features_are_drifted_or_well_or_counted_as_not_judged(page, fleet):
    series, of = page(*fleet), {"model": "credit", "model_version": "1"}
    assert value(series, "features_monitored", **of) == 3
    assert value(series, "features_drifted", **of) == 1
    assert value(series, "features_insufficient_data", **of) == 1


def test_a_silent_log_never_reads_as_zero_drifted_features(page, fleet):
    series, of = page(*fleet), {"model": "silent", "model_version": "1"}
    assert value(series, "features_drifted", **of) is ABSENT
    assert value(series, "features_insufficient_data", **of) == 3
    assert value(series, "window_profiled_records", **of) == 0
    assert value(series, "window_state", model="silent", state="no_data") == 1
    assert value(series, "window_state", model="silent", state="completed") == 0
    assert value(series, "window_files_unreadable", model="silent") == 1
    assert value(series, "data_last_record_timestamp_seconds", model="silent") is ABSENT


def test_a_policy_shows_its_tier_and_what_it_leaves_out(page, make):
    governance = Governance(
        Delegation("approves loans", "cro"),
        Accountability("head"),
        Risk(Tier.HIGH),
        (RiskLimit("any", Rung.HOLD),),
    )
    answered = make.policy(governance=governance)
    partly = make.policy("partly", governance=replace(governance, limits=()))
    series = page(*(make.snapshot(None, policy=item, baselines={}) for item in (answered, partly)))
    info = [dict(labels) for name, labels in series if name == "modelmon_model_info"]
    shown = {item["model"]: (item["tier"], item["governed"]) for item in info}
    assert shown == {"credit": ("high", "true"), "partly": ("high", "false")}
    assert value(series, "policy_incomplete", model="partly", answer="risk.limits") == 1
    assert value(series, "policy_incomplete", model="credit", answer="risk.limits") == 0
    assert value(series, "policy_incomplete", model="partly", answer="risk.tier") == 0


def test_quarantined_files_are_counted_by_reason_and_a_reason_stays_at_zero(page, fleet):
    series = page(*fleet)
    of = {"model": "silent"}
    assert value(series, "files_quarantined", **of, reason="not_parquet") == 1
    assert value(series, "files_quarantined", **of, reason="dropped") == 1
    assert value(series, "files_quarantined", **of, reason="corrupt") == 0
    assert value(series, "file_quarantines_total", **of) == 3
    oldest = value(series, "files_quarantined_oldest_timestamp_seconds", **of)
    assert oldest == datetime(2005, 9, 1, tzinfo=UTC).timestamp()


def test_a_model_whose_files_are_whole_has_no_oldest_file_and_counts_none(page, fleet):
    series = page(*fleet)
    assert value(series, "files_quarantined_oldest_timestamp_seconds", model="credit") is ABSENT
    assert value(series, "file_quarantines_total", model="credit") == 0


def test_a_group_too_small_for_a_rate_still_shows_its_size(page, fleet):
    series = page(*fleet)
    of = {"model": "credit", "model_version": "1", "attribute": "sex", "group": "other"}
    assert value(series, "group_records", **of) == 12
    assert value(series, "group_outcome_ratio", **of) is ABSENT


def test_both_sides_of_a_rate_are_metrics_of_their_own(page, fleet):
    series, of = page(*fleet), {"model": "credit", "model_version": "1"}
    assert value(series, "decision_positive_ratio", **of) == 0.45
    assert value(series, "baseline_decision_positive_ratio", **of) == 0.4
    assert value(series, "auc", **of) == 0.75


def test_runs_and_failures_are_counted_with_foreseen_failures_at_zero(page, fleet):
    series = page(*fleet)
    assert value(series, "check_runs_total", model="credit") == 6
    assert value(series, "check_run_failures_total", model="credit", reason="SourceError") == 2
    assert value(series, "check_run_failures_total", model="new", reason="StoreError") == 0
    assert value(series, "check_last_success_timestamp_seconds", model="new") is ABSENT


def test_the_interval_is_there_until_the_schedule_has_no_further_window(page, make):
    def interval(end):
        schedule = Schedule(CalendarUnit.MONTH, end=end)
        shot = make.snapshot(make.run())
        shot = replace(shot, policy=replace(shot.policy, schedule=schedule))
        return value(page(shot), "check_interval_seconds", model="credit")

    a_month = 31 * 86_400 + 3_600
    assert interval(None) == a_month
    assert interval(datetime(2005, 10, 1, tzinfo=UTC)) == a_month
    assert interval(datetime(2005, 9, 15, tzinfo=UTC)) is ABSENT


def test_series_of_a_model_are_counted_as_they_stand_on_the_page(page, fleet):
    series = page(*fleet)
    own = [labels for _, labels in series if ("model", "credit") in labels]
    assert value(series, "series", model="credit") == len(own)


def test_a_reading_of_an_unknown_measure_is_counted_and_its_verdict_still_seen(page, make):
    odd = make.reading("entropy_of_old", Estimate(1.0, 9), field="age")
    series = page(make.snapshot(make.run([odd], [make.finding(odd, Verdict.WARNING)])))
    assert value(series, "series_dropped", model="credit", reason="unplaced") == 2
    of = {"model": "credit", "model_version": "1", "check": "entropy_of_old"}
    assert value(series, "finding_state", **of, feature="age", verdict="warning") == 1


def test_a_reading_that_is_there_twice_takes_one_series_and_is_counted(page, make):
    twice = [make.reading("psi", Estimate(score, 9), field="age") for score in (0.1, 0.2)]
    series = page(make.snapshot(make.run(twice)))
    assert value(series, "series_dropped", model="credit", reason="unplaced") == 1
    of = {"model": "credit", "model_version": "1", "feature": "age", "method": "psi"}
    assert value(series, "feature_drift_score", **of) == 0.1


def test_hostile_names_are_read_back_as_their_label_values(page, hostile):
    series = page(hostile)
    features = {
        dict(labels)["feature"] for name, labels in series if name == "modelmon_feature_drift_score"
    }
    assert features == {label_value(field.name) for field in hostile.policy.fields}
    assert (
        value(series, "series_dropped", model=label_value(hostile.policy.model), reason="unplaced")
        == 0
    )


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(fields=st.lists(NAMES, unique=True, min_size=1, max_size=4), group=NAMES, version=NAMES)
def test_any_name_is_read_back_as_its_label_value(page, make, fields, group, version):
    absent = Unmeasurable(Absence.UNDEFINED, "0/0")
    readings = [make.reading("psi", Estimate(0.5, 9), version=version, field=f) for f in fields]
    readings.append(
        make.reading("selection_rate", absent, version=version, population=group, group=group)
    )
    findings = [make.finding(each, Verdict.UNKNOWN, Reason.UNDEFINED) for each in readings]
    result = VersionResult(version, "", 9, b"", tuple(readings), tuple(findings))
    series = page(make.snapshot(make.run(results=(result,))))
    for field in fields:
        of = {"model": "credit", "model_version": label_value(version), "method": "psi"}
        assert value(series, "feature_drift_score", **of, feature=label_value(field)) == 0.5


def test_a_metric_or_label_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(ValueError, match="modelmon_nonsense"):
        Sheet().add("nonsense", 1)
    with pytest.raises(ValueError, match="surprise"):
        Sheet().add("models", 1, surprise="x")


def test_a_limit_on_the_change_of_a_ratio_is_a_threshold_by_severity(page, make):
    change = make.reading(
        "selection_rate_ratio_change", Estimate(0.3, 9), population="sex", group="f"
    )
    judged = make.finding(change, Verdict.WARNING, Reason.BEYOND_WARNING, Limit(0.2, None))
    series = page(make.snapshot(make.run([change], [judged])))
    of = {"model": "credit", "model_version": "1", "attribute": "sex"}
    of["check"] = "selection_rate_ratio_change"
    assert value(series, "disparity_threshold", **of, severity="warning") == 0.2
    assert value(series, "disparity_state", **of, group="f") == 1


@pytest.mark.parametrize(
    ("state", "warning", "critical"),
    [
        (AlarmState.NONE, 0, 0),
        (AlarmState.PENDING, 0, 0),
        (AlarmState.WARNING, 1, 0),
        (AlarmState.CRITICAL, 0, 1),
        (AlarmState.UNKNOWN, ABSENT, ABSENT),
    ],
)
def test_an_alarm_is_a_series_for_each_severity_beside_the_verdict(
    page, make, state, warning, critical
):
    psi = make.reading("psi", Estimate(0.3, 999, 999, low=0.2, high=0.4), field="pay")
    found = make.finding(psi, Verdict.WARNING, Reason.BEYOND_WARNING)
    latest = make.run((psi,), (found,))
    alarms = ModelAlarms(found={latest.window: {found.fingerprint: Alarm(state, 1, 3)}})
    series = page(make.snapshot(latest, alarms=alarms))
    of = {"model": "credit", "model_version": "1", "check": "psi", "feature": "pay"}
    assert value(series, "finding_state", **of, verdict="warning") == 1
    of["finding"] = found.fingerprint
    assert value(series, "alarm_firing", **of, family="drift", severity="warning") == warning
    assert value(series, "alarm_firing", **of, family="drift", severity="critical") == critical


def test_what_was_tolerated_stands_beside_the_limit(page, make):
    psi = make.reading("psi", Estimate(0.3, 999, 999, low=0.2, high=0.4), field="pay")
    tests = {
        Verdict.WARNING: Evidence(0.18, 0.18, 60, 0.01, 0.04, 9),
        Verdict.CRITICAL: Evidence(0.25, 0.21, 60, 0.3, 0.9, 9),
    }
    found = replace(make.finding(psi, limit=Limit(0.1, 0.25)), evidence=tests)
    series = page(make.snapshot(make.run((psi,), (found,))))
    of = {"model": "credit", "model_version": "1", "method": "psi", "feature": "pay"}
    for severity, limit, tolerated in (("warning", 0.1, 0.18), ("critical", 0.25, 0.25)):
        assert value(series, "feature_drift_threshold", **of, severity=severity) == limit
        assert value(series, "feature_drift_tolerance", **of, severity=severity) == tolerated


def test_the_detector_has_series_where_there_is_one(page, make):
    latest = make.run()
    assert not {name for name in names(page(make.snapshot(latest))) if "detector" in name}
    alarms = ModelAlarms(detections={latest.window: Detection(400.0, 365.0)})
    series = page(make.snapshot(latest, alarms=alarms))
    told = {
        name: value(series, f"detector_{name}", model="credit")
        for name in ("evidence", "threshold", "firing")
    }
    assert told == {"evidence": 400, "threshold": 365, "firing": 1}


def test_an_alarm_goes_on_while_the_log_is_silent(page, make):
    psi = make.reading("psi", Estimate(0.3, 999, 999, low=0.2, high=0.4), field="pay")
    found = make.finding(psi, Verdict.WARNING, Reason.BEYOND_WARNING)
    before = make.run((psi,), (found,))
    silent = make.run(results=())
    alarms = ModelAlarms(
        found={silent.window: {found.fingerprint: Alarm(AlarmState.WARNING, 2, 3)}}
    )
    series = page(make.snapshot(silent, alarms=alarms, judged=before))
    of = {"model": "credit", "model_version": "1", "check": "psi", "feature": "pay"}
    alarm = {**of, "finding": found.fingerprint, "family": "drift"}
    assert value(series, "alarm_firing", **alarm, severity="warning") == 1
    assert value(series, "finding_state", **of, verdict="warning") is ABSENT


def of_alert(found):
    subject = found.reading.subject
    of = {"model": "credit", "model_version": "1", "check": "psi", "feature": subject.field}
    return {**of, "finding": found.fingerprint}


@pytest.fixture
def drifted(make):
    return make.finding(make.reading("psi", Estimate(0.3, 999), field="pay"), Verdict.WARNING)


@pytest.mark.parametrize("condition", Condition)
def test_an_alert_fires_on_whatever_the_latest_window_says(page, make, drifted, condition):
    started = datetime(2005, 8, 3, tzinfo=UTC)
    firing = make.alert(drifted, condition=condition, started_at=started)
    series = page(make.snapshot(make.run(), alerts=(firing,)))  # a run that has no word of it
    of = of_alert(drifted)
    assert value(series, "alarm_firing", **of, family="drift", severity="warning") == 1
    assert value(series, "alarm_firing", **of, family="drift", severity="critical") == 0
    assert value(series, "alert_state", **of) == 2
    assert value(series, "alert_started_timestamp_seconds", **of) == started.timestamp()
    shown = {each: value(series, "alert_condition", **of, condition=each) for each in Condition}
    assert shown == {each: each is condition for each in Condition}


@pytest.mark.parametrize("state", [AlertState.RESOLVED, AlertState.ENDED])
def test_an_alert_that_is_over_is_shown_as_of_its_last_window(page, make, drifted, state):
    run = make.run((drifted.reading,), (drifted,))
    alarms = ModelAlarms(found={run.window: {drifted.fingerprint: Alarm(AlarmState.WARNING, 2, 3)}})
    over = make.alert(drifted, state=state, over=run.window)
    series = page(make.snapshot(run, alarms=alarms, alerts=(over,)))
    of = of_alert(drifted)
    assert value(series, "alarm_firing", **of, family="drift", severity="warning") == 0
    assert value(series, "alert_state", **of) == 0
    before = replace(over, over=replace(run.window, start=datetime(2005, 7, 1, tzinfo=UTC)))
    series = page(make.snapshot(run, alarms=alarms, alerts=(before,)))
    assert value(series, "alert_state", **of) is ABSENT


def test_a_mute_is_shown_and_silences_nothing_of_what_is_measured(page, make, drifted):
    run = make.run((drifted.reading,), (drifted,))
    until = run.finished + timedelta(hours=1)
    mute = Mute("credit", drifted.fingerprint, run.finished, until, "ada", "a campaign")
    plain = page(make.snapshot(run, alerts=(make.alert(drifted),)))
    shown = {
        item.until: page(
            make.snapshot(run, alerts=(make.alert(drifted),), mutes={drifted.fingerprint: item})
        )
        for item in (mute, replace(mute, until=run.finished - timedelta(days=7)))
    }
    of = {"model": "credit", "finding": drifted.fingerprint}
    told = [value(each, "alert_muted_until_timestamp_seconds", **of) for each in shown.values()]
    assert told == [until.timestamp(), ABSENT]
    rest = {key: number for key, number in shown[until].items() if "muted" not in key[0]}
    rest[("modelmon_series", frozenset({("model", "credit")}))] -= 1
    assert rest == plain


def test_what_is_held_against_a_reference_has_its_own_series(page, make):
    far, near = (Estimate(size, 9, 9, size, then=size, now=0.5) for size in (0.4, 0.1))
    readings = [
        make.reading(measure, result, **subject, reference=reference)
        for reference, result in (("", near), ("week", far))
        for measure, subject in (("psi", {"field": "age"}), ("decision_rate", {}))
    ]
    groups = {"population": "sex", "group": "f", "reference_group": "m"}
    readings += [
        make.reading("selection_rate_ratio_change", near, **groups, reference=reference)
        for reference in ("", "week")
    ]
    critical = (Verdict.CRITICAL, Reason.BEYOND_CRITICAL)
    findings = [
        make.finding(item, *(critical if item.subject.reference else (Verdict.OK, Reason.WITHIN)))
        for item in readings[:4]
    ]
    series = page(make.snapshot(make.run(readings, findings)))
    of = {"model": "credit", "model_version": "1"}
    drift = {**of, "feature": "age", "method": "psi"}
    assert value(series, "feature_drift_score", **drift) == 0.1
    assert value(series, "feature_drift_score", **drift, reference="week") == 0.4
    assert value(series, "feature_drift_state", **drift) == 0
    assert value(series, "feature_drift_state", **drift, reference="week") == 2
    assert value(series, "output_drift_state", **of, method="decision_rate", reference="week") == 2
    change = {**of, "attribute": "sex", "group": "f", "check": "selection_rate_ratio_change"}
    assert value(series, "disparity_ratio_change", **change, reference="week") == 0.1
    judged = {**of, "check": "psi", "verdict": "critical"}
    assert value(series, "finding_state", **judged, feature="age", reference="week") == 1
    assert value(series, "findings", **judged) == 0
    assert value(series, "findings", **judged, reference="week") == 1
    # What is counted or named after the baseline is not the reference's.
    assert value(series, "baseline_decision_positive_ratio", **of) == 0.1
    assert value(series, "features_drifted", **of) == 0
    assert value(series, "series_dropped", model="credit", reason="unplaced") == 0


def test_of_slices_there_are_counts_and_no_series_a_field(page, make):
    slices = [("north", Verdict.OK), ("north", Verdict.CRITICAL), ("(other)", Verdict.UNKNOWN)]
    readings = [
        make.reading(
            "psi", Estimate(0.1, 9, 9), field=f"x{place}", segment="region", segment_value=value
        )
        for place, (value, _) in enumerate(slices)
    ]
    whole = make.reading("psi", Estimate(0.1, 9, 9), field="x0")
    findings = [
        make.finding(item, verdict) for item, (_, verdict) in zip(readings, slices, strict=True)
    ]
    made = make.run([whole, *readings], [make.finding(whole), *findings])
    firing = {findings[1].fingerprint: Alarm(AlarmState.CRITICAL, 1, 1)}
    shown = make.snapshot(made, alarms=ModelAlarms(found={made.window: firing}))
    series, of = page(shown), {"model": "credit", "model_version": "1"}
    north = {**of, "segment": "region", "segment_value": "north"}
    found = [value(series, "segment_findings", **north, verdict=str(item)) for item in Verdict]
    assert found == [1, 0, 1, 0]
    assert value(series, "segment_alarms", **north, severity="critical") == 1
    assert value(series, "segment_alarms", **north, severity="warning") == 0
    assert not [key for key in series if key[0] == "modelmon_alarm_firing"]
    other = {**of, "segment": "region", "segment_value": "(other)"}
    assert value(series, "segment_findings", **other, verdict="unknown") == 1
    scores = [key for key in series if key[0] == "modelmon_feature_drift_score"]
    assert len(scores) == 1
    assert value(series, "findings", **of, check="psi", verdict="ok") == 1
    assert value(series, "features_drifted", **of) == 0


def test_a_disparity_within_strata_stands_beside_the_one_over_all_rows(page, make):
    groups = {"population": "sex", "group": "f", "reference_group": "m"}
    readings = [
        make.reading("selection_rate_ratio", Estimate(0.68, 9, 9), **groups),
        *(
            make.reading(f"selection_rate_conditional_{kind}", found, **groups, stratum=factor)
            for factor, ratio, difference in (("dept", 1.06, 0.02), ("tier", 0.9, -0.03))
            for kind, found in (
                ("ratio", Estimate(ratio, 9, 9)),
                ("difference", Estimate(difference, 9, 9)),
            )
        ),
    ]
    series = page(make.snapshot(make.run(readings, [make.finding(each) for each in readings])))
    of = {"model": "credit", "model_version": "1", "attribute": "sex", "group": "f"}
    assert value(series, "disparity_ratio", **of, check="selection_rate_ratio") == 0.68
    for factor, ratio, difference in (("dept", 1.06, 0.02), ("tier", 0.9, -0.03)):
        within = {**of, "stratum": factor}
        check = "selection_rate_conditional_ratio"
        assert value(series, "disparity_ratio", **within, check=check) == ratio
        assert value(series, "finding_state", **within, check=check, verdict="ok") == 1
        check = "selection_rate_conditional_difference"
        assert value(series, "disparity_difference", **within, check=check) == difference
    assert value(series, "series_dropped", model="credit", reason="unplaced") == 0


def test_decisions_that_a_version_was_not_allowed_to_make_are_shown_by_why(page, make):
    run = make.run([], [])
    window = run.window
    spell = Spell(window.start, window.end, Regime.ALLOWED)
    accounting = replace(run.accounting, authority=(Tally("8", spell, 5, window.start),))
    found = (
        Overreach("1", Excess.NOT_ACTING, 40, window.end),
        Overreach("9", Excess.UNKNOWN_VERSION, 2, window.end),
        Overreach("2", Excess.CONDITION_BROKEN, 0, window.end, "amount", 5000.0),
        Overreach("2", Excess.CONDITION_BROKEN, 7, window.end, "human_review_share", 0.25),
        Overreach("2", Excess.CONDITION_UNKNOWN, 3, window.end, "amount", 5000.0),
    )
    series = page(make.snapshot(replace(run, accounting=accounting), overreach=found))
    shown = {
        (name.removeprefix("modelmon_decisions_"), *(dict(labels)[key] for key in keys)): number
        for (name, labels), number in series.items()
        if name.startswith("modelmon_decisions_")
        for keys in [["model_version", "reason" if "authority" in name else "condition"]]
    }
    assert shown == {
        ("outside_authority", "8", "not_acting"): 0,
        ("outside_authority", "1", "not_acting"): 40,
        ("outside_authority", "9", "unknown_version"): 2,
        ("outside_condition", "2", "amount"): 0,
        ("condition_unknown", "2", "amount"): 3,
        ("outside_condition", "2", "human_review_share"): 7,
        ("condition_unknown", "2", "human_review_share"): 0,
    }
