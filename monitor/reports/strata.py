"""Groups within the strata of declared factors, beside the same groups over all rows."""

from collections.abc import Sequence

from monitor.domain.estimate import Estimate
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.run import Run
from monitor.reports.table import Table
from monitor.reports.wording import subject_of, window_name

SHOWN_GROUPS = 30
"""Comparisons that the table names: first those of which something has to be known."""

_DIFFERENCE = "_conditional_difference"


def strata_table(policy: Policy, runs: Sequence[Run]) -> Table:
    """Return the differences within strata in the latest window that has any.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window, oldest first.
    """
    window, found = "", list[Reading]()
    for run in reversed(runs):
        found = [
            reading
            for result in run.results
            for reading in result.readings
            if reading.subject.stratum and reading.measure.endswith(_DIFFERENCE)
        ]
        if found:
            window = window_name(run.window)
            break
    found.sort(key=lambda reading: not _note(reading))
    note = (
        "Differences of rates, in percentage points; within strata each stratum has the weight of\n"
        "  what it can tell. What is judged is the disparity over all rows: whether a factor\n"
        "  explains it is not a question of statistics."
    )
    if found[SHOWN_GROUPS:]:
        note += f"\n  {len(found) - SHOWN_GROUPS:,} further comparisons are stored."
    return Table(
        f"Within strata, {window}",
        ("what", "metric", "rows", "over all rows", "within strata (95 %)", "to know"),
        tuple(_row(policy, reading) for reading in found[:SHOWN_GROUPS]),
        note,
    )


def _row(policy: Policy, reading: Reading) -> tuple[str, ...]:
    result = reading.result
    what = subject_of(policy, reading), reading.measure.removesuffix(_DIFFERENCE)
    if not isinstance(result, Estimate):
        return (*what, f"{result.n:,}", "–", "–", result.explanation)
    if result.now is None or result.then is None or result.low is None or result.high is None:
        return (*what, f"{result.n:,}", "–", "–", result.method)  # held against itself
    points = f"{100 * result.value:+.1f} ({100 * result.low:+.1f} to {100 * result.high:+.1f})"
    return (
        *what,
        f"{result.n:,} against {result.n_reference:,}",
        f"{100 * result.detail['marginal']:+.1f}",
        f"{points}: {result.now:.1%} against {result.then:.1%}",
        result.note or "–",
    )


def _note(reading: Reading) -> str:
    result = reading.result
    return result.note if isinstance(result, Estimate) else result.explanation
