"""``modelmon registry``: what the model registry has, and what it is to be told."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.governed import to_look
from monitor.cli.output import Output, output_option, say, write_tables
from monitor.cli.selection import chosen
from monitor.domain.errors import RegistryError

if TYPE_CHECKING:
    from monitor.domain.governance import RegistryEntry
    from monitor.engine.registry_poll import Polled


@click.group()
def registry() -> None:
    """Look at models in their registry, and tell it what waits."""


@registry.command("poll")
@click.argument("models", nargs=-1)
@click.pass_obj
def poll_once(config_file: Path, models: tuple[str, ...]) -> None:
    """Look once at every model, or at some, and tell the registry what waits.

    The daemon does the same by itself. What has changed is said, and recorded in the audit log.
    """
    from monitor import app
    from monitor.engine.errands import deliver
    from monitor.engine.registry_look import look_at_all
    from monitor.registry.connection import connected

    settings = app.read_settings(config_file)
    files = chosen(app.read_policies(settings), models)
    outside = app.open_outside(settings.store_url, auditing=app.auditing(settings))
    policies = tuple(app.in_force(file, outside.store).policy for file in files)
    link, delivery = connected(settings.registry, outside.store, outside.clock, policies)
    listed = [(policy, policy.governance.registry) for policy in policies]
    entries = {policy.model: (policy, entry) for policy, entry in listed if entry is not None}
    for policy in policies:
        if policy.model not in entries:
            say(f"{policy.model}: its file names no registry entry")
    looked = look_at_all(entries, link, every=not models)
    for model, polled in looked.polled.items():
        _say_found(model, entries[model][1], polled)
    taken = 0 if looked.away else deliver(delivery, at_once=True)
    waiting = outside.store.backlog().waiting
    say(f"told the registry {taken:,} things; {waiting:,} wait")
    if looked.missed:
        told = "; ".join(f"{model}: {error}" for model, error in looked.missed.items())
        raise RegistryError(told, retryable=looked.away)


def _say_found(model: str, entry: "RegistryEntry", polled: "Polled") -> None:
    for change in polled.changes:
        say(
            f"{model}: {change.kind} {change.version} {change.name} {change.before!r} -> {change.after!r}"
        )
    if not polled.found:
        say(f"{model}: the registry has no {entry.name}")
    elif not polled.changes:
        say(f"{model}: nothing has changed")
    if polled.outside:
        say(f"{model}: {entry.alias} names version {polled.outside}, which may not act")


@registry.command()
@click.argument("models", nargs=-1)
@output_option
@click.pass_obj
def show(config_file: Path, models: tuple[str, ...], output: Output) -> None:
    """Show what the registry had at the last look, where versions came from, and what waits."""
    from monitor.domain.registry import ErrandKind
    from monitor.reports.registry import registry_tables

    policies, store = to_look(config_file, models)
    waiting = store.waiting(tuple(ErrandKind))
    tables = [
        table
        for policy in policies
        if models or policy.governance.registry is not None
        for table in registry_tables(
            policy.model,
            store.look(policy.model),
            store.origins(policy.model),
            {name: each.state.value for name, each in store.standings(policy.model).items()},
            [each for each in waiting if each.model == policy.model],
        )
    ]
    if not tables:
        say("no model's file names a registry entry")
    write_tables(tables, output)
