"""What a person reads after a run: what changed, which groups differ, what could not be judged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.domain.estimate import Estimate
from monitor.domain.field import Effect
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.run import Run, VersionResult
from monitor.domain.window import Window
from monitor.profile.codec import profile_from_bytes
from monitor.profile.counts import CategoricalCounts

SHOWN_WINDOWS = 6
"""Windows that the table of groups has a column for: the latest ones."""

_RANK = {Verdict.OK: 0, Verdict.UNKNOWN: 1, Verdict.WARNING: 2, Verdict.CRITICAL: 3}
_ALARM = frozenset({Verdict.WARNING, Verdict.CRITICAL})
_APART = frozenset({Reason.BREACH, Reason.SUSPECTED})
_RATIO = "selection_rate_ratio"


@dataclass(frozen=True)
class Table:
    """A titled table of text cells, for the terminal and for JSON alike.

    Attributes:
        title: What the table is about.
        columns: Headings.
        rows: Cells, one tuple a row, as many as there are headings.
        note: A sentence below it; "" for none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def summarise(policy: Policy, runs: Sequence[Run]) -> tuple[Table, ...]:
    """Return the summary of a model's runs.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window, in any order.
    """
    ordered = sorted(runs, key=lambda run: run.window)
    tables = (
        _windows(policy, ordered),
        _changes(policy, ordered),
        _groups(policy, ordered),
        _extremes(policy, ordered),
        _unknown(policy, ordered),
    )
    return tuple(table for table in tables if table.rows)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the gravest verdict; unknown is graver than ok, and no findings are unknown."""
    return max(
        (finding.verdict for finding in findings), key=_RANK.__getitem__, default=Verdict.UNKNOWN
    )


def all_findings(run: Run) -> tuple[Finding, ...]:
    """Return the findings of every version and those on the log itself."""
    return (*run.findings, *(item for result in run.results for item in result.findings))


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
                    f"{result.rows:,}",
                    *(_now(result.readings, measure) for measure in shown),
                    ", ".join(_drifted(changes)) or "none",
                    worst(changes),
                    worst(apart) if apart else "–",
                )
            )
    headings = tuple(_what(policy, name) if name != "auc_drop" else "AUC" for name in shown)
    return Table(
        f"{policy.model}, window by window (baseline in brackets)",
        ("window", "version", "rows", *headings, "drifted fields", "changes", "groups"),
        tuple(rows),
    )


def _changes(policy: Policy, runs: Sequence[Run]) -> Table:
    rows: list[tuple[str, ...]] = []
    for run in runs:
        for result in run.results:
            strays = _strays(result)
            for item in result.findings:
                if isinstance(item.limit, Limit) and item.verdict in _ALARM:
                    reading = item.reading
                    note = strays.get(reading.subject.field, "")
                    change = _change(reading) + (note if reading.measure == "unseen_rate" else "")
                    rows.append(
                        (
                            window_name(run.window),
                            reading.subject.field or _what(policy, reading.measure),
                            reading.measure,
                            _value(reading),
                            change,
                            _limit_text(item),
                            item.verdict,
                        )
                    )
    return Table(
        "What changed against the baseline",
        ("window", "what", "measure", "value (interval)", "then → now", "limits", "verdict"),
        tuple(rows),
        "A limit is exceeded when the whole interval lies beyond it.",
    )


def _groups(policy: Policy, runs: Sequence[Run]) -> Table:
    latest = runs[-SHOWN_WINDOWS:]
    cells: dict[tuple[str, str, str], dict[str, Finding]] = {}
    for run in latest:
        for item in all_findings(run):
            if item.reading.measure == _RATIO and isinstance(item.reading.result, Estimate):
                subject = item.reading.subject
                key = (subject.population, subject.group, subject.reference_group)
                cells.setdefault(key, {})[window_name(run.window)] = item
    names = [window_name(run.window) for run in latest]
    rows = tuple(
        (by, group, *_last(found, against), *(_ratio_cell(found.get(name)) for name in names))
        for (by, group, against), found in cells.items()
        if any(item.reason in _APART for item in found.values())
    )
    return Table(
        f"Which groups differ: {_decision_words(policy)}",
        ("by", "group", "last rate (n)", "held against", "last ratio (95 %)", *names),
        rows,
        "Ratio of the two rates, and the answer, in each window. A disparity is not by itself\n"
        "  evidence of discrimination, and a result within tolerance is not evidence of equal "
        "treatment.",
    )


def _extremes(policy: Policy, runs: Sequence[Run]) -> Table:
    rows: list[tuple[str, ...]] = []
    for attributes in policy.populations:
        for run in runs:
            for result in run.results:
                rates = _comparable_rates(result, attributes.name)
                if len(rates) > 1:
                    low = min(rates, key=lambda name: rates[name][0])
                    high = max(rates, key=lambda name: rates[name][0])
                    ratio = rates[low][0] / rates[high][0] if rates[high][0] else None
                    rows.append(
                        (
                            attributes.name,
                            window_name(run.window),
                            f"{low} {_share(*rates[low])}",
                            f"{high} {_share(*rates[high])}",
                            "–" if ratio is None else f"{ratio:.2f}",
                        )
                    )
    return Table(
        f"Farthest apart: {_decision_words(policy)}",
        ("by", "window", "lowest rate (n)", "highest rate (n)", "lowest / highest"),
        tuple(rows),
        "Groups large enough to be compared. The farthest two of many differ by chance as well: "
        "for reading, not for judging.",
    )


def _unknown(policy: Policy, runs: Sequence[Run]) -> Table:
    windows: dict[tuple[str, str, str], list[str]] = {}
    told: dict[tuple[str, str, str], str] = {}

    def note(what: str, measure: str, reason: str, window: str, why: str) -> None:
        windows.setdefault((what, measure, reason), []).append(window)
        told[what, measure, reason] = why

    for run in runs:
        name = window_name(run.window)
        for item in all_findings(run):
            if item.verdict is Verdict.UNKNOWN:
                what = _subject(policy, item.reading)
                note(what, item.reading.measure, item.reason, name, item.explanation)
        for file in run.manifest.unreadable:
            note(file.path, "file", file.reason, name, file.explanation)
        for reason, rows in run.accounting.rejected.items():
            if rows:
                note(policy.model, "rows", reason, name, f"{rows:,} rows read and not profiled")
    return Table(
        "What could not be judged, and why",
        ("what", "measure", "reason", "windows", "the last time"),
        tuple((*key, ", ".join(dict.fromkeys(names)), told[key]) for key, names in windows.items()),
    )


def _measured(runs: Sequence[Run], measure: str) -> bool:
    return any(
        item.measure == measure and isinstance(item.result, Estimate)
        for run in runs
        for result in run.results
        for item in result.readings
    )


def _drifted(findings: Iterable[Finding]) -> list[str]:
    return sorted(
        {
            item.reading.subject.field
            for item in findings
            if item.reading.measure == "psi" and item.verdict in _ALARM
        }
    )


def _now(readings: Iterable[Reading], measure: str) -> str:
    for item in readings:
        result = item.result
        if item.measure == measure and isinstance(result, Estimate):
            if result.then is None or result.now is None:
                return f"{result.value:.3g}"
            if measure == "auc_drop":
                return f"{result.now:.3f} ({result.then:.3f})"
            return f"{result.now:.1%} ({result.then:.1%})"
    return "–"


def _what(policy: Policy, measure: str) -> str:
    """Return what a measure of the whole model is about, in the log's own words."""
    decision = policy.decision.column if policy.decision else "decision"
    label = policy.label.column if policy.label else "label"
    named = {"decision_rate": f"{decision} rate", "label_rate": f"{label} rate"}
    return named.get(measure, "model")


