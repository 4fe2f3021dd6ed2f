"""``modelmon db``: create, upgrade, check and prune the database, back it up and restore it."""

from pathlib import Path

import click

from monitor.cli.files import PRIVATE, TARGET, whole
from monitor.cli.output import say
from monitor.cli.prune import prune


@click.group()
def db() -> None:
    """Create, upgrade, check and prune the database, back it up and restore it."""


db.add_command(prune)


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
    app.open_store(settings.store_url)
    say("modelmon: the database has this version's schema")


@db.command()
@click.argument("file", type=TARGET)
@click.pass_obj
def backup(config_file: Path, file: Path) -> None:
    """Write everything that is stored to FILE, which is not there yet.

    It is as of one instant; a daemon goes on writing meanwhile. The file is the same for SQLite and
    PostgreSQL: a store can be moved from one to the other.
    """
    from monitor import app
    from monitor.store.backup import write_backup

    url = app.read_settings(config_file).store_url
    if file.exists():
        raise click.UsageError(f"{file} is there already; name a new file")
    with whole(file, PRIVATE) as target:
        done = write_backup(url, target, app.code_version(), app.SystemClock().now())
    say(f"modelmon: {done.rows:,} rows of {len(done.tables)} tables, schema {done.schema}")


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--check", "looking", is_flag=True, help="Only read FILE to its end; restore nothing."
)
@click.pass_obj
def restore(config_file: Path, file: Path, *, looking: bool) -> None:
    """Fill the database, which is empty or not there yet, with what `db backup` wrote to FILE.

    All or nothing: FILE is read to its end first, and what was written is held against it.
    """
    from monitor import app
    from monitor.store import backup as store

    if looking:
        found = store.check_backup(file)
    else:
        found = store.restore(app.read_settings(config_file).store_url, file)
    what = "whole" if looking else "restored"
    say(
        f"modelmon: {what}: {found.rows:,} rows of {len(found.tables)} tables, schema "
        f"{found.schema}, written {found.made_at:%Y-%m-%d %H:%M:%S} UTC by modelmon {found.code}"
    )
