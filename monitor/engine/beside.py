"""What a run finds beside what its profiles say: shares of verdicts, columns of files."""

from collections.abc import Iterable

from msgspec.structs import replace

from monitor.alerts.judge import judge
from monitor.alerts.shares import drifted_shares, judged_shares
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import VersionResult
from monitor.domain.schema import ColumnChange, SchemaChange
from monitor.measures.measure import FoundColumns
from monitor.measures.quality import extra_columns
from monitor.profile.grid import Grid


def with_shares(result: VersionResult, policy: Policy) -> VersionResult:
    """Return a result with the share of drifted features, measured and judged."""
    shares = drifted_shares(result.findings, policy)
    return replace(
        result,
        readings=(*result.readings, *shares),
        findings=(*result.findings, *judged_shares(shares, policy)),
    )


def with_columns(
    result: VersionResult, policy: Policy, grid: Grid, changes: Iterable[SchemaChange]
) -> VersionResult:
    """Return a result with the number of columns that the baseline did not have.

    There is no such number where the baseline had more columns than are kept.

    Args:
        result: What the profile of a version says.
        policy: Has the limit.
        grid: Knows the columns of the baseline.
        changes: How the columns of the window's files differ from them.
    """
    if grid.schema.columns and not grid.schema.complete:
        return result
    extra = {
        item.column
        for item in changes
        if item.kind is ColumnChange.EXTRA and item.version == result.version
    }
    columns = FoundColumns(tuple(sorted(extra)), grid.schema.complete, result.rows)
    measure = extra_columns.MEASURE
    subject = Subject(policy.model, result.version)
    reading = Reading(measure.about.id, subject, measure.measure(columns))
    findings = result.findings
    if reading.measure in policy.limits:
        limit = policy.limits[reading.measure].default
        findings = (*findings, judge(reading, limit, either_side=False))
    return replace(result, readings=(*result.readings, reading), findings=findings)
