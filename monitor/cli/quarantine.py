"""``modelmon quarantine``: files that could not be used."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import (
    Output,
    output_option,
    printable,
    say,
    write_document,
    write_tables,
)
from monitor.cli.person import by_option, refusals_recorded, said
from monitor.cli.selection import chosen

if TYPE_CHECKING:
    from monitor.domain.policy import Policy
    from monitor.domain.quarantine import QuarantinedFile
    from monitor.engine.ports import Store

model_option = click.option(
    "--model", "models", multiple=True, help="Only files of this model; may be repeated."
)


@click.group()
def quarantine() -> None:
    """List files that could not be used, have them tried again, or drop them."""


@quarantine.command("list")
@model_option
@click.option("--all", "every", is_flag=True, help="Also files that were released, or are gone.")
@output_option
@click.pass_obj
def list_files(config_file: Path, models: tuple[str, ...], output: Output, *, every: bool) -> None:
    """List the files in quarantine, the one that has been there longest first."""
    from monitor.reports.quarantine import quarantine_document, quarantine_table

    _, _, files = _open(config_file, models)
    shown = [file for file in files if every or file.inside]
    if output == "json":
        write_document(quarantine_document(shown))
    elif shown:
        write_tables([quarantine_table(shown)], output)
    else:
        say("no file is in quarantine")


@quarantine.command()
@click.argument("paths", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every file that waits.")
@model_option
@by_option
@click.option("--why", default="", help="The reason; kept with the file.")
@click.pass_obj
def retry(  # one argument an option
    config_file: Path,
    paths: tuple[str, ...],
    models: tuple[str, ...],
    by: str,
    why: str,
    *,
    every: bool,
) -> None:
    """Have files tried at the next check, dropped ones too.

    PATHS are paths as `modelmon quarantine list` shows them.
    """
    from monitor.domain.quarantine import QuarantineState
    from monitor.engine.decisions import retry_file
    from monitor.governance.authorisation import Action

    if every == bool(paths):
        raise click.UsageError("name the files, or say --all")
    store, policies, files = _open(config_file, models, writes=True)
    waiting = [file for file in files if file.state is QuarantineState.WAITING]
    meant = waiting if every else _named(files, paths)
    action = Action.DECIDE_QUARANTINE
    for file in meant:
        words = said(by, why)
        with refusals_recorded(config_file, words.who, action, file.model, words.at):
            retry_file(store, policies[file.model], file.path, words)
        say(f"{file.model}: {printable(file.path)} is tried at the next check")
    if not meant:
        say("no file waits")


@quarantine.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--why", required=True, help="The reason; kept with the file.")
@model_option
@by_option
@click.pass_obj
def drop(  # one argument an option
    config_file: Path, paths: tuple[str, ...], why: str, models: tuple[str, ...], by: str
) -> None:
    """Never try files again, though they change; they are still counted and named.

    PATHS are paths as `modelmon quarantine list` shows them; `modelmon quarantine retry` takes
    them back.
    """
    from monitor.engine.decisions import drop_file
    from monitor.governance.authorisation import Action

    store, policies, files = _open(config_file, models, writes=True)
    action = Action.DECIDE_QUARANTINE
    for file in _named(files, paths):
        words = said(by, why)
        with refusals_recorded(config_file, words.who, action, file.model, words.at):
            drop_file(store, policies[file.model], file.path, words)
        say(f"{file.model}: {printable(file.path)} is dropped, and still named")


def _open(
    config_file: Path, models: Sequence[str], *, writes: bool = False
) -> "tuple[Store, dict[str, Policy], list[QuarantinedFile]]":
    from monitor import app

    settings = app.read_settings(config_file)
    policies = chosen(app.read_policies(settings), models)
    auditing = app.auditing(settings) if writes else None  # to look needs no key
    store = app.open_store(settings.store_url, auditing)
    files = [file for policy in policies for file in store.quarantine(policy.model).values()]
    files.sort(key=lambda file: (file.first_seen, file.model, file.path))
    found = {file.model: app.in_force(file, store).policy for file in policies}
    return store, found, files


def _named(files: "Sequence[QuarantinedFile]", paths: Sequence[str]) -> "list[QuarantinedFile]":
    """Return the files in quarantine that have the paths, as they are shown or as they are.

    Raises:
        click.UsageError: A path is not in quarantine, or in that of several models.
    """
    inside = [file for file in files if file.inside]
    found: list[QuarantinedFile] = []
    for path in paths:
        meant = [file for file in inside if printable(file.path) == path]
        meant = meant or [file for file in inside if file.path == path]
        if not meant:
            raise click.UsageError(f"not in quarantine: {path}; see: modelmon quarantine list")
        if len(meant) > 1:
            models = ", ".join(file.model for file in meant)
            raise click.UsageError(f"{path} is in quarantine for {models}: say --model")
        found += meant
    return found
