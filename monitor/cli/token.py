"""``modelmon token``: secrets that programs and people use over HTTP."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.person import by_option, refusals_recorded, somebody
from monitor.cli.selection import chosen
from monitor.domain.role import Role

if TYPE_CHECKING:
    from monitor.store.access import AccessStore

_ROLES = [role.value for role in Role if role is not Role.SYSTEM]


@click.group()
def token() -> None:
    """Create, list and revoke tokens for the HTTP interface."""


@token.command("create")
@click.argument("purpose")
@click.option("--for", "holder", required=True, help="The account, as policies name people.")
@click.option(
    "--role",
    "roles",
    type=click.Choice(_ROLES),
    multiple=True,
    required=True,
    help="What it is for; may be repeated.",
)
@click.option("--model", "models", multiple=True, help="Only this model; may be repeated.")
@click.option("--expires", required=True, metavar="DURATION", help="How long it holds: 90d, 12h.")
@by_option
@click.pass_obj
def create_token(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    purpose: str,
    holder: str,
    roles: tuple[str, ...],
    models: tuple[str, ...],
    expires: str,
    by: str,
) -> None:
    """Create a token, and print it this once.

    PURPOSE says what it is for. It gives viewer, operator, auditor, gate and admin by itself; for
    any other role its holder must have it by the policy of the model.
    """
    from monitor import app
    from monitor.engine.token_giving import give
    from monitor.governance.authorisation import Action, authorise
    from monitor.governance.tokens import Wanted

    settings, now = app.read_settings(config_file), app.SystemClock().now()
    who = somebody(by, now)
    with refusals_recorded(config_file, who, Action.MANAGE_TOKENS, "", now):
        authorise(who, Action.MANAGE_TOKENS, None, now)
    if models:
        chosen(app.read_policies(settings), models)
    wanted = Wanted(
        holder=holder,
        purpose=purpose,
        roles=frozenset(Role(name) for name in roles),
        models=frozenset(models) or None,
        lasting=_lasting(expires),
    )
    made, text = give(wanted, who, app.access_store(settings), now)
    say(f"modelmon: token {made.id} for {holder} holds until {made.expires_at:%Y-%m-%d %H:%M}Z;")
    say("modelmon: it is shown this once, and nobody can read it again:")
    click.echo(text)


@token.command("list")
@click.option("--all", "every", is_flag=True, help="Also expired and revoked ones.")
@output_option
@click.pass_obj
def list_tokens(config_file: Path, output: Output, *, every: bool) -> None:
    """List tokens, the oldest first; nobody sees their secrets."""
    from monitor import app
    from monitor.reports.tokens import token_document, token_table

    now, store = app.SystemClock().now(), _opened(config_file)
    shown = [item for item in store.tokens() if every or item.state(now) == "valid"]
    if output == "json":
        write_document({"tokens": [token_document(item, now) for item in shown]})
    elif shown:
        write_tables([token_table(shown, now)], output)
    else:
        say("there is no token" if every else "no token is valid")


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@click.option("--why", default="", help="The reason; kept in the audit log.")
@by_option
@click.pass_obj
def revoke_token(config_file: Path, token_id: str, why: str, by: str) -> None:
    """Revoke a token at once. ID is its public part: the letters after `mon_`."""
    from monitor import app
    from monitor.engine.decisions import actor_of
    from monitor.governance.authorisation import Action, authorise

    now = app.SystemClock().now()
    who = somebody(by, now)
    with refusals_recorded(config_file, who, Action.MANAGE_TOKENS, "", now):
        authorise(who, Action.MANAGE_TOKENS, None, now)
    _opened(config_file).revoke(token_id, by, actor_of(who), now, why)
    say(f"modelmon: nobody can use the token {token_id} any more")


def _lasting(text: str) -> timedelta:
    from monitor.config.values import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.UsageError(f"--expires: {error}") from error


def _opened(config_file: Path) -> "AccessStore":
    from monitor import app

    return app.access_store(app.read_settings(config_file))
