"""``modelmon db prune``: delete what is older than it has to be kept."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import (
    Output,
    output_option,
    progress_bar,
    say,
    write_document,
    write_tables,
)
from monitor.cli.person import by_option, configuring
from monitor.cli.selection import INSTANT_HELP, chosen, instant
from monitor.domain.policy import Policy
from monitor.domain.settings import DaemonSettings

if TYPE_CHECKING:
    from monitor.engine.ports import Store
    from monitor.engine.pruning import Pruned
    from monitor.engine.retention import Plan


@click.command()
@click.option("--model", "models", multiple=True, help="Only of this model; may be repeated.")
@click.option(
    "--before",
    metavar="TIME",
    default=None,
    help=f"Of windows that end by then, instead of store.retention: {INSTANT_HELP}.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go, and why the rest stays.")
@click.option(
    "--compact",
    is_flag=True,
    help="Then write a SQLite file anew, so that it gives all its free room back. It needs as much"
    " room as is left of it, and whoever writes waits meanwhile.",
)
@by_option
@output_option
@click.pass_obj
def prune(  # one argument an option
    config_file: Path,
    models: tuple[str, ...],
    before: str | None,
    by: str,
    output: Output,
    *,
    dry_run: bool,
    compact: bool,
) -> None:
    """Delete the readings, findings and profiles of windows that are old enough.

    Of a window stay that it was run, on what and when, how many findings had which verdict, its
    alerts and what became of them, decisions, and the audit log. Results that something may still
    ask for stay as well. A window that was pruned is never run again.
    """
    from monitor import app
    from monitor.reports.pruning import pruning_document, pruning_tables

    configuring(by)
    settings = app.read_settings(config_file)
    policies = app.read_policies(settings)
    store = app.open_store(settings.store_url, None if dry_run else app.auditing(settings))
    in_force = (app.in_force(file, store).policy for file in chosen(policies, models))
    plans = [_plan(policy, store, settings, before, by) for policy in in_force]
    size = store.size()
    gone = {item.model: _carried_out(item, store, dry_run=dry_run) for item in plans}
    if compact and not dry_run:
        store.give_back(whole=True)
    if output == "json":
        write_document([pruning_document(item, gone[item.model]) for item in plans])
    else:
        for item in plans:
            write_tables(pruning_tables(item, gone[item.model], dry_run=dry_run), output)
    for strange in sorted({*store.stored_models()} - {policy.model for policy in policies}):
        say(f"{strange}: stored and not configured, so nothing of it is pruned")
    say(_end(size, store.size(), dry_run=dry_run))


def _plan(
    policy: Policy, store: "Store", settings: DaemonSettings, before: str | None, by: str
) -> "Plan":
    from monitor import app
    from monitor.engine.retention import plan

    now = app.SystemClock().now()
    asked, why = _asked(policy, settings, before, now)
    return plan(policy, asked, why, store, now, app.policy_of_text, by)


def _asked(
    policy: Policy, settings: DaemonSettings, before: str | None, now: datetime
) -> tuple[datetime, str]:
    """Return what is asked for, and by whom."""
    if before is not None:
        return instant(policy, "--before", before), "--before"
    if settings.retention is not None:
        return now - settings.retention, "store.retention"
    raise click.UsageError(
        "nothing says how long results are kept: give --before TIME, or write store.retention"
    )


def _carried_out(made: "Plan", store: "Store", *, dry_run: bool) -> "Pruned":
    from monitor.engine.pruning import Pruned
    from monitor.engine.retention import carried_out

    if made.pruning is None:
        return Pruned()
    counted = store.prunable(made.pruning)
    if dry_run:
        return counted
    with progress_bar(made.model, "windows", counted.windows) as progress:
        return carried_out(store, made.pruning, lambda: True, progress)


def _end(before: int, after: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"the store takes {before / 1e6:,.1f} MB; nothing was changed"
    return f"the store takes {after / 1e6:,.1f} MB, and took {before / 1e6:,.1f} MB before"
