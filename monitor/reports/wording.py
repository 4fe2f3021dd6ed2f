"""How windows, subjects and numbers are written, in every report alike."""

from collections.abc import Mapping, Sequence

from monitor.domain.alarm import Alarm, AlarmState
from monitor.domain.estimate import Estimate
from monitor.domain.field import Part
from monitor.domain.finding import Finding, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.naming import EMPTY
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import Run, VersionResult
from monitor.domain.window import Window

_NAMED_STRAYS = 3

NAMED_WINDOWS = 6
"""Windows that a line names; of more it names the newest."""

_PARTS = {
    Part.AGE: "seconds from the value to the event, below 0 where it lies after it: 3600 is an hour",
    Part.HOUR_OF_WEEK: "the hour of the week on the clock of",
    Part.LENGTH: "characters",
    Part.TOKENS: "pieces between white space",
    Part.NON_ASCII: "the share of characters beyond ASCII",
    Part.DIGITS: "the share of characters that are digits",
    Part.PUNCTUATION: "the share of characters that are ASCII punctuation",
    Part.NORM: "the length of the vector",
}
"""What the number of a part is, where its name does not say so."""
_DIGITS = 8


def all_findings(run: Run) -> tuple[Finding, ...]:
    """Return the findings of every version and those on the log itself."""
    return (*run.findings, *(item for result in run.results for item in result.findings))


def finding_name(finding: Finding) -> str:
    """Return the first digits of a fingerprint: enough for a person to name it by."""
    return finding.fingerprint[:_DIGITS]


