"""Which slices of the rows drifted, and which of them carry the drift of the whole."""

from collections.abc import Iterable, Sequence

from monitor.domain.finding import Finding
from monitor.domain.policy import Policy
from monitor.domain.run import Run
from monitor.engine.scan import ALARMS, carried, in_turns, together
from monitor.engine.why import Why
from monitor.reports.plot import bar
from monitor.reports.table import Table
from monitor.reports.wording import all_findings, measured_on, slice_name, value_text, window_name

SHOWN_SLICES = 30
"""Slices of a window that a table names."""

SHOWN_CARRIERS = 12
"""Slices that a finding of all rows names."""


def slice_table(policy: Policy, runs: Sequence[Run]) -> Table:
    """Return the slices beyond a limit in each window, by measure and field, the foremost first.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window, oldest first.
    """
    rows: list[tuple[str, ...]] = []
    hidden = 0
    for run in runs:
        found = in_turns(_beyond(run))
        hidden += len(found[SHOWN_SLICES:])
        rows += [_row(policy, run, item) for item in together(found[:SHOWN_SLICES])]
    note = (
        "Carries: by how much the drift of all rows would be smaller, had this slice been as it was\n"
        "  in the baseline. Slices may carry more than all of it together, or work against it. A dash:\n"
        "  all rows are not above the limit, or nothing of the measure is carried."
    )
    if hidden:
        note += (
            f"\n  {hidden:,} further findings of slices are beyond a limit: modelmon explain MODEL WINDOW "
            "lists them all."
        )
    return Table(
        "Which slices are beyond a limit",
        ("window", "what", "slice", "rows", "measure", "value (interval)", "carries", "verdict"),
        tuple(rows),
        note,
    )


def carrier_table(why: Why, width: int) -> Table:
    """Return which slices of the rows carry a finding of all of them, most first.

    Args:
        why: The finding.
        width: Characters of a drawing.
    """
    shown = why.slices[:SHOWN_CARRIERS]
    sizes = [carried(item) or 0.0 for item in shown]
    largest = max(map(abs, sizes), default=0.0)
    rows = tuple(
        (
            slice_name(item.reading.subject),
            f"{item.reading.result.n:,}",
            value_text(item.reading),
            carried_text(item),
            "–" if item.decided_by is None else f"{item.decided_by.p_adjusted:.2g}",
            item.verdict.value,
            bar(size, largest, min(width, 10)),
        )
        for item, size in zip(shown, sizes, strict=True)
    )
    rest = len(why.slices) - len(shown)
    note = (
        "Carries: by how much it would be less, had this slice been as it was. p is that of the limit which "
        "the verdict is about, adjusted over the slices and fields of the segment."
    )
    return Table(
        "Which slices carry it",
        ("slice", "rows", "value", "carries", "p", "verdict", ""),
        rows,
        note + (f" {rest:,} more slices follow." if rest else ""),
        drawn=("",),
    )


def carried_text(finding: Finding) -> str:
    """Return what a slice carries in per cent, or a dash."""
    share = carried(finding)
    return "–" if share is None else f"{share:.0%}"


def of_all_rows(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that are not of a slice."""
    return [item for item in findings if not item.reading.subject.scanned]


def _beyond(run: Run) -> list[Finding]:
    return [
        item
        for item in all_findings(run)
        if item.reading.subject.scanned and item.verdict in ALARMS
    ]


def _row(policy: Policy, run: Run, finding: Finding) -> tuple[str, ...]:
    reading = finding.reading
    return (
        window_name(run.window),
        measured_on(policy, reading.measure, reading.subject),
        slice_name(reading.subject),
        f"{reading.result.n:,}",
        reading.measure,
        value_text(reading),
        carried_text(finding),
        finding.verdict,
    )
