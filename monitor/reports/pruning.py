"""What was pruned of a model, or would be, and why the rest stays."""

from typing import Any

from monitor.engine.pruning import Pruned
from monitor.engine.retention import Plan
from monitor.reports.table import Table

_NAMES = {
    "modelmon_readings": "readings",
    "modelmon_findings": "findings",
    "modelmon_schema_changes": "changes of columns",
    "modelmon_alert_steps": "steps of alerts",
    "modelmon_registry_errands": "errands that the registry has taken",
}


def pruning_tables(plan: Plan, gone: Pruned, *, dry_run: bool) -> tuple[Table, ...]:
    """Return what went by table, and what keeps the rest, as tables.

    Args:
        plan: What may go.
        gone: What went, or would go.
        dry_run: Whether it only would.
    """
    rows = [(_NAMES.get(name, name), f"{count:,}", "") for name, count in gone.rows.items()]
    rows.append(("profiles", f"{gone.emptied:,}", f"{gone.size / 1e6:,.1f} MB"))
    rows = [("windows", f"{gone.windows:,}", ""), ("results", f"{gone.results:,}", ""), *rows]
    title = f"{plan.model}: {'would go' if dry_run else 'gone'}"
    note = "" if plan.pruning is None else f"Of windows that end by {plan.pruning.before:%Y-%m-%d}."
    kept = [(f"{bound.at:%Y-%m-%d %H:%M}", bound.why) for bound in plan.bounds]
    went = Table(title, ("what", "number", "size"), tuple(rows), note)
    return (
        *([went] if gone.windows else []),
        Table(f"{plan.model}: what stays", ("from", "because of"), tuple(kept), _still_asked(plan)),
    )


def pruning_document(plan: Plan, gone: Pruned) -> dict[str, Any]:
    """Return the same for machines."""
    pruning = plan.pruning
    return {
        "model": plan.model,
        "before": None if pruning is None else pruning.before.isoformat(),
        "windows": gone.windows,
        "results": gone.results,
        "rows": dict(gone.rows),
        "profiles": {"emptied": gone.emptied, "bytes": gone.size},
        "kept": [{"from": bound.at.isoformat(), "why": bound.why} for bound in plan.bounds],
        "profiles_kept": [] if pruning is None else [str(item) for item in sorted(pruning.keep)],
    }


def _still_asked(plan: Plan) -> str:
    if plan.pruning is None or not plan.pruning.keep:
        return ""
    first = min(plan.pruning.keep)
    return (
        f"And the profiles of {len(plan.pruning.keep):,} earlier windows, from {first} on, which "
        "references of later ones are made of."
    )
