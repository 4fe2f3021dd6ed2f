"""``modelmon run --textfile``: results for Prometheus where no daemon runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.files import write_whole
from monitor.domain.policy import Policy

if TYPE_CHECKING:
    from monitor.engine.run import Outside

ENDING = ".prom"
"""The collector reads files that end so, and no other."""


def textfile_path(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
    """Return the path of a file, if node_exporter's textfile collector would find it there."""
    if path is None:
        return None
    if path.suffix != ENDING:
        raise click.BadParameter(f"{path} must end in {ENDING}: no other file is collected")
    if not path.parent.is_dir():
        raise click.BadParameter(f"{path.parent} is no folder")
    return path


def write_textfile(path: Path, policies: Sequence[Policy], outside: "Outside", most: int) -> None:
    """Write what is stored of every configured model, and when, as one file.

    Args:
        path: The file, replaced at once.
        policies: Every configured model, whichever were run: a model that is left out would look
            as if it were gone.
        outside: The store and the clock.
        most: How many series one model may take.

    Raises:
        StoreError: The results cannot be read; the file stays as it was.
        UsageError: The file cannot be written.
    """
    from monitor import app
    from monitor.exposition.render import Build, exported, render

    snapshots = [app.snapshot(policy, outside) for policy in policies]
    build, size = Build(app.code_version()), outside.store.size()
    results = render(snapshots, build, app.measure_families(), most, size)
    write_whole(path, exported(results, outside.clock.now()).text())
