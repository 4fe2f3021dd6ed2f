"""Which slices of the rows drifted, and which of them carry the drift of the whole."""

from collections.abc import Iterable, Sequence

from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Verdict
from monitor.domain.policy import Policy
from monitor.domain.run import Run
from monitor.reports.table import Table
from monitor.reports.wording import all_findings, subject_of, value_text, window_name

ALARMS = frozenset({Verdict.WARNING, Verdict.CRITICAL})

SHOWN_SLICES = 30
"""Slices of a window that the table names: those that carry most."""


def slice_table(policy: Policy, runs: Sequence[Run]) -> Table:
    """Return the slices beyond a limit in each window, those that carry most of it first.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window, oldest first.
    """
    rows: list[tuple[str, ...]] = []
    hidden = 0
    for run in runs:
        found = sorted(_beyond(run), key=lambda item: -_carried(item))
        hidden += len(found[SHOWN_SLICES:])
        rows += [_row(policy, run, item) for item in found[:SHOWN_SLICES]]
    note = (
        "Carries: by how much PSI of all rows would be smaller, had this slice been as it was in\n"
        "  the baseline. Slices may carry more than all of it together, or work against it."
    )
    if hidden:
        note += (
            f"\n  {hidden:,} further slices are beyond a limit; modelmon explain lists them all."
        )
    return Table(
        "Which slices are beyond a limit",
        ("window", "what", "slice", "rows", "measure", "value (interval)", "carries", "verdict"),
        tuple(rows),
        note,
    )


def of_all_rows(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that are not of a slice."""
    return [item for item in findings if not item.reading.subject.scanned]


def _beyond(run: Run) -> list[Finding]:
    return [
        item
        for item in all_findings(run)
        if item.reading.subject.scanned and item.verdict in ALARMS
    ]


def _carried(finding: Finding) -> float:
    result = finding.reading.result
    return result.detail.get("carried", 0.0) if isinstance(result, Estimate) else 0.0


def _row(policy: Policy, run: Run, finding: Finding) -> tuple[str, ...]:
    reading = finding.reading
    carried = _carried(finding)
    return (
        window_name(run.window),
        subject_of(policy, reading),
        f"{reading.subject.segment}: {reading.subject.segment_value}",
        f"{reading.result.n:,}",
        reading.measure,
        value_text(reading),
        f"{carried:.0%}" if carried else "–",
        finding.verdict,
    )
