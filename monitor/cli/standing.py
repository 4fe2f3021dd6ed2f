"""``modelmon standing``, ``hold``, ``stop``, ``retire`` and ``release``: what versions may do."""

from pathlib import Path

import click

from monitor.cli.governed import model_argument, models_option, tell, to_look, to_write, why_option
from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.person import by_option, said

_VERSION = click.argument("version")


@click.command()
@models_option
@output_option
@click.pass_obj
def standing(config_file: Path, models: tuple[str, ...], output: Output) -> None:
    """Show what each version may do, since when, by whom and why."""
    from monitor.reports.authority import authority_document, standing_table

    policies, store = to_look(config_file, models)
    found = [item for policy in policies for item in store.standings(policy.model).values()]
    if output == "json":
        write_document([authority_document(item) for item in found])
    elif found:
        write_tables([standing_table(found)], output)
    else:
        say("no version is known yet: a run or a baseline names the first")


def _taking_away(name: str, told: str) -> click.Command:
    """Return a command by which one person takes authority away."""

    @click.command(name, help=told)
    @model_argument
    @_VERSION
    @why_option
    @by_option
    @click.pass_obj
    def take_away(config_file: Path, model: str, version: str, why: str, by: str) -> None:
        from monitor.engine import verbs
        from monitor.governance.authorisation import Action

        policy, store = to_write(config_file, model)
        tell(verbs.take_away(policy, store, said(by, why), Action(name), version))

    return take_away


hold = _taking_away(
    "hold", "Take a version's authority away until it is released; one person suffices."
)
stop = _taking_away(
    "stop", "Take a version's authority away until it is approved anew; one person suffices."
)
retire = _taking_away("retire", "Take a version's authority away for good.")


@click.command()
@model_argument
@_VERSION
@why_option
@by_option
@click.pass_obj
def release(config_file: Path, model: str, version: str, why: str, by: str) -> None:
    """Ask that a version that is held or restricted gets its authority back.

    Somebody else approves it: `modelmon approve`. What is held comes back restricted, and a second
    release gives it the rest.
    """
    from monitor.engine import verbs

    policy, store = to_write(config_file, model)
    tell(verbs.release(policy, store, said(by, why), version))
