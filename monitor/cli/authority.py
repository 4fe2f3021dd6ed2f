"""``modelmon authority``: which version was allowed to act, under which policy, approved by whom."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import Output, output_option, write_document, write_tables
from monitor.cli.selection import INSTANT_HELP, chosen, instant, period

if TYPE_CHECKING:
    from monitor.domain.policy import Policy
    from monitor.domain.run import Run
    from monitor.domain.window import Window
    from monitor.engine.ports import Store


@click.command()
@click.option("--at", "when", default=None, metavar="TIME", help=f"{INSTANT_HELP}; now without it.")
@click.option("--model", "models", multiple=True, help="Only of this model; may be repeated.")
@click.option(
    "--decisions",
    is_flag=True,
    help="Show the decisions of the latest window by what was allowed when they were made.",
)
@click.option(
    "--from", "begin", default=None, help=f"With --decisions: windows from {INSTANT_HELP}."
)
@click.option("--to", "end", default=None, help="… up to here.")
@output_option
@click.pass_obj
def authority(  # noqa: PLR0917  # an option an argument
    config_file: Path,
    when: str | None,
    models: tuple[str, ...],
    decisions: bool,  # noqa: FBT001  # click passes it by name
    begin: str | None,
    end: str | None,
    output: Output,
) -> None:
    """Show which version was allowed to act at a time, under which policy, and who approved it.

    It is told from what the gate answered, as the daemon recorded it; each change of it is in the
    audit log. With --decisions it is told how many decisions the log has of each version while it
    was allowed what, and which of them were outside of that.
    """
    from monitor import app
    from monitor.engine.allowed import authority_at
    from monitor.reports.allowed_at import authority_document, authority_table

    if decisions and when is not None:
        raise click.UsageError("--at is an instant; --decisions takes --from and --to")
    if not decisions and (begin is not None or end is not None):
        raise click.UsageError("--from and --to go with --decisions")
    policies, store = _of(config_file, models, asked_of_past=not decisions)
    if decisions:
        _show_decisions(
            [(policy, period(policy, begin, end)) for policy in policies], store, output
        )
        return
    now = app.SystemClock().now()
    found = [
        authority_at(
            policy,
            store,
            store,
            now if when is None else instant(policy, "--at", when),
            _stored_policies(store, policy.model),
        )
        for policy in policies
    ]
    if output == "json":
        write_document([authority_document(each) for each in found])
    else:
        write_tables([authority_table(each) for each in found], output)


def _of(
    config_file: Path, models: Sequence[str], *, asked_of_past: bool
) -> "tuple[tuple[Policy, ...], Store]":
    """Return the policies in force, and the last ones of models that no file names any more."""
    from monitor import app

    settings = app.read_settings(config_file)
    files, store = app.read_policies(settings), app.open_store(settings.store_url)
    known = {file.model: app.in_force(file, store).policy for file in files}
    gone = sorted(store.known_models() - known.keys()) if asked_of_past else []
    for model in gone:
        if digest := store.last_policy(model):
            known[model] = app.policy_of_text(store.policy_text(digest))
    return chosen(tuple(known.values()), models), store


def _stored_policies(store: "Store", model: str) -> "Callable[[str], Policy | None]":
    """Return what returns the policy of a model with a digest; None where no run was made under it."""
    from monitor import app

    known = {item.digest for item in store.policies(model)}
    return lambda digest: app.policy_of_text(store.policy_text(digest)) if digest in known else None


def _show_decisions(
    asked: "list[tuple[Policy, Window | None]]", store: "Store", output: Output
) -> None:
    from monitor.engine.overreach import overreach_of
    from monitor.reports.overreach import decision_document, decision_table, overreach_table

    found = [
        (run, overreach_of(run, store.gate_answers(policy.model)))
        for policy, within in asked
        if policy.governance.governed
        for run in _runs(store, policy.model, within)
    ]
    if output == "json":
        write_document([decision_document(run, outside) for run, outside in found])
        return
    tables = [decision_table(run) for run, _ in found]
    tables += [
        overreach_table(outside, f"Outside of what was allowed: {run.model}, {run.window}")
        for run, outside in found
    ]
    write_tables([table for table in tables if table.rows or table.note], output)


def _runs(store: "Store", model: str, within: "Window | None") -> "Iterator[Run]":
    """Yield the newest results of the windows of a period, or of the latest window."""
    kept = [window for window, head in store.heads(model).items() if head.pruned is None]
    if within is None:
        kept = kept[-1:]
    for window in kept:
        if within is None or (within.start <= window.start and window.end <= within.end):
            run = store.run(model, window)
            if run is not None:
                yield run
