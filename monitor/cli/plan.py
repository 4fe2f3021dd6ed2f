"""``modelmon plan``: what an edited policy would change, before it is live."""

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
from monitor.cli.selection import INSTANT_HELP, period

if TYPE_CHECKING:
    from monitor.domain.policy import Policy
    from monitor.engine.ports import Store

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--against",
    type=_FILE,
    default=None,
    help="The policy that is in force; otherwise the store's.",
)
@click.option("--from", "begin", default=None, help=f"Only windows from here: {INSTANT_HELP}.")
@click.option("--to", "end", default=None, help="… up to here; otherwise the newest 60.")
@click.option(
    "--fail-on",
    type=click.Choice(["loosen"]),
    default=None,
    help="Exit with 1 when the change loosens anything.",
)
@output_option
@click.pass_obj
def plan(  # noqa: PLR0917  # its options
    config_file: Path,
    file: Path,
    against: Path | None,
    begin: str | None,
    end: str | None,
    fail_on: str | None,
    output: Output,
) -> int:
    """Tell what an edited policy would change, before it is live.

    Says of each key whether it tightens, loosens or does neither, and judges stored windows again:
    which findings would have had another verdict, and who would have been called. No log is read
    and nothing is written; what the store cannot say is said.
    """
    from monitor import app
    from monitor.config.change_classes import changes_between
    from monitor.domain.change import change_of
    from monitor.engine.plan import replay
    from monitor.reports.plan import plan_document, plan_tables

    (after,) = app.read_policy_files((file,))
    store = app.open_store(app.read_settings(config_file).store_url)
    before = _in_force(store, after.model, against)
    changes = changes_between(before, after)
    with progress_bar("judging stored windows again", "windows") as progress:
        found = replay(
            store,
            before,
            after,
            changes,
            period(after, begin, end),
            app.policy_of_text,
            progress,
        )
    if output == "json":
        write_document(plan_document(before, after, changes, found))
    else:
        write_tables(plan_tables(before, after, changes, found), output)
    change = change_of(changes)
    what = change.value if changes else "nothing changes"
    say(f"{after.model}: {what}; {len(found.windows):,} stored windows were judged by both")
    return int(fail_on is not None and change.value == fail_on)


def _in_force(store: "Store", model: str, against: Path | None) -> "Policy":
    from monitor import app

    if against is not None:
        (before,) = app.read_policy_files((against,))
        if before.model != model:
            raise click.UsageError(f"--against is of the model {before.model}, and not of {model}")
        return before
    digest = store.last_policy(model)
    if not digest:
        raise click.UsageError(f"no result of {model} is stored; name a file with --against")
    return app.policy_of_text(store.policy_text(digest))
