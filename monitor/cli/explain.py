"""``modelmon explain``: what a stored result rests on."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.selection import chosen, instant
from monitor.domain.policy import Policy
from monitor.domain.window import Window

if TYPE_CHECKING:
    from monitor.domain.manifest import LateChange
    from monitor.domain.run import Run

LATEST = "latest"


@click.command()
@click.argument("model")
@click.argument("window")
@click.option("--revision", type=click.IntRange(1), default=None, help="An older result of it.")
@output_option
@click.pass_obj
def explain(
    config_file: Path, model: str, window: str, revision: int | None, output: Output
) -> int:
    """Show what the result of a window rests on: inputs, rows, files, and what was judged.

    WINDOW is the date or time at which it starts, or `latest`. The digest of the files is computed
    again; the exit code is 5 when the store no longer holds what was written. The window's files are
    listed again as well, to tell which of them have changed since.
    """
    from monitor import app
    from monitor.reports.explanation import (
        Explained,
        explanation_document,
        explanation_tables,
    )

    settings = app.read_settings(config_file)
    (policy,) = chosen(app.read_policies(settings), [model])
    store = app.open_outside(settings.store_url).store
    meant = _meant(policy, window, store.heads(model))
    revisions = store.revisions(model, meant)
    number = revisions[-1].number if revision is None else revision
    run = store.run(model, meant, number)
    if run is None:
        raise click.UsageError(f"{meant} has {len(revisions)} revisions, and none is {number}")
    explained = Explained(run, number, revisions, policy, _since(policy, run))
    if output == "json":
        write_document(explanation_document(explained))
    else:
        write_tables(explanation_tables(explained), output)
    if explained.intact and run.accounting.balances:
        return 0
    say(f"{model}: the store no longer holds what was written for {meant}")
    return 5


def _since(policy: Policy, run: "Run") -> "LateChange | None":
    """Return how the files of a run's window have changed; None when its log cannot be reached."""
    from monitor import app
    from monitor.domain.errors import SourceError
    from monitor.domain.manifest import LateChange

    try:
        now = app.source_of(policy).scan(run.window).manifest
    except SourceError as error:
        say(f"{policy.model}: {error}")
        return None
    return LateChange.between(run.window, run.manifest, now)


def _meant(policy: Policy, text: str, windows: Iterable[Window]) -> Window:
    """Return the stored window that starts at an instant.

    Raises:
        click.UsageError: There is none, or several of different length.
    """
    known = sorted(windows, key=lambda window: (window.end, window.start))
    if not known:
        raise click.UsageError(f"{policy.model} has no results yet; see: modelmon run")
    if text == LATEST:
        return known[-1]
    start = instant(policy, "WINDOW", text)
    found = [window for window in known if window.start == start]
    ours = [window for window in found if window == policy.schedule.window_at(start)]
    if len(found) == 1 or ours:
        return (ours or found)[0]
    if found:
        listed = ", ".join(map(str, found))
        raise click.UsageError(f"several windows start at {text}, none of this schedule: {listed}")
    around = [str(window) for window in known if window.contains(start)]
    advice = f"; it lies in {around[-1]}" if around else f"; the latest is {known[-1]}"
    raise click.UsageError(
        f"{policy.model} has no result for a window that starts at {text}{advice}"
    )
