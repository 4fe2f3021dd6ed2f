"""modelmon with its default configuration on a stream."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.alarms.laws import FIELDS, Law
from benchmarks.alarms.streams import Stream
from monitor.alerts.detector import detections, e_value
from monitor.alerts.findings import findings_of
from monitor.alerts.persistence import alarms_over, verdicts_of
from monitor.config.model_file import load_policy
from monitor.domain.finding import Finding, Verdict
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import FieldMeasure, FieldPair
from monitor.measures.variability import floors
from monitor.profile.profile import Profile, merged

BEYOND = frozenset({Verdict.WARNING, Verdict.CRITICAL})
SINGLE_TEST = 0.05
"""The level of a field's own test, before it is adjusted for the others."""


@dataclass(frozen=True)
class Judged:
    """What modelmon says of one window.

    Attributes:
        beyond: Fields with a finding beyond a limit in this window.
        firing: Fields with an alarm as of this window.
        rejected: Fields whose index alone, tested against the warning limit, would be beyond it.
        evidence: The window's e-value; None when nothing could be tested.
    """

    beyond: frozenset[str]
    firing: frozenset[str]
    rejected: frozenset[str]
    evidence: float | None


SILENT = Judged(frozenset(), frozenset(), frozenset(), None)


def judged(stream: Stream, windows: Iterable[Profile]) -> list[Judged]:
    """Return what is said of the windows of a stream, in their order."""
    policy = default_policy(stream.plan.laws)
    learned = floors(policy.limits, stream.grid, merged(stream.days), stream.days)
    said = [
        findings_of(readings, policy, learned)
        for readings in judged_readings(stream, windows, policy)
    ]
    alarms = alarms_over([verdicts_of(findings) for findings in said], policy.alarms)
    found = []
    for findings, firing in zip(said, alarms, strict=True):
        fields = {finding.fingerprint: finding.reading.subject.field for finding in findings}
        found.append(
            Judged(
                frozenset(item.reading.subject.field for item in findings if _beyond(item)),
                frozenset(fields[name] for name, alarm in firing.items() if alarm.firing),
                frozenset(item.reading.subject.field for item in findings if _rejected(item)),
                e_value(findings),
            )
        )
    return found


def detected(said: Sequence[Judged], false_alarms_per_year: float) -> list[bool]:
    """Return whether the detector calls, window by window."""
    bound = promised(false_alarms_per_year)
    return [one.firing for one in detections([item.evidence for item in said], bound)]


def promised(false_alarms_per_year: float) -> float:
    """Return the mean number of windows between false alarms that the detector promises."""
    return default_policy(FIELDS).schedule.windows_per_year / false_alarms_per_year


@cache
def default_policy(laws: tuple[Law, ...]) -> Policy:
    """Return the policy of a file that declares the fields and nothing else."""
    lines = ["model: experiment", "source: {path: log, event_time: at}", "fields:"]
    lines += [f"  {law.name}: {law.kind}" for law in laws]
    lines += ["schedule: {window: day}", ""]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "experiment.yaml")
        path.write_text("\n".join(lines), encoding="utf-8")
        return load_policy(path)


def judged_readings(
    stream: Stream, windows: Iterable[Profile], policy: Policy
) -> Iterator[tuple[Reading, ...]]:
    """Yield the readings of each window that the policy judges: what is only shown takes long."""
    reference = merged(stream.days)
    for profile in windows:
        pairs = (
            FieldPair(
                field,
                stream.grid.fields[field.name],
                reference.fields[field.name],
                profile.fields[field.name],
            )
            for field in policy.fields
        )
        yield tuple(
            Reading(measure.about.id, Subject(policy.model, "1", field=pair.field.name), result)
            for pair in pairs
            for measure in CATALOGUE
            if isinstance(measure, FieldMeasure) and measure.about.id in policy.limits
            if measure.applies(pair.grid) and measure.asked_of(pair.field)
            for result in [measure.measure(pair)]
        )


def _beyond(finding: Finding) -> bool:
    return finding.verdict in BEYOND


def _rejected(finding: Finding) -> bool:
    test = finding.evidence.get(Verdict.WARNING)
    return finding.reading.measure == "psi" and test is not None and test.p_value < SINGLE_TEST
