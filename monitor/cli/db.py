"""``modelmon db``: create, upgrade and check the database."""

from pathlib import Path

import click

from monitor.cli.output import say


@click.group()
def db() -> None:
    """Create, upgrade and check the database."""


@db.command()
@click.pass_obj
def upgrade(config_file: Path) -> None:
    """Bring the database to the schema of this version; create it when there is none."""
    from monitor import app

    settings = app.read_settings(config_file)
    say(f"modelmon: {app.upgrade_store(settings)}")


@db.command()
@click.pass_obj
def check(config_file: Path) -> None:
    """Say whether the database has the schema of this version; exit code 5 when it has not."""
    from monitor import app

    settings = app.read_settings(config_file)
    app.open_outside(settings.store_url)
    say("modelmon: the database has this version's schema")
