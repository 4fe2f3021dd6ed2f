"""``modelmon recheck``: compute stored results again, and say what differs."""

from collections.abc import Sequence
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
from monitor.cli.selection import INSTANT_HELP, chosen, period

if TYPE_CHECKING:
    from monitor.domain.manifest import Manifest
    from monitor.domain.policy import Policy
    from monitor.domain.window import Window
    from monitor.engine.ports import Clock, Revision, Source


@click.command()
@click.argument("models", nargs=-1)
@click.option("--from", "begin", default=None, help=f"Only windows from here: {INSTANT_HELP}.")
@click.option("--to", "end", default=None, help="… up to here.")
@click.option("--rows", is_flag=True, help="Count the rows of the log again as well.")
@output_option
@click.pass_obj
def recheck(  # one argument an option
    config_file: Path,
    models: tuple[str, ...],
    begin: str | None,
    end: str | None,
    output: Output,
    *,
    rows: bool,
) -> int:
    """Compute every stored result again and report any difference.

    Every reading and finding of every revision is computed from the stored profile, the baseline
    and the policy that it names; nothing is written. Results of other versions of modelmon are
    reported apart: a measure may have changed in between.

    No log is read unless --rows is given. Then the rows of each result are counted again from the
    files that it was made from. A Delta Lake or Iceberg table is read at the snapshot that the
    result names, whatever has been written to it since; of other files only those can be counted
    that nobody has rewritten.

    The exit code is 0 when everything is equal, and 1 when something differs or cannot be
    recomputed.
    """
    from monitor import app
    from monitor.engine.recheck import Agreement, Rechecker, revisions_within
    from monitor.engine.recount import Recounter
    from monitor.reports.recheck import recheck_document, recheck_tables

    settings = app.read_settings(config_file)
    outside = app.open_outside(settings.store_url)
    files = chosen(app.read_policies(settings), models)
    policies = tuple(app.in_force(file, outside.store).policy for file in files)
    stored_of = {
        policy.model: _kept(
            policy.model,
            revisions_within(outside.store, policy.model, period(policy, begin, end)),
        )
        for policy in policies
    }
    if not any(stored_of.values()):
        raise click.UsageError(f"no results of {', '.join(stored_of)} are stored in this period")
    documents = []
    equal = True
    for policy in policies:
        stored = stored_of[policy.model]
        recounter = Recounter(_log_then, outside.compute, policy.directory) if rows else None
        rechecker = Rechecker(
            outside.store, policy.model, app.policy_of_text, recounter, outside.code
        )
        found = []
        with progress_bar(policy.model, "results", len(stored)) as progress:
            for window, revision in stored:
                found.append(rechecker.recheck(window, revision))
                progress.advance(1)
        alike = sum(item.agreement is Agreement.EQUAL for item in found)
        equal = equal and alike == len(found)
        say(f"{policy.model}: {alike:,} of {len(found):,} stored results are equal")
        if output == "json":
            documents.append(recheck_document(policy.model, found))
        else:
            write_tables(recheck_tables(policy.model, found, outside.code), output)
    if output == "json":
        write_document(documents)
    return int(not equal)


def _log_then(policy: "Policy", manifest: "Manifest", clock: "Clock") -> "Source":
    """Return a log with its tables as a manifest names them."""
    from monitor import app

    return app.source_of(policy, clock=clock, as_of=manifest)


def _kept(
    model: str, stored: "Sequence[tuple[Window, Revision]]"
) -> "Sequence[tuple[Window, Revision]]":
    """Return the results that can be recomputed, and say how many were pruned."""
    kept = [(window, revision) for window, revision in stored if revision.pruned is None]
    if gone := len(stored) - len(kept):
        say(
            f"{model}: {gone:,} stored results were pruned and cannot be recomputed; modelmon audit "
            "verify holds what is left of them against the log"
        )
    return kept
