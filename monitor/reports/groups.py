"""Groups that differ in what has no ratio, and how the table of their attributes was joined."""

from collections.abc import Sequence

from monitor.alerts.disparity import OF_DIFFERENCE, metric_of
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Reason
from monitor.domain.policy import Policy
from monitor.domain.run import Run
from monitor.measures.crossing import OTHER_SMALL
from monitor.measures.disparity.rates import RATES
from monitor.reports.table import Table
from monitor.reports.wording import (
    all_findings,
    finding_name,
    limit_text,
    population_words,
    value_text,
    window_name,
)

_APART = frozenset({Reason.BREACH, Reason.SUSPECTED})


def difference_table(runs: Sequence[Run]) -> Table:
    """Return the groups that are held apart by a difference: of a mean or an error, not of a ratio.

    Args:
        runs: The newest revision of each window, oldest first.
    """
    return Table(
        "Which groups differ, by a difference",
        (
            *("window", "by", "group", "metric", "value", "held against", "difference (95 %)"),
            *("tolerated", "answer", "finding"),
        ),
        tuple(
            _difference(window_name(run.window), item, item.reading.result)
            for run in runs
            for item in all_findings(run)
            if metric_of(item.reading.measure)[1] is OF_DIFFERENCE
            and item.reason in _APART
            and isinstance(item.reading.result, Estimate)
        ),
        "In the metric's unit. A disparity is not by itself evidence of discrimination.",
    )


def _difference(window: str, finding: Finding, estimate: Estimate) -> tuple[str, ...]:
    subject = finding.reading.subject
    return (
        window,
        population_words(subject),
        subject.group,
        metric_of(finding.reading.measure)[0],
        f"{estimate.now:.3g} ({estimate.n:,} rows)",
        f"{subject.reference_group} {estimate.then:.3g} ({estimate.n_reference:,} rows)",
        value_text(finding.reading),
        limit_text(finding),
        str(finding.reason),
        finding_name(finding),
    )


def membership_table(policy: Policy, runs: Sequence[Run]) -> Table:
    """Return how the table of protected attributes was joined, by window and column.

    Args:
        policy: The policy in force: which populations are of a column.
        runs: The newest revision of each window, oldest first.
    """
    named: dict[str, list[str]] = {}
    for name, attribute in policy.attributes.items():
        if attribute.protected:
            named.setdefault(attribute.column, []).append(name)
    return Table(
        "Protected attributes, as they were joined",
        (
            *("window", "column", "populations", "found", "orphans", "repeated", "conflicting"),
            *("null", "rows without id"),
        ),
        tuple(
            (
                window_name(run.window),
                column,
                ", ".join(named.get(column, ["–"])),
                f"{join.labelled:,}",
                f"{join.orphan:,}",
                f"{join.repeated:,}",
                f"{join.conflicting:,}",
                f"{join.null:,}",
                f"{join.without_id:,}",
            )
            for run in runs
            for column, join in run.accounting.memberships.items()
        ),
        "Ids of the window that the table has, and rows of it that are of no use. An id that is not\n"
        "  found is of unknown membership: its rows are in every total and in no ratio.",
    )


def folded_table(runs: Sequence[Run]) -> Table:
    """Return the cells of crossings that are one group together, as of the latest window.

    Args:
        runs: The newest revision of each window, oldest first.
    """
    told: dict[str, str] = {}
    for run in runs:
        for result in run.results:
            for reading in result.readings:
                found = reading.result
                small = reading.subject.group == OTHER_SMALL
                if small and reading.measure in RATES and isinstance(found, Estimate):
                    told[reading.subject.population] = found.note
    return Table(
        f"Crossings with more cells than can be compared: {OTHER_SMALL}",
        ("by", "what it is"),
        tuple(told.items()),
        "Of the rows of the registered baseline, the smallest cells; the same in every window.",
    )
