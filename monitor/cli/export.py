"""``modelmon export``: stored results for other programs."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.files import TARGET, whole
from monitor.cli.governed import to_look
from monitor.cli.output import say
from monitor.cli.selection import INSTANT_HELP, period

if TYPE_CHECKING:
    from monitor.domain.policy import Policy
    from monitor.engine.by_window import PastWindows
    from monitor.engine.ports import Store

_models = click.option("--model", "models", multiple=True, help="Only this model; may be repeated.")
_begin = click.option(
    "--from", "begin", default=None, help=f"Only windows from here: {INSTANT_HELP}."
)
_end = click.option("--to", "end", default=None, help="… up to here.")


@click.group()
def export() -> None:
    """Write stored results for other programs."""


@export.command()
@_models
@_begin
@_end
@click.option("-o", "--output", "target", type=TARGET, help="Write to this file.")
@click.pass_obj
def openmetrics(
    config_file: Path,
    models: tuple[str, ...],
    begin: str | None,
    end: str | None,
    target: Path | None,
) -> None:
    """Write the series of each stored window, at the window's end, as OpenMetrics.

    Names and labels are those of /metrics. `promtool tsdb create-blocks-from openmetrics` makes
    blocks of it that a Prometheus serves like what it has scraped.
    """
    from monitor import app
    from monitor.engine.by_window import snapshots
    from monitor.exposition.history import write_history

    policies, store = to_look(config_file, models)
    found = [_past(policy, store, begin, end) for policy in policies]
    every = (snapshot for past in found for snapshot in snapshots(past, store))
    with nullcontext(sys.stdout.buffer) if target is None else whole(target) as file:
        done = write_history(every, app.measure_families(), file)
    say(f"{done.windows:,} windows, {done.points:,} points")


@export.command()
@_models
@_begin
@_end
@click.option("-o", "--output", "target", type=TARGET, required=True, help="Write to this file.")
@click.option(
    "--unsuppressed",
    is_flag=True,
    help="Write the numbers of small groups as well. Do not hand the file on.",
)
@click.pass_obj
def parquet(  # one argument an option
    config_file: Path,
    models: tuple[str, ...],
    begin: str | None,
    end: str | None,
    target: Path,
    *,
    unsuppressed: bool,
) -> None:
    """Write everything measured and judged as a parquet file, a row a reading.

    The newest result of each window is taken. Numbers of small groups are left out as in the
    metrics, and `withheld` says where.
    """
    from monitor.engine.by_window import pruned, results
    from monitor.reports.readings_file import write_readings

    policies, store = to_look(config_file, models)
    spans = {policy.model: period(policy, begin, end) for policy in policies}
    for policy in policies:
        if gone := pruned(policy.model, store, spans[policy.model]):
            say(f"{policy.model}: left out {len(gone):,} windows whose results were pruned")
    every = (
        (policy, shown)
        for policy in policies
        for shown in results(policy.model, store, spans[policy.model])
    )
    with whole(target) as file:
        rows = write_readings(every, file, unsuppressed=unsuppressed)
    say(f"{target}: {rows:,} readings")


def _past(policy: "Policy", store: "Store", begin: str | None, end: str | None) -> "PastWindows":
    from monitor.engine.by_window import past_windows

    found = past_windows(policy, store, period(policy, begin, end))
    if not found.heads:
        say(f"{policy.model}: no window of its schedule in the period has a result")
    if found.pruned:
        say(
            f"{policy.model}: left out {len(found.pruned):,} windows, up to {found.pruned[-1]}: results "
            "of them, or of windows that their alarms rest on, were pruned"
        )
    if found.left_out:
        say(f"{policy.model}: left out {len(found.left_out):,} windows of a former schedule")
    return found
