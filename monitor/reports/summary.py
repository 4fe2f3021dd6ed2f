"""What a person reads after a run: what changed, which groups differ, what could not be judged."""

from collections.abc import Collection, Iterable, Sequence

from monitor.alerts.disparity import OF_CHANGE, metric_of
from monitor.domain.estimate import Estimate
from monitor.domain.field import Effect
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.manifest import LabelJoin, LateChange
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import Run, VersionResult
from monitor.engine.alarms import ModelAlarms
from monitor.reports.file_notes import notes_on_files
from monitor.reports.groups import difference_table, folded_table, membership_table
from monitor.reports.in_short import in_short
from monitor.reports.performance import performance_table, slice_performance_table
from monitor.reports.slices import slice_table
from monitor.reports.strata import strata_table
from monitor.reports.table import Table
from monitor.reports.unanswered import unanswered
from monitor.reports.wording import (
    alarm_text,
    all_findings,
    change_text,
    decision_name,
    finding_name,
    limit_text,
    model_measure_name,
    population_words,
    share,
    slice_name,
    strays,
    subject_of,
    value_text,
    window_name,
    window_names,
)

SHOWN_WINDOWS = 6
"""Windows that the table of groups has a column for: the latest ones."""

_RANK = {Verdict.OK: 0, Verdict.UNKNOWN: 1, Verdict.WARNING: 2, Verdict.CRITICAL: 3}
_ALARM = frozenset({Verdict.WARNING, Verdict.CRITICAL})
_APART = frozenset({Reason.BREACH, Reason.SUSPECTED})
_RATIO = "selection_rate_ratio"


def summarise(
    policy: Policy, runs: Sequence[Run], alarms: ModelAlarms | None = None
) -> tuple[Table, ...]:
    """Return the summary of a model's runs.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window, in any order.
        alarms: What the findings amount to as of each window; None when only these runs are known.
    """
    ordered = sorted(runs, key=lambda run: run.window)
    tables = (
        Table(
            f"{policy.model} in short",
            ("what happened",),
            tuple((sentence,) for sentence in in_short(policy, ordered, alarms)),
        ),
        _windows(policy, ordered),
        performance_table(policy, ordered),
        _changes(policy, ordered, alarms),
        slice_table(policy, ordered),
        slice_performance_table(policy, ordered),
        _groups(policy, ordered),
        difference_table(ordered),
        _extremes(policy, ordered),
        folded_table(ordered),
        strata_table(policy, ordered),
        label_table(policy, ordered),
        membership_table(policy, ordered),
        *((unanswered(policy),) if ordered else ()),  # said with results, not every hour by cron
        _unknown(policy, ordered),
    )
    return tuple(table for table in tables if table.rows)


