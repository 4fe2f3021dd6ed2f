"""``modelmon cases``: what somebody must answer for by a day."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.governed import (
    digest_of,
    existing_file,
    model_argument,
    models_option,
    tell,
    to_look,
    to_write,
    why_option,
)
from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.person import by_option, said

if TYPE_CHECKING:
    from monitor.governance.cases import Case

_CASE = click.argument("case", type=int)
_DISPOSITIONS = ("fix", "roll_back", "accept", "retire")


@click.group()
def cases() -> None:
    """Show and close cases: what took authority away, and who must answer by when."""


@cases.command("list")
@models_option
@click.option("--all", "every", is_flag=True, help="Also those that are closed.")
@output_option
@click.pass_obj
def list_cases(config_file: Path, models: tuple[str, ...], output: Output, *, every: bool) -> None:
    """List the open cases, those that are due first."""
    from monitor import app
    from monitor.reports.authority import authority_document, case_table

    policies, store = to_look(config_file, models)
    found = [item for policy in policies for item in store.cases(policy.model)]
    shown = sorted((item for item in found if every or item.open), key=_due)
    if output == "json":
        write_document([authority_document(item) for item in shown])
    elif shown:
        write_tables([case_table(shown, app.SystemClock().now())], output)
    else:
        say("there is no case" if every else "no case is open")


@cases.command("show")
@model_argument
@_CASE
@output_option
@click.pass_obj
def show_case(config_file: Path, model: str, case: int, output: Output) -> None:
    """Show everything that is known of a case."""
    from monitor import app
    from monitor.reports.authority import authority_document, case_details

    _, store = to_look(config_file, [model])
    found = {item.number: item for item in store.cases(model)}.get(case)
    if found is None:
        raise click.UsageError(f"there is no case {case} of {model}")
    if output == "json":
        write_document(authority_document(found))
    else:
        write_tables([case_details(found, app.SystemClock().now())], output)


@cases.command("close")
@model_argument
@_CASE
@click.argument("disposition", type=click.Choice(_DISPOSITIONS))
@click.option("--evidence", type=existing_file, required=True, help="The file that shows it.")
@why_option
@by_option
@click.pass_obj
def close_case(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    model: str,
    case: int,
    disposition: str,
    evidence: Path,
    why: str,
    by: str,
) -> None:
    """Say what has become of a case.

    DISPOSITION is `fix` (the limit holds again), `roll_back` (another version decides), `accept` (a
    waiver holds) or `retire`. The digest of the evidence is recorded; keep the file.
    """
    from monitor.engine import verbs
    from monitor.governance.cases import Disposition

    policy, store = to_write(config_file, model)
    became, digest = Disposition(disposition), digest_of(evidence)
    tell(verbs.close_case(policy, store, said(by, why), case, became, digest))


def _due(case: "Case") -> tuple[bool, bool, str, int]:
    by = "" if case.deadline is None else case.deadline.isoformat()
    return not case.open, case.deadline is None and not case.escalated, by, case.number
