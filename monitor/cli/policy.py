"""``modelmon policy``: which policies are in force, and what waits to take their place."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import Output, output_option, say, write_tables
from monitor.cli.person import by_option, somebody
from monitor.cli.selection import chosen

if TYPE_CHECKING:
    from monitor.engine.policies import InForce
    from monitor.engine.ports import Store


@click.group()
def policy() -> None:
    """Show which policies are in force, and propose looser ones."""


@policy.command("list")
@click.argument("models", nargs=-1)
@output_option
@click.pass_obj
def list_policies(config_file: Path, models: tuple[str, ...], output: Output) -> None:
    """List the policies that models were and are judged by, and those that wait."""
    from monitor import app
    from monitor.reports.policies import policy_table

    settings = app.read_settings(config_file)
    files = chosen(app.read_policies(settings), models)
    store = app.open_store(settings.store_url)
    found = [app.in_force(file, store) for file in files]
    write_tables([policy_table(item, store.policies(item.file.model)) for item in found], output)


@policy.command()
@click.argument("model")
@click.option("--digest", default=None, help="One that results were judged by, or how it begins.")
@click.pass_obj
def show(config_file: Path, model: str, digest: str | None) -> int:
    """Print the policy in force with every default filled in, as YAML.

    With --digest, as a result, a permit or a record of the audit log names it, the one that it is
    the digest of. The exit code is 5 when what is stored of it has another digest now.
    """
    from monitor.config.content import policy_as_yaml

    found, store = _found(config_file, model)
    if digest is not None:
        return _show_stored(store, model, digest)
    click.echo(policy_as_yaml(found.policy), nl=False)
    say(f"{model}: policy {found.policy.digest}")
    if found.waits:
        say(f"{model}: its file, {found.file.digest}, is looser and waits for approval")
    return 0


def _show_stored(store: "Store", model: str, begin: str) -> int:
    from monitor import app
    from monitor.config.content import policy_as_yaml

    used = [each.digest for each in store.policies(model)]
    meant = [digest for digest in used if digest.startswith(begin.removeprefix("sha256:"))]
    if len(meant) != 1 or not begin:
        found = "none" if not meant else f"{len(meant)}: {', '.join(meant)}"
        raise click.UsageError(
            f"of the policies that results of {model} were judged by, {begin!r} begins {found};"
            f" modelmon policy list {model} has them all"
        )
    stored = app.policy_of_text(store.policy_text(meant[0]))
    click.echo(policy_as_yaml(stored), nl=False)
    if stored.digest == meant[0]:
        say(f"{model}: policy {stored.digest}, computed again from what is printed")
        return 0
    say(f"{model}: what is stored of the policy {meant[0]} has the digest {stored.digest} now")
    return 5


@policy.command()
@click.argument("model")
@output_option
@click.pass_obj
def diff(config_file: Path, model: str, output: Output) -> None:
    """Tell how a model's file differs from the policy that judged last, and whether it waits."""
    from monitor.reports.plan import key_table
    from monitor.reports.policies import waiting_sentence

    found, _ = _found(config_file, model)
    write_tables([key_table(found.file, found.changes)], output)
    say(waiting_sentence(found))


@policy.command()
@click.argument("model")
@click.option("--why", required=True, help="Why more can be tolerated, in words.")
@by_option
@click.pass_obj
def propose(config_file: Path, model: str, why: str, by: str) -> int:
    """Ask that a model's file, which is looser, come into force.

    Who must agree is what the policy in force says under approvals.loosen_policy.
    """
    from monitor import app
    from monitor.engine.governing import decide
    from monitor.governance.approvals import Request
    from monitor.governance.authorisation import Action
    from monitor.governance.proposals import propose as ask

    found, store = _found(config_file, model)
    if not found.waits:
        raise click.UsageError(f"the file of {model} does not wait for anything")
    now = app.SystemClock().now()
    changes = decide(
        found.policy,
        store,
        somebody(by, now),
        Action.PROPOSE_POLICY,
        lambda book, _, speaker: ask(
            book, speaker, found.policy.digest, found.file.digest, found.changes, why
        ),
        now,
    )
    number = next(item.after.number for item in changes if isinstance(item.after, Request))
    say(f"{model}: request {number}: policy {found.file.digest[:12]} waits for its approvals")
    return 0


def _found(config_file: Path, model: str) -> "tuple[InForce, Store]":
    from monitor import app

    settings = app.read_settings(config_file)
    (file,) = chosen(app.read_policies(settings), [model])
    store = app.open_configured(settings).store
    return app.in_force(file, store), store