def _subject(policy: Policy, reading: Reading) -> str:
    subject = reading.subject
    if subject.population:
        against = f" against {subject.reference_group}" if subject.reference_group else ""
        return f"{subject.population}: {subject.group}{against}"
    return subject.field or _what(policy, reading.measure)


def _strays(result: VersionResult) -> Mapping[str, str]:
    """Return the most frequent values that the baseline did not hold, by field, in words."""
    profile = profile_from_bytes(result.profile)
    found: dict[str, str] = {}
    for name, counts in profile.fields.items():
        if isinstance(counts, CategoricalCounts) and counts.unseen.rows:
            listed = counts.unseen.most_frequent(3)
            found[name] = " new: " + ", ".join(f"{value!r} {rows:,}" for value, rows in listed)
    return found


def _comparable_rates(result: VersionResult, population: str) -> dict[str, tuple[float, int]]:
    """Return rate and rows of the groups that are compared, the reference group included."""
    compared = {
        name
        for item in result.readings
        if item.measure == _RATIO
        and item.subject.population == population
        and isinstance(item.result, Estimate)
        for name in (item.subject.group, item.subject.reference_group)
    }
    rates: dict[str, tuple[float, int]] = {}
    for item in result.readings:
        found = item.result
        if (
            item.measure == "selection_rate"
            and item.subject.population == population
            and item.subject.group in compared
            and isinstance(found, Estimate)
        ):
            rates[item.subject.group] = (found.value, found.n)
    return rates


def _last(found: Mapping[str, Finding], against: str) -> tuple[str, str, str]:
    reading = list(found.values())[-1].reading
    result = reading.result
    if not isinstance(result, Estimate) or result.now is None or result.then is None:
        return "–", against, "–"
    reference = f"{against} {_share(result.then, result.n_reference)}"
    return _share(result.now, result.n), reference, _value(reading)


def _ratio_cell(finding: Finding | None) -> str:
    if finding is None or not isinstance(finding.reading.result, Estimate):
        return "–"
    return f"{finding.reading.result.value:.2f} {finding.reason}"


def _decision_words(policy: Policy) -> str:
    if policy.decision is None:
        return "no decision"
    kind = "a harmful" if policy.decision.effect is Effect.HARMFUL else "a favourable"
    band = f"tolerated ratio {policy.band.low:g} to {policy.band.high:g}"
    return f"{policy.decision.column}, {kind} decision; {band}"


def _value(reading: Reading) -> str:
    result = reading.result
    if not isinstance(result, Estimate):
        return "–"
    text = f"{result.value:.2f}"
    if result.low is not None and result.high is not None:
        return f"{text} ({result.low:.2f}–{result.high:.2f})"
    return text if result.low is None else f"{text} (≥ {result.low:.2f})"


def _change(reading: Reading) -> str:
    result = reading.result
    if not isinstance(result, Estimate) or result.then is None or result.now is None:
        return "–"
    return f"{result.then:.3f} → {result.now:.3f}"


def _share(rate: float, rows: int) -> str:
    return f"{rate:.1%} ({rows:,})"


def _limit_text(finding: Finding) -> str:
    match finding.limit:
        case Band() as band:
            return f"{band.low:g} to {band.high:g}"
        case Limit() as limit:
            bounds = (limit.warning, limit.critical)
            return " / ".join("–" if bound is None else f"{bound:g}" for bound in bounds)
