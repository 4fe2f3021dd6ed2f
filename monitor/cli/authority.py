"""``modelmon authority``: which version was allowed to act, under which policy, approved by whom."""

from pathlib import Path

import click

from monitor.cli.output import Output, output_option, write_document, write_tables
from monitor.cli.selection import INSTANT_HELP, chosen, instant


@click.command()
@click.option("--at", "when", default=None, metavar="TIME", help=f"{INSTANT_HELP}; now without it.")
@click.option("--model", "models", multiple=True, help="Only of this model; may be repeated.")
@output_option
@click.pass_obj
def authority(config_file: Path, when: str | None, models: tuple[str, ...], output: Output) -> None:
    """Show which version was allowed to act at a time, under which policy, and who approved it.

    It is told from what the gate answered, as the daemon recorded it; each change of it is in the
    audit log.
    """
    from monitor import app
    from monitor.engine.allowed import authority_at
    from monitor.reports.allowed_at import authority_document, authority_table

    settings = app.read_settings(config_file)
    store, now = app.open_outside(settings.store_url).store, app.SystemClock().now()
    found = [
        authority_at(policy, store, store, now if when is None else instant(policy, "--at", when))
        for policy in chosen(app.read_policies(settings), models)
    ]
    if output == "json":
        write_document([authority_document(each) for each in found])
    else:
        write_tables([authority_table(each) for each in found], output)
