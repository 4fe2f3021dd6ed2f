"""Fleets of models with results as a run leaves them, made in memory, to render and to scrape."""

from datetime import UTC, datetime

from monitor.domain.alarm import Alarm, AlarmState
from monitor.domain.estimate import Estimate
from monitor.domain.field import Field, FieldKind
from monitor.domain.finding import Evidence, Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.manifest import Accounting, LogFile, Manifest
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import Outcome, Run, VersionResult
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.alarms import ModelAlarms
from monitor.engine.ports import RunCounts
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.render import Build
from monitor.measures.measure import Family

BUILD = Build("benchmark")
FAMILIES = {
    **dict.fromkeys(("psi", "jensen_shannon", "ks"), Family.DRIFT),
    **dict.fromkeys(("missing_rate", "unseen_rate"), Family.QUALITY),
}

_WINDOW = Window(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC))
RAN = datetime(2026, 2, 2, 1, tzinfo=UTC)
_JUDGED = {
    "psi": Limit(0.1, 0.25),
    "missing_rate": Limit(0.01, 0.05),
    "unseen_rate": Limit(0.01, None),
}


def fleet(models: int, features: int) -> list[ModelSnapshot]:
    """Return models with so many features each, each with five measures of which three are judged."""
    return [model(f"model-{number:03d}", features) for number in range(models)]


def model(name: str, features: int, shift: float = 0.0) -> ModelSnapshot:
    """Return a model whose scores depend on the feature and on a shift."""
    fields = [f"feature_{number:04d}" for number in range(features)]
    readings = [
        Reading(measure, Subject(name, "2026-01", field=field), _estimate(number, place, shift))
        for number, field in enumerate(fields)
        for place, measure in enumerate(FAMILIES)
    ]
    findings = [_judge(one) for one in readings if one.measure in _JUDGED]
    alarms = {
        one.fingerprint: Alarm(
            AlarmState.NONE if one.verdict is Verdict.OK else AlarmState.WARNING, 1, 3
        )
        for one in findings
    }
    result = VersionResult("2026-01", "cd" * 32, 90_000, b"", tuple(readings), tuple(findings))
    run = Run(
        model=name,
        window=_WINDOW,
        identity="ef" * 32,
        policy="ab" * 32,
        manifest=Manifest(files=(LogFile("part-0.parquet", 10, "", 90_000),)),
        accounting=Accounting(90_000, {"2026-01": 90_000}),
        outcome=Outcome.COMPLETED,
        started=RAN,
        finished=RAN,
        code="benchmark",
        results=(result,),
    )
    counts = RunCounts(30, 0, {}, RAN, 4.0)
    return ModelSnapshot(
        _policy(name, fields), {}, run, counts, 1, alarms=ModelAlarms(found={_WINDOW: alarms})
    )


def _policy(name: str, fields: list[str]) -> Policy:
    return Policy(
        model=name,
        source=SourceSpec("log", "time"),
        fields=tuple(Field(field, field, FieldKind.NUMERIC) for field in fields),
        decision=None,
        label=None,
        attributes={},
        populations=(),
        schedule=Schedule(CalendarUnit.DAY),
        limits={},
        band=Band(),
        owner="risk",
        digest="ab" * 32,
    )


def _estimate(number: int, place: int, shift: float) -> Estimate:
    value = (number * 7919 + place * 104_729) % 1_000_003 / 1_000_003 * 0.12 + shift
    return Estimate(value, 90_000, 90_000, low=value * 0.9, high=value * 1.1)


def _judge(reading: Reading) -> Finding:
    limit, result = _JUDGED[reading.measure], reading.result
    assert isinstance(result, Estimate)
    beyond = limit.warning is not None and result.value > limit.warning
    verdict = Verdict.WARNING if beyond else Verdict.OK
    reason = Reason.BEYOND_WARNING if beyond else Reason.WITHIN
    bounds = {Verdict.WARNING: limit.warning, Verdict.CRITICAL: limit.critical}
    tests = {
        which: Evidence(bound, bound, 60, 0.2, 0.4, 3)
        for which, bound in bounds.items()
        if bound is not None
    }
    return Finding(reading, limit, verdict, reason, "benchmark", tests)
