"""Alarms that are open at a period's end, from the very results that the report names."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from monitor.domain.alarm import Alarm
from monitor.domain.disparity import STRETCH_DAYS
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding
from monitor.domain.limit import Band
from monitor.domain.policy import Policy
from monitor.domain.run import Run
from monitor.engine.alarms import alarms_of
from monitor.engine.ports import WindowVerdicts
from monitor.measures.catalogue import CATALOGUE
from monitor.reports.bias.history import OpenAlarm
from monitor.reports.wording import (
    all_findings,
    finding_name,
    model_measure_name,
    population_words,
    window_name,
)

_TITLES = {measure.about.id: measure.about.title for measure in CATALOGUE}


def open_alarms(policy: Policy, runs: Sequence[Run]) -> tuple[OpenAlarm, ...]:
    """Return the alarms that are open at the end of some windows, those about groups first.

    Args:
        policy: Has the rules.
        runs: The results of the windows, oldest first; what was before them is not looked at.
    """
    if not runs:
        return ()
    alarms = alarms_of(policy, [_verdicts(run) for run in runs])
    findings = {item.fingerprint: item for run in runs for item in all_findings(run)}
    opened = [
        _told(policy, findings[name], alarm, _since(name, alarms, runs))
        for name, alarm in alarms[-1].items()
        if alarm.firing
    ]
    return tuple(sorted(opened, key=lambda item: (not item.population, item.state)))


def _verdicts(run: Run) -> WindowVerdicts:
    found = all_findings(run)
    verdicts = {item.fingerprint: item.verdict for item in found}
    of_groups = (item for item in found if isinstance(item.limit, Band))
    since = {item.fingerprint: run.window.end - _rests_on(item, run) for item in of_groups}
    return WindowVerdicts(run.window, run.outcome, verdicts, since)


def _rests_on(finding: Finding, run: Run) -> timedelta:
    result = finding.reading.result
    days = result.detail.get(STRETCH_DAYS) if isinstance(result, Estimate) else None
    return run.window.duration if days is None else timedelta(days=days)


def _since(name: str, alarms: Sequence[Mapping[str, Alarm]], runs: Sequence[Run]) -> str:
    since = runs[-1]
    for found, run in zip(reversed(alarms), reversed(runs), strict=True):
        if name not in found or not found[name].firing:
            break
        since = run
    return window_name(since.window)


def _told(policy: Policy, finding: Finding, alarm: Alarm, since: str) -> OpenAlarm:
    reading = finding.reading
    subject, measure = reading.subject, _TITLES.get(reading.measure, reading.measure)
    about = subject.field or model_measure_name(policy, reading.measure)
    return OpenAlarm(
        population_words(subject) if subject.population else "",
        subject.group if subject.population else about,
        subject.reference_group or subject.reference or "the baseline",
        measure,
        alarm.state.value,
        since,
        finding_name(finding),
    )
