"""Alarms and the life of alerts, as series."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from monitor.domain.alarm import AlarmState
from monitor.domain.alert import Alert, AlertState, Condition
from monitor.domain.finding import Finding
from monitor.domain.reading import Subject
from monitor.domain.run import Run, VersionResult
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.sheet import Sheet
from monitor.measures.measure import Family

_STATES = {AlertState.PENDING: 1, AlertState.FIRING: 2}
"""An alert that is over is 0, whichever way it ended."""

_MUTES_SHOWN = timedelta(days=7)
"""How long after its end a mute is shown; longer than alerts are kept while nobody exports."""

_SEVERITIES = (AlarmState.WARNING, AlarmState.CRITICAL)

_Of = tuple[str, str, Subject]
"""A finding: its fingerprint, its measure, what it was measured on."""


def add_alerts(
    sheet: Sheet, snapshot: ModelSnapshot, run: Run, families: Mapping[str, Family]
) -> int:
    """Add what somebody is called for, and return how many series found no place.

    Args:
        sheet: Where the series go.
        snapshot: The model.
        run: Its latest window.
        families: Measure id to the section of ``limits`` it belongs to.
    """
    before = () if snapshot.judged is None else snapshot.judged.results
    parts: tuple[Run | VersionResult, ...] = (run, *run.results, *before)
    findings = [finding for part in parts for finding in part.findings]
    alarms = snapshot.standing
    dropped = 0
    for of in _judged(findings, snapshot.alerts):
        name, _, subject = of
        if name in alarms and not subject.scanned:
            dropped += _add_alarm(sheet, of, alarms[name], families)
    _add_slices(sheet, findings, snapshot, alarms)
    dropped += sum(_add_alert(sheet, alert, run) for alert in snapshot.alerts)
    _add_mutes(sheet, snapshot, run)
    detection = snapshot.alarms.detections.get(run.window)
    if detection is not None:
        sheet.add("detector_evidence", detection.statistic, model=run.model)
        sheet.add("detector_threshold", detection.threshold, model=run.model)
        sheet.add("detector_firing", detection.firing, model=run.model)
    return dropped


def _add_mutes(sheet: Sheet, snapshot: ModelSnapshot, run: Run) -> None:
    # One that has ended says so for a while: an outage must not bring back what it said before.
    for mute in snapshot.mutes.values():
        if mute.until > run.finished - _MUTES_SHOWN:
            of = {"model": run.model, "finding": mute.fingerprint}
            sheet.add("alert_muted_until_timestamp_seconds", mute.until.timestamp(), **of)


def _judged(findings: Iterable[Finding], alerts: Iterable[Alert]) -> list[_Of]:
    found: dict[str, _Of] = {
        item.fingerprint: (item.fingerprint, item.reading.measure, item.reading.subject)
        for item in findings
    }
    for alert in alerts:
        if alert.firing:
            found.setdefault(alert.fingerprint, (alert.fingerprint, alert.measure, alert.subject))
    return list(found.values())


def _labels(of: _Of) -> dict[str, str]:
    name, measure, subject = of
    return {
        "model": subject.model,
        "model_version": subject.version,
        "check": measure,
        "feature": subject.field,
        "attribute": subject.population,
        "group": subject.group,
        "class": subject.class_name,
        "stratum": subject.stratum,
        "reference": subject.reference,
        "finding": name,
    }


def _add_alarm(sheet: Sheet, of: _Of, state: AlarmState, families: Mapping[str, Family]) -> int:
    labels = {**_labels(of), "family": families.get(of[1], "")}
    return sum(
        not sheet.add("alarm_firing", state is severity, **labels, severity=severity.value)
        for severity in _SEVERITIES
    )


def _add_alert(sheet: Sheet, alert: Alert, run: Run) -> int:
    """Add an alert that is open, or over as of the latest window; return what found no place."""
    if alert.subject.scanned or not (alert.open or alert.over == run.window):
        return 0
    labels = _labels((alert.fingerprint, alert.measure, alert.subject))
    dropped = not sheet.add("alert_state", _STATES.get(alert.state, 0), **labels)
    if not alert.open:
        return dropped
    for condition in Condition:
        holds = alert.condition is condition
        sheet.add("alert_condition", holds, **labels, condition=condition.value)
    if alert.firing and alert.started_at is not None:
        sheet.add("alert_started_timestamp_seconds", alert.started_at.timestamp(), **labels)
    return dropped


def _add_slices(
    sheet: Sheet,
    findings: Sequence[Finding],
    snapshot: ModelSnapshot,
    alarms: Mapping[str, AlarmState],
) -> None:
    firing: dict[tuple[str, str, str, str], Counter[AlarmState]] = {}
    for name, _, subject in _judged(findings, snapshot.alerts):
        if subject.scanned and name in alarms:
            of = (subject.model, subject.version, subject.segment, subject.segment_value)
            firing.setdefault(of, Counter())[alarms[name]] += 1
    for (model, version, segment, value), states in firing.items():
        for severity in _SEVERITIES:
            sheet.add(
                "segment_alarms",
                states[severity],
                model=model,
                model_version=version,
                segment=segment,
                segment_value=value,
                severity=severity.value,
            )
