"""``modelmon init``: a model's first configuration."""

from pathlib import Path

import click

from monitor.cli.output import say


@click.command()
@click.argument("log")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "delta", "iceberg"]),
    default=None,
    help="What keeps the log's files, as source.format; found out of a local path.",
)
@click.option("--model", default=None, help="Name of the model; the log's folder by default.")
@click.option(
    "--write",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="The file to write; standard output when not given. Never overwrites.",
)
def init(log: str, kind: str | None, model: str | None, target: Path | None) -> None:
    """Write a commented configuration with fields, kinds and roles inferred from a log.

    LOG is a parquet file or folder, or a Delta Lake or Iceberg table, as source.path names it.
    """
    from monitor import app

    text = app.starter(log, model, target, kind)
    if target is None:
        click.echo(text, nl=False)
        return
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise click.UsageError(f"{target} exists; nothing was written") from error
    say(f"wrote {target}; check it with: modelmon config check {target}")
