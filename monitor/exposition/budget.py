"""Which series of a model are on the page when there are more than it may have."""

from collections import Counter
from collections.abc import Iterator

from monitor.domain.alarm import AlarmState
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Verdict
from monitor.domain.limit import Band
from monitor.domain.reading import Subject
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.label import label_value
from monitor.exposition.sheet import Labels, Sheet

_WHOSE = ("model_version", "feature", "column", "attribute", "group", "class")
"""Labels that say whose series one is: it is kept or left out with all others of the same."""

_DETAIL = ("feature", "column", "group")
"""A series with none of these is of the model as a whole, or counts others, and is always kept."""

_ALARMS = {AlarmState.CRITICAL: 2, AlarmState.WARNING: 1}

_VERDICTS = {Verdict.CRITICAL: 3, Verdict.WARNING: 2, Verdict.UNKNOWN: 1, Verdict.OK: 0}
"""What could not be judged is shown before what is well."""

_Whose = tuple[str, ...]
_Grade = tuple[int, int, float]

_UNJUDGED: _Grade = (0, -1, 0.0)


def keep_worst(sheet: Sheet, snapshot: ModelSnapshot, most: int) -> int:
    """Leave out of a sheet what is beyond its number of series, and return how many were left out.

    The series of a feature, or of a group of a population, stay or go together. The worst stay:
    first whose alarms fire, then by verdict, then by how far beyond the limit, then by name.
    Series that are of the model as a whole stay, even if they alone are more than there may be.

    Args:
        sheet: Everything that is shown of the model.
        snapshot: The model.
        most: How many series may stay.
    """
    if len(sheet) <= most:
        return 0
    sizes = Counter(
        whose for series in sheet.series.values() for whose in map(_whose, series) if whose
    )
    grades = _grades(snapshot)
    room = most - (len(sheet) - sizes.total())
    kept: set[_Whose] = set()
    for whose in sorted(sizes, key=lambda one: (_descending(grades.get(one, _UNJUDGED)), one)):
        room -= sizes[whose]
        if room < 0:
            break
        kept.add(whose)
    return sheet.leave_out(lambda labels: bool(whose := _whose(labels)) and whose not in kept)


def _whose(labels: Labels) -> _Whose:
    """Return whose a series is; nothing for one of the model as a whole."""
    found = dict(labels)
    if not any(name in found for name in _DETAIL):
        return ()
    return tuple(found.get(name, "") for name in _WHOSE)


def _descending(grade: _Grade) -> _Grade:
    alarm, verdict, beyond = grade
    return -alarm, -verdict, -beyond


def _grades(snapshot: ModelSnapshot) -> dict[_Whose, _Grade]:
    """Return how grave the gravest finding of each feature and group is."""
    grades: dict[_Whose, _Grade] = {}
    alarms = (
        {} if snapshot.latest is None else snapshot.alarms.found.get(snapshot.latest.window, {})
    )
    for finding in _findings(snapshot):
        alarm = alarms.get(finding.fingerprint)
        grade = (
            0 if alarm is None else _ALARMS.get(alarm.state, 0),
            _VERDICTS[finding.verdict],
            _beyond(finding),
        )
        whose = _of_subject(finding.reading.subject)
        grades[whose] = max(grade, grades.get(whose, _UNJUDGED))
    for alert in snapshot.alerts:
        if alert.firing:  # whatever the latest window says of it
            whose = _of_subject(alert.subject)
            grade = (_ALARMS[AlarmState(alert.severity.value)], _VERDICTS[alert.severity], 0.0)
            grades[whose] = max(grade, grades.get(whose, _UNJUDGED))
    return grades


def _findings(snapshot: ModelSnapshot) -> Iterator[Finding]:
    for run in (snapshot.latest, snapshot.judged):
        if run is not None:
            yield from run.findings
            for result in run.results:
                yield from result.findings


def _of_subject(subject: Subject) -> _Whose:
    names = (
        *(subject.version, subject.field, "", subject.population, subject.group),
        subject.class_name,
    )
    return tuple(label_value(name) for name in names)


def _beyond(finding: Finding) -> float:
    """Return the size of a finding in units of its limit: 1 is at the limit, more is beyond it."""
    limit, result = finding.limit, finding.reading.result
    if not isinstance(result, Estimate):
        return 0.0
    if isinstance(limit, Band):
        middle, half = (limit.high + limit.low) / 2, (limit.high - limit.low) / 2
        return abs(result.value - middle) / half if half else abs(result.value - middle)
    bound = next((each for each in (limit.warning, limit.critical) if each), None)
    return 0.0 if bound is None else result.value / bound