def window_name(window: Window) -> str:
    """Return a short name: the month where the window is one, else the day or instant it starts."""
    start, end = window.start, window.end
    midnight = (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0)
    if not midnight:
        return f"{start:%Y-%m-%d %H:%M}"
    next_month = (start.year + start.month // 12, start.month % 12 + 1)
    if start.day == end.day == 1 and (end.year, end.month) == next_month:
        return f"{start:%Y-%m}"
    return f"{start:%Y-%m-%d}"


def window_names(names: Sequence[str]) -> str:
    """Return windows in a line: all of a few, else the newest and the number of those before."""
    told = ", ".join(names[-NAMED_WINDOWS:])
    rest = len(names) - NAMED_WINDOWS
    return f"{told} and {rest:,} before" if rest > 0 else told


def decision_name(policy: Policy) -> str:
    """Return what the decision is called in the log."""
    return policy.decision.column if policy.decision else "decision"


def population_words(subject: Subject) -> str:
    """Return the population, and the class that its groups are compared on if it is but one."""
    if not subject.class_name:
        return subject.population
    return f"{subject.population} ({subject.class_name} against the rest)"


def model_measure_name(policy: Policy, measure: str) -> str:
    """Return what a measure of the whole model is about, in the log's own words."""
    label = policy.label.column if policy.label else "label"
    named = {
        "decision_rate": f"{decision_name(policy)} rate",
        "undecided_rate": "rows without a known decision",
        "label_rate": f"{label} rate",
        "prediction_shares": "share of a predicted class",
        "label_shares": f"share of a class of {label}",
    }
    return named.get(measure, "model")


def part_words(policy: Policy, name: str) -> str:
    """Return what is counted of a field that is a part of another, in a sentence; "" for others."""
    for field in policy.fields:
        if field.name == name and field.part in _PARTS:
            zone = f" {field.zone}" if field.part is Part.HOUR_OF_WEEK else ""
            return f"{name} is {_PARTS[field.part]}{zone}."
    return ""


def measured_on(policy: Policy, measure: str, subject: Subject) -> str:
    """Return what is measured, and what it is held against if not the baseline."""
    since = f" (against {subject.reference})" if subject.reference else ""
    if subject.reference and subject.segment:
        since = f" of {slice_name(subject)}{since}"
    if subject.population:
        against = f" against {subject.reference_group}" if subject.reference_group else ""
        within = f" within {subject.stratum}" if subject.stratum else ""
        given = f", {subject.class_name} against the rest" if subject.class_name else ""
        return f"{subject.population}: {subject.group}{against}{within}{given}{since}"
    return f"{subject.field or model_measure_name(policy, measure)}{since}"


def slice_name(subject: Subject) -> str:
    """Return the name of the slice that a subject is; "" where it is none."""
    return f"{subject.segment}: {subject.segment_value or EMPTY}" if subject.segment else ""


def about_slice(policy: Policy, measure: str, subject: Subject) -> str:
    """Return what is measured, and of which slice if it is one."""
    of = f" of {slice_name(subject)}" if subject.scanned else ""
    return f"{measured_on(policy, measure, subject)}{of}"


def subject_of(policy: Policy, reading: Reading) -> str:
    """Return what a reading is about, its slice, and what it is held against if not the baseline."""
    return about_slice(policy, reading.measure, reading.subject)


def strays(result: VersionResult) -> Mapping[str, str]:
    """Return the most frequent values that the baseline did not hold, by field, in words."""
    # numpy and Arrow come with profiles: configuration is checked without them.
    from monitor.profile.codec import profile_from_bytes  # noqa: PLC0415
    from monitor.profile.counts import CategoricalCounts  # noqa: PLC0415

    found: dict[str, str] = {}
    if not result.profile:  # nothing is registered of the version
        return found
    for name, counts in profile_from_bytes(result.profile).fields.items():
        if isinstance(counts, CategoricalCounts) and counts.unseen.rows:
            listed = counts.unseen.most_frequent(_NAMED_STRAYS)
            found[name] = ": " + ", ".join(f"{value!r} ({rows:,})" for value, rows in listed)
    return found


def value_text(reading: Reading) -> str:
    """Return a number with its interval, or a dash."""
    result = reading.result
    if not isinstance(result, Estimate):
        return "–"
    text = f"{result.value:.2f}"
    if result.low is not None and result.high is not None:
        return f"{text} ({result.low:.2f}–{result.high:.2f})"
    return text if result.low is None else f"{text} (≥ {result.low:.2f})"


def change_text(reading: Reading) -> str:
    """Return the quantity then and now and what it is of, or a dash."""
    result = reading.result
    if not isinstance(result, Estimate) or result.then is None or result.now is None:
        return "–"
    change = f"{result.then:.3f} → {result.now:.3f}"
    return f"{change}; {result.note}" if result.note else change


def share(rate: float, rows: int) -> str:
    """Return a rate in per cent with the rows that it is of."""
    return f"{rate:.1%} of {rows:,}"


def alarm_text(alarm: Alarm) -> str:
    """Return what a finding amounts to, and why."""
    match alarm.state:
        case AlarmState.CRITICAL:
            return "critical"
        case AlarmState.WARNING:
            return f"warning, {alarm.beyond} of {alarm.judged}"
        case AlarmState.PENDING:
            return f"{alarm.beyond} of {alarm.needed} windows so far"
        case AlarmState.NONE:
            return "none"
        case AlarmState.UNKNOWN:
            return "unknown"


def limit_text(finding: Finding) -> str:
    """Return the bounds of a limit or a band."""
    match finding.limit:
        case Band() as band:
            return f"{band.low:.3g} to {band.high:.3g}"
        case Limit() as limit:
            bounds = {Verdict.WARNING: limit.warning, Verdict.CRITICAL: limit.critical}
            return " / ".join(_bound_text(item, finding) for item in bounds.items())


def _bound_text(bound: tuple[Verdict, float | None], finding: Finding) -> str:
    """Return a bound, and what was tolerated instead where the baseline itself reaches more."""
    severity, limit = bound
    if limit is None:
        return "–"
    test = finding.evidence.get(severity)
    raised = test is not None and test.tolerance > limit
    return f"{limit:g} (here {test.tolerance:.2g})" if test and raised else f"{limit:g}"