def late_changes(policy: Policy, changes: Sequence[LateChange]) -> tuple[Table, ...]:
    """Return what changed in windows that keep their results; no table when nothing did."""
    rows = tuple((window_name(change.window), str(change)) for change in changes)
    note = "These windows keep their results; modelmon run --from … --to … runs them again."
    table = Table(f"{policy.model}, changed and not run again", ("window", "files"), rows, note)
    return (table,) if rows else ()


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the gravest verdict; unknown is graver than ok, and no findings are unknown.

    A slice that is too small to be judged is unknown itself, and makes nothing else so.
    """
    return max(
        (
            finding.verdict
            for finding in findings
            if not finding.reading.subject.scanned or finding.verdict in _ALARM
        ),
        key=_RANK.__getitem__,
        default=Verdict.UNKNOWN,
    )


def _windows(policy: Policy, runs: Sequence[Run]) -> Table:
    shown = [name for name in ("decision_rate", "auc_drop", "label_rate") if _measured(runs, name)]
    rows: list[tuple[str, ...]] = []
    for run in runs:
        name = window_name(run.window)
        blank = ("–",) * len(shown)
        if run.findings:  # what must be said of the log itself
            rows.append((name, "–", f"{run.accounting.placed:,}", *blank, "–", run.outcome, "–"))
        for result in run.results:
            apart = [item for item in result.findings if isinstance(item.limit, Band)]
            changes = [item for item in result.findings if not isinstance(item.limit, Band)]
            rows.append(
                (
                    name,
                    result.version,
                    f"{run.accounting.unregistered.get(result.version, result.rows):,}",
                    *(_now(result.readings, measure) for measure in shown),
                    _drifted(changes),
                    worst(changes),
                    worst(apart) if apart else "–",
                )
            )
    headings = tuple(
        model_measure_name(policy, name) if name != "auc_drop" else "AUC" for name in shown
    )
    return Table(
        f"{policy.model}, window by window (baseline in brackets)",
        ("window", "version", "rows", *headings, "drifted fields", "changes", "groups"),
        tuple(rows),
    )


def _changes(policy: Policy, runs: Sequence[Run], alarms: ModelAlarms | None) -> Table:
    rows: list[tuple[str, ...]] = []
    for run in runs:
        for result in run.results:
            new = strays(result)
            for item in result.findings:
                of_slice = item.reading.subject.scanned  # in a table of their own
                if _is_change(item) and item.verdict in _ALARM and not of_slice:
                    reading = item.reading
                    note = new.get(reading.subject.field, "")
                    change = change_text(reading)
                    if note and reading.measure == "unseen_rate":
                        change += f"; new{note}"
                    rows.append(
                        (
                            window_name(run.window),
                            subject_of(policy, reading),
                            reading.measure,
                            value_text(reading),
                            change,
                            limit_text(item),
                            item.verdict,
                            *_called(alarms, run, item),
                            finding_name(item),
                        )
                    )
    headings = ("window", "what", "measure", "value (interval)", "then → now", "limits", "verdict")
    called = () if alarms is None else ("alarm",)
    return Table(
        "What changed against the baseline"
        + (" and references" if policy.references or policy.peers else ""),
        (*headings, *called, "finding"),
        tuple(rows),
        "Drift and quality are tested, all fields together; anything else is beyond a limit when its\n"
        "  whole interval is. A critical finding is an alarm at once, a warning when it lasts.\n"
        "  modelmon explain FINDING WINDOW says why.",
    )


def _is_change(finding: Finding) -> bool:
    return isinstance(finding.limit, Limit) or metric_of(finding.reading.measure)[1] is OF_CHANGE


def _called(alarms: ModelAlarms | None, run: Run, finding: Finding) -> tuple[str, ...]:
    """Return the column that says what a finding amounts to; none when that is not known."""
    if alarms is None:
        return ()
    alarm = alarms.found.get(run.window, {}).get(finding.fingerprint)
    return ("–" if alarm is None else alarm_text(alarm),)


def _groups(policy: Policy, runs: Sequence[Run]) -> Table:
    latest = runs[-SHOWN_WINDOWS:]
    found: dict[tuple[str, str, str], list[tuple[str, Finding]]] = {}
    for run in latest:
        for item in all_findings(run):
            if item.reading.measure == _RATIO and isinstance(item.reading.result, Estimate):
                subject = item.reading.subject
                key = (population_words(subject), subject.group, subject.reference_group)
                found.setdefault(key, []).append((window_name(run.window), item))
    rows = tuple(
        (
            *(by, group, *_last(story, against), _before(story), _answer(story)),
            finding_name(story[-1][1]),
        )
        for (by, group, against), story in found.items()
        if any(item.reason in _APART for _, item in story)
    )
    first = window_name(latest[0].window) if latest else ""
    return Table(
        f"Which groups differ: {_decision_words(policy)}",
        (
            *("by", "group", "last rate", "held against", "ratio (95 %)", f"since {first}"),
            *("answer", "finding"),
        ),
        rows,
        "Ratio of the two rates in the last window, and in those before it. A disparity is not by\n"
        "  itself evidence of discrimination, and a result within tolerance is not evidence of\n"
        "  equal treatment.",
    )


def _extremes(policy: Policy, runs: Sequence[Run]) -> Table:
    rows: list[tuple[str, ...]] = []
    divided = [
        Subject(policy.model, population=item.name, class_name=class_name)
        for class_name in ("", *policy.one_against_rest)
        for item in policy.populations
    ]
    for divided_by in divided:
        for run in runs:
            for result in run.results:
                rates = _comparable_rates(result, divided_by)
                if len(rates) > 1:
                    low = min(rates, key=lambda name: rates[name][0])
                    high = max(rates, key=lambda name: rates[name][0])
                    ratio = rates[low][0] / rates[high][0] if rates[high][0] else None
                    rows.append(
                        (
                            population_words(divided_by),
                            window_name(run.window),
                            f"{low} {share(*rates[low])}",
                            f"{high} {share(*rates[high])}",
                            "–" if ratio is None else f"{ratio:.2f}",
                        )
                    )
    return Table(
        f"Farthest apart: {_decision_words(policy)}",
        ("by", "window", "lowest rate", "highest rate", "lowest / highest"),
        tuple(rows),
        "Groups large enough to be compared. The farthest two of many differ by chance as well: "
        "for reading, not for judging.",
    )


def label_table(policy: Policy, runs: Sequence[Run]) -> Table:
    """Return how the label table was joined, and the labels that nobody has explained."""
    rows: list[tuple[str, ...]] = []
    for run in runs:
        found, unmapped = run.accounting.labels, run.accounting.unmapped_labels
        if found is None and not unmapped:
            continue
        joined = LabelJoin() if found is None else found
        named = ", ".join(f"{text!r} {rows:,}" for text, rows in list(unmapped.items())[:3])
        numbers = (
            joined.labelled,
            joined.orphan,
            joined.repeated,
            joined.conflicting,
            joined.null,
            joined.before_prediction,
            joined.without_id,
        )
        counts = (("–",) * len(numbers)) if found is None else [f"{item:,}" for item in numbers]
        rows.append((window_name(run.window), *counts, named or "none"))
    return Table(
        f"Labels: {policy.label.column if policy.label else 'none'}",
        (
            *("window", "labelled", "orphans", "repeated", "conflicting", "null"),
            *("before prediction", "rows without id", "unmapped"),
        ),
        tuple(rows),
        "Orphans are labels whose id no row of the window has: those of other windows among them.",
    )


def _unknown(policy: Policy, runs: Sequence[Run]) -> Table:
    windows: dict[tuple[str, str, str], list[str]] = {}
    told: dict[tuple[str, str, str], str] = {}

    def note(what: str, measure: str, reason: str, window: str, why: str) -> None:
        windows.setdefault((what, measure, reason), []).append(window)
        told[what, measure, reason] = why

    for run in runs:
        name, absent = window_name(run.window), _absent(run)
        for item in all_findings(run):
            if item.verdict is Verdict.UNKNOWN:
                what = _unjudged(policy, item, absent)
                note(what, item.reading.measure, item.reason, name, item.explanation)
        for what, measure, reason, why in notes_on_files(policy, run):
            note(what, measure, reason, name, why)
    return Table(
        "What could not be judged, and why",
        ("what", "measure", "reason", "windows", "the last time"),
        tuple(
            (*key, window_names(tuple(dict.fromkeys(names))), told[key])
            for key, names in windows.items()
        ),
    )


def _absent(run: Run) -> set[str]:
    """Return the references that nothing of a run could be held against."""
    of_references = [item for item in all_findings(run) if item.reading.subject.reference]
    there = {
        item.reading.subject.reference
        for item in of_references
        if item.reason is not Reason.REFERENCE_UNAVAILABLE
    }
    return {item.reading.subject.reference for item in of_references} - there


def _unjudged(policy: Policy, finding: Finding, absent: Collection[str]) -> str:
    """Return what could not be judged: everything at once where a whole reference is absent."""
    if finding.reading.subject.reference in absent:
        return f"everything against {finding.reading.subject.reference}"
    if finding.reading.subject.scanned:
        return slice_name(finding.reading.subject)
    return subject_of(policy, finding.reading)


def _measured(runs: Sequence[Run], measure: str) -> bool:
    return any(
        item.measure == measure and isinstance(item.result, Estimate)
        for run in runs
        for result in run.results
        for item in result.readings
    )


def _drifted(findings: Iterable[Finding]) -> str:
    """Return the fields that drifted, and of how many that is not known: they are not "none"."""
    of_fields = [
        item
        for item in findings
        if item.reading.measure == "psi"
        and not (item.reading.subject.reference or item.reading.subject.segment)
    ]
    drifted = sorted({item.reading.subject.field for item in of_fields if item.verdict in _ALARM})
    unknown = sum(item.verdict is Verdict.UNKNOWN for item in of_fields)
    if unknown == len(of_fields):
        return "unknown" if unknown else "–"
    named = ", ".join(drifted) or "none"
    return f"{named} ({unknown} unknown)" if unknown else named


def _now(readings: Iterable[Reading], measure: str) -> str:
    for item in readings:
        result = item.result
        plain = not (item.subject.reference or item.subject.segment)
        if item.measure == measure and plain and isinstance(result, Estimate):
            if result.then is None or result.now is None:
                return f"{result.value:.3g}"
            if measure == "auc_drop":
                return f"{result.now:.3f} ({result.then:.3f})"
            return f"{result.now:.1%} ({result.then:.1%})"
    return "–"


def _comparable_rates(result: VersionResult, divided_by: Subject) -> dict[str, tuple[float, int]]:
    """Return rate and rows of the groups that are compared, the reference group included."""
    compared = {
        name
        for item in result.readings
        if item.measure == _RATIO
        and _same_division(item.subject, divided_by)
        and isinstance(item.result, Estimate)
        for name in (item.subject.group, item.subject.reference_group)
    }
    rates: dict[str, tuple[float, int]] = {}
    for item in result.readings:
        found = item.result
        if (
            item.measure == "selection_rate"
            and _same_division(item.subject, divided_by)
            and item.subject.group in compared
            and isinstance(found, Estimate)
        ):
            rates[item.subject.group] = (found.value, found.n)
    return rates


def _same_division(one: Subject, other: Subject) -> bool:
    return (one.population, one.class_name) == (other.population, other.class_name)


def _last(story: Sequence[tuple[str, Finding]], against: str) -> tuple[str, str, str]:
    reading = story[-1][1].reading
    result = reading.result
    if not isinstance(result, Estimate) or result.now is None or result.then is None:
        return "–", against, "–"
    reference = f"{against} {share(result.then, result.n_reference)}"
    return share(result.now, result.n), reference, value_text(reading)


def _before(story: Sequence[tuple[str, Finding]]) -> str:
    results = [item.reading.result for _, item in story[:-1]]
    return " ".join(f"{item.value:.2f}" for item in results if isinstance(item, Estimate)) or "–"


def _answer(story: Sequence[tuple[str, Finding]]) -> str:
    """Return the last answer, and the window from which on it has been the same."""
    last = story[-1][1].reason
    since = next(
        place
        for place in range(len(story))
        if all(item.reason is last for _, item in story[place:])
    )
    return f"{last} since {story[since][0]}"


def _decision_words(policy: Policy) -> str:
    band = f"tolerated ratio {policy.band.low:g} to {policy.band.high:g}"
    if policy.decision is None:
        return f"single classes; {band}" if policy.one_against_rest else "no decision"
    kind = "a harmful" if policy.decision.effect is Effect.HARMFUL else "a favourable"
    return f"{decision_name(policy)}, {kind} decision; {band}"
