"""``modelmon config``: check, show and describe configuration files."""

import json
from pathlib import Path

import click

from monitor.cli.output import say
from monitor.cli.selection import chosen


@click.group()
def config() -> None:
    """Check, show and describe configuration files."""


@config.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def check(config_file: Path, files: tuple[Path, ...]) -> None:
    """Check the daemon's settings and every model, or only the model files given."""
    from monitor import app

    if files:
        policies = app.read_policy_files(files)
    else:
        policies = app.read_policies(app.read_settings(config_file))
    for policy in policies:
        say(f"{policy.model}: ok, policy {policy.digest[:12]}")
    if not policies:
        say("no model is configured")


@config.command()
@click.argument("models", nargs=-1)
@click.pass_obj
def show(config_file: Path, models: tuple[str, ...]) -> None:
    """Print the configuration with every default filled in, as YAML."""
    from monitor import app

    settings = app.read_settings(config_file)
    texts = [app.settings_as_yaml(settings)] if not models else []
    texts += [app.policy_as_yaml(item) for item in chosen(app.read_policies(settings), models)]
    click.echo("---\n".join(texts), nl=False)


@config.command()
@click.option("--daemon", is_flag=True, help="The schema of modelmon.yaml, not of a model file.")
def schema(*, daemon: bool) -> None:
    """Print the JSON Schema of a model file, for editors."""
    from monitor import app

    click.echo(json.dumps(app.schema(daemon=daemon), indent=2, ensure_ascii=False))
