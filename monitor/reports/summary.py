"""What a person reads after a run: what drifted, which groups differ, what could not be judged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.domain.estimate import Estimate
from monitor.domain.field import Effect
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.run import Run
from monitor.domain.window import Window

_RANK = {Verdict.OK: 0, Verdict.UNKNOWN: 1, Verdict.WARNING: 2, Verdict.CRITICAL: 3}


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
    """Return the summary of a model's runs, oldest window first.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window.
    """
    ordered = sorted(runs, key=lambda run: run.window)
    tables = (
        _windows(policy, ordered),
        _drift(ordered),
        _disparity(policy, ordered),
        _unknown(ordered),
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
    """Return a short name: the month or day where the window is one, else its start."""
    start, end = window.start, window.end
    midnight = (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0)
    if not midnight:
        return f"{start:%Y-%m-%d %H:%M}"
    next_month = (start.year + start.month // 12, start.month % 12 + 1)
    if start.day == end.day == 1 and (end.year, end.month) == next_month:
        return f"{start:%Y-%m}"
    return f"{start:%Y-%m-%d}"


def _windows(policy: Policy, runs: Sequence[Run]) -> Table:
    shown = [
        measure for measure in ("decision_rate", "auc_drop", "label_rate") if _any(runs, measure)
    ]
    titles = {
        "decision_rate": f"{policy.decision.column} rate" if policy.decision else "",
        "auc_drop": "AUC",
        "label_rate": f"{policy.label.column} rate" if policy.label else "",
    }
    rows = []
    for run in runs:
        for version, findings, readings, count in _versions(run):
            drifted = sorted(
                {
                    item.reading.subject.field
                    for item in findings
                    if item.reading.measure == "psi"
                    and item.verdict in {Verdict.WARNING, Verdict.CRITICAL}
                }
            )
            rows.append(
                (
                    window_name(run.window),
                    version,
                    f"{count:,}",
                    *(_then_now(readings, measure) for measure in shown),
                    ", ".join(drifted) or "–",
                    worst(findings),
                )
            )
    return Table(
        f"{policy.model}: windows (baseline in brackets)",
        ("window", "version", "rows", *(titles[item] for item in shown), "drifted fields", "worst"),
        tuple(rows),
    )


def _drift(runs: Sequence[Run]) -> Table:
    rows = [
        (
            window_name(run.window),
            _subject(item),
            item.reading.measure,
            _value(item.reading),
            _change(item.reading),
            _limit_text(item),
            item.verdict,
        )
        for run in runs
        for item in all_findings(run)
        if isinstance(item.limit, Limit) and item.verdict in {Verdict.WARNING, Verdict.CRITICAL}
    ]
    return Table(
        "What changed",
        ("window", "what", "measure", "value (95 %)", "from → to", "limit", "verdict"),
        tuple(rows),
        "A limit is exceeded when the whole interval lies beyond it.",
    )


def _disparity(policy: Policy, runs: Sequence[Run]) -> Table:
    rows = [
        (
            window_name(run.window),
            item.reading.subject.population,
            item.reading.subject.group,
            _share(item.reading.result.now, item.reading.result.n),
            item.reading.subject.reference_group,
            _share(item.reading.result.then, item.reading.result.n_reference),
            _value(item.reading),
            _limit_text(item),
            item.reason,
        )
        for run in runs
        for item in all_findings(run)
        if isinstance(item.limit, Band)
        and isinstance(item.reading.result, Estimate)
        and item.reason in {Reason.BREACH, Reason.SUSPECTED}
    ]
    what = policy.decision.column if policy.decision else "decision"
    harmful = policy.decision is not None and policy.decision.effect is Effect.HARMFUL
    return Table(
        f"Which groups differ ({what}, a {'harmful' if harmful else 'favourable'} decision)",
        (
            "window",
            "by",
            "group",
            "rate (n)",
            "against",
            "rate (n)",
            "ratio (95 %)",
            "limit",
            "reason",
        ),
        tuple(rows),
        "A disparity is not by itself evidence of discrimination, "
        "and a result within tolerance is not evidence of equal treatment.",
    )


def _unknown(runs: Sequence[Run]) -> Table:
    counted: dict[tuple[str, str, str], list[str]] = {}
    told: dict[tuple[str, str, str], str] = {}
    for run in runs:
        for item in all_findings(run):
            if item.verdict is Verdict.UNKNOWN:
                key = (_subject(item), item.reading.measure, item.reason)
                counted.setdefault(key, []).append(window_name(run.window))
                told[key] = item.explanation
        for file in run.manifest.unreadable:
            key = (file.path, "file", file.reason)
            counted.setdefault(key, []).append(window_name(run.window))
            told[key] = file.explanation
    rows = tuple(
        (
            subject,
            measure,
            reason,
            ", ".join(dict.fromkeys(windows)),
            told[subject, measure, reason],
        )
        for (subject, measure, reason), windows in counted.items()
    )
    return Table(
        "What could not be judged, and why",
        ("what", "measure", "reason", "windows", "in the last of them"),
        rows,
    )


def _versions(run: Run) -> list[tuple[str, tuple[Finding, ...], tuple[Reading, ...], int]]:
    versions = [(item.version, item.findings, item.readings, item.rows) for item in run.results]
    if run.findings:
        versions.append(
            (run.outcome, run.findings, run.readings, sum(run.accounting.unregistered.values()))
        )
    return versions


def _any(runs: Sequence[Run], measure: str) -> bool:
    return any(
        item.measure == measure and isinstance(item.result, Estimate)
        for run in runs
        for result in run.results
        for item in result.readings
    )


def _then_now(readings: Iterable[Reading], measure: str) -> str:
    for item in readings:
        result = item.result
        if item.measure == measure and isinstance(result, Estimate):
            if result.then is None or result.now is None:
                return f"{result.value:.3g}"
            if measure == "auc_drop":
                return f"{result.now:.3f} ({result.then:.3f})"
            return f"{result.now:.1%} ({result.then:.1%})"
    return "–"


def _subject(finding: Finding) -> str:
    subject = finding.reading.subject
    what = str(subject)
    if subject.reference_group:
        what += f" against {subject.reference_group}"
    return what


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


def _share(rate: float | None, rows: int) -> str:
    return "–" if rate is None else f"{rate:.1%} ({rows:,})"


def _limit_text(finding: Finding) -> str:
    match finding.limit:
        case Band() as band:
            return f"{band.low:g}–{band.high:g}"
        case Limit() as limit:
            bounds = (limit.warning, limit.critical)
            return " / ".join("–" if bound is None else f"{bound:g}" for bound in bounds)
