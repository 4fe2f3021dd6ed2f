"""``modelmon dashboards``: what Grafana and Prometheus are given."""

from pathlib import Path

import click

from monitor.cli.files import write_whole
from monitor.cli.output import Output, output_option, say, write_tables
from monitor.exposition.rule import JOB, PAGES, RUNBOOKS, rule_file

RULES = "modelmon.rules.yml"
"""The rules' file, beside the dashboards."""


@click.command()
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write them, and the rules of `modelmon rules`, to this folder; files of theirs that are there are replaced.",
)
@output_option
def dashboards(folder: Path | None, output: Output) -> None:
    """List the Grafana dashboards, or write them and the rules for Prometheus to a folder.

    They are of this version, and need the metrics that this version exposes.
    """
    from monitor.exposition.boards import boards
    from monitor.exposition.rules import rules_for
    from monitor.reports.table import Table

    found = boards()
    if folder is None:
        rows = tuple(
            (board.file, board.content["title"], board.content["uid"], board.content["description"])
            for board in found
        )
        write_tables((Table("Dashboards", ("file", "title", "uid", "about"), rows),), output)
        return
    texts = {board.file: board.text for board in found}
    texts[RULES] = rule_file(rules_for(JOB), RUNBOOKS, PAGES)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"{folder} cannot be made: {error.strerror or error}") from error
    for name, text in texts.items():
        write_whole(folder / name, text.encode())
    say(f"modelmon: {len(found)} dashboards and {RULES} written to {folder}")
