"""``modelmon waive`` and ``waivers``: a limit without a consequence for a while."""

from pathlib import Path

import click

from monitor.cli.governed import model_argument, models_option, tell, to_look, to_write, why_option
from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.person import by_option, said
from monitor.cli.selection import INSTANT_HELP, instant


@click.command()
@model_argument
@click.argument("limit")
@click.option("--version", default="", help="Only for this version.  [default: all]")
@click.option("--until", required=True, metavar="TIME", help=f"When it ends: {INSTANT_HELP}.")
@click.option("--control", required=True, help="What guards meanwhile; kept for good.")
@why_option
@by_option
@click.pass_obj
def waive(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    model: str,
    limit: str,
    version: str,
    until: str,
    control: str,
    why: str,
    by: str,
) -> None:
    """Ask that a limit have no consequence until a time.

    LIMIT is the id of one of the policy's `risk.limits`. Somebody else approves it: `modelmon
    approve`. What is measured and judged stays the same, and when the waiver ends the consequence
    is back with nobody having done anything.
    """
    from monitor.engine import verbs

    policy, store = to_write(config_file, model)
    ends = instant(policy, "--until", until)
    tell(verbs.waive(policy, store, said(by, why), limit, version, ends, control))


@click.group()
def waivers() -> None:
    """Show waivers, and end one before its time."""


@waivers.command("list")
@models_option
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@output_option
@click.pass_obj
def list_waivers(
    config_file: Path, models: tuple[str, ...], output: Output, *, every: bool
) -> None:
    """List the waivers that hold."""
    from monitor import app
    from monitor.reports.authority import authority_document, waiver_table

    policies, store = to_look(config_file, models)
    now = app.SystemClock().now()
    found = [item for policy in policies for item in store.waivers(policy.model)]
    shown = [item for item in found if every or item.holds(now)]
    if output == "json":
        write_document([authority_document(item) for item in shown])
    elif shown:
        write_tables([waiver_table(shown, now)], output)
    else:
        say("there is no waiver" if every else "no waiver holds")


@waivers.command("revoke")
@model_argument
@click.argument("waiver", type=int)
@why_option
@by_option
@click.pass_obj
def revoke_waiver(config_file: Path, model: str, waiver: int, why: str, by: str) -> None:
    """End a waiver: its limit has its consequence again at once."""
    from monitor.engine import verbs

    policy, store = to_write(config_file, model)
    tell(verbs.revoke_waiver(policy, store, said(by, why), waiver))
