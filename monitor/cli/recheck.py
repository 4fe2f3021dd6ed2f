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
    from monitor.domain.window import Window
    from monitor.engine.ports import Revision


@click.command()
@click.argument("models", nargs=-1)
@click.option("--from", "begin", default=None, help=f"Only windows from here: {INSTANT_HELP}.")
@click.option("--to", "end", default=None, help="… up to here.")
@output_option
@click.pass_obj
def recheck(
    config_file: Path, models: tuple[str, ...], begin: str | None, end: str | None, output: Output
) -> int:
    """Compute every stored result again and report any difference.

    Every reading and finding of every revision is computed from the stored profile, the baseline
    and the policy that it names; no log is read, and nothing is written. Results of other versions
    of modelmon are reported apart: a measure may have changed in between.

    The exit code is 0 when everything is equal, and 1 when something differs or cannot be
    recomputed.
    """
    from monitor import app
    from monitor.engine.recheck import Agreement, Rechecker, revisions_within
    from monitor.reports.recheck import recheck_document, recheck_tables

    settings = app.read_settings(config_file)
    policies = chosen(app.read_policies(settings), models)
    outside = app.open_outside(settings.store_url)
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
        rechecker = Rechecker(outside.store, policy.model, app.policy_of_text)
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
