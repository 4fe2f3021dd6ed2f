"""Baselines as tables: which are in force, and what one of them rests on."""

from collections.abc import Sequence

from monitor.domain.baseline import Baseline
from monitor.reports.table import Table
from monitor.reports.wording import window_name


def baseline_table(baselines: Sequence[Baseline]) -> Table:
    """Return a table of baselines; the first of each model and version is in force.

    Args:
        baselines: Newest registration first.
    """
    seen: set[tuple[str, str]] = set()
    rows = []
    for item in baselines:
        key = (item.model, item.version)
        rows.append(
            (
                item.digest[:12],
                item.model,
                item.version,
                "superseded" if key in seen else "in force",
                f"{item.rows:,}",
                str(item.window),
                f"{item.registered_at:%Y-%m-%d %H:%M}Z",
                item.registered_by,
                item.why,
            )
        )
        seen.add(key)
    columns = ("digest", "model", "version", "state", "rows", "period", "when", "who", "why")
    return Table("Baselines", columns, tuple(rows))


def describe_baseline(baseline: Baseline) -> tuple[Table, ...]:
    """Return who, when, why, from which files, and the sub-windows of one baseline."""
    about = (
        ("digest", baseline.digest),
        ("model", baseline.model),
        ("version", baseline.version),
        ("period", str(baseline.window)),
        ("rows", f"{baseline.rows:,}"),
        ("registered", baseline.registered_at.isoformat()),
        ("by", baseline.registered_by),
        ("why", baseline.why),
        ("code", f"modelmon {baseline.code}"),
        ("data", baseline.manifest.digest),
    )
    parts = tuple((window_name(part.window), f"{part.rows:,}") for part in baseline.parts)
    files = tuple(
        (kind, file.path, f"{file.rows:,}", f"{file.size:,}", file.modified)
        for kind, listed in (("log", baseline.manifest.files), ("labels", baseline.manifest.labels))
        for file in listed
    )
    return (
        Table("Baseline", ("what", "is"), about),
        Table("Its sub-windows", ("window", "rows"), parts),
        Table("The files it was taken from", ("kind", "path", "rows", "bytes", "modified"), files),
    )
