"""``modelmon submit``, ``approve``, ``reject``, ``withdraw``, ``requests``: what is asked for."""

from pathlib import Path

import click

from monitor.cli.governed import (
    a_digest,
    digest_of,
    existing_file,
    model_argument,
    models_option,
    tell,
    to_agree,
    to_look,
    to_write,
    why_option,
)
from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.person import by_option, said

_REQUEST = click.argument("request", type=int)


@click.command()
@model_argument
@click.argument("version")
@click.option("--model-digest", callback=a_digest, help="Digest of the model's artifact.")
@click.option("--report", type=existing_file, help="The report that approvers are to read.")
@why_option
@by_option
@click.pass_obj
def submit(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    model: str,
    version: str,
    model_digest: str | None,
    report: Path | None,
    why: str,
    by: str,
) -> None:
    """Ask that a version may act; of one that acts, that it may go on.

    The request is bound to the digests of policy, baseline, model and report, and to what the
    registry has. When one of them is another before the approval is over, the approval is void and
    the version held. What the policy names under rests_on is looked at, and need not be given.
    """
    from monitor.engine import verbs

    policy, store = to_agree(config_file, model)
    digests = {"model": model_digest} if model_digest else {}
    if report is not None:
        digests["report"] = digest_of(report)
    tell(verbs.submit(policy, store, said(by, why), version, digests))


@click.command()
@model_argument
@_REQUEST
@click.option("--why", default="", help="What was looked at; kept for good.")
@click.option("--report", type=existing_file, help="The report that was read: it must be the same.")
@click.option(
    "--model-digest", callback=a_digest, help="Digest that was looked at: it must be the same."
)
@by_option
@click.pass_obj
def approve(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    model: str,
    request: int,
    why: str,
    report: Path | None,
    model_digest: str | None,
    by: str,
) -> None:
    """Say yes to a request; with the last yes that it needs it takes effect."""
    from monitor.engine import verbs

    policy, store = to_agree(config_file, model)
    seen = {"model": model_digest} if model_digest else {}
    if report is not None:
        seen["report"] = digest_of(report)
    tell(verbs.vote(policy, store, said(by, why), request, seen, granted=True))


@click.command()
@model_argument
@_REQUEST
@why_option
@by_option
@click.pass_obj
def reject(config_file: Path, model: str, request: int, why: str, by: str) -> None:
    """Say no to a request; one no ends it."""
    from monitor.engine import verbs

    policy, store = to_write(config_file, model)
    tell(verbs.vote(policy, store, said(by, why), request, granted=False))


@click.command()
@model_argument
@_REQUEST
@why_option
@by_option
@click.pass_obj
def withdraw(config_file: Path, model: str, request: int, why: str, by: str) -> None:
    """Take back what you have asked for."""
    from monitor.engine import verbs

    policy, store = to_write(config_file, model)
    tell(verbs.withdraw(policy, store, said(by, why), request))


@click.group()
def requests() -> None:
    """Show what was asked for, and who has said what."""


@requests.command("list")
@models_option
@click.option("--all", "every", is_flag=True, help="Also those that were decided on.")
@output_option
@click.pass_obj
def list_requests(
    config_file: Path, models: tuple[str, ...], output: Output, *, every: bool
) -> None:
    """List the requests that wait for somebody, oldest first."""
    from monitor.governance.approvals import RequestState
    from monitor.reports.authority import authority_document, request_table

    policies, store = to_look(config_file, models)
    shown = [
        item
        for policy in policies
        for item in store.requests(policy.model)
        if every or item.recorded is RequestState.PENDING
    ]
    if output == "json":
        write_document([authority_document(item) for item in shown])
    elif shown:
        write_tables([request_table(shown)], output)
    else:
        say("there is no request" if every else "no request waits for anybody")


@requests.command("show")
@model_argument
@_REQUEST
@output_option
@click.pass_obj
def show_request(config_file: Path, model: str, request: int, output: Output) -> None:
    """Show a request: what it rests on, who said what, and who is still to agree."""
    from monitor.governance.approvals import RequestState, open_seats
    from monitor.reports.authority import authority_document, request_details

    (policy,), store = to_look(config_file, [model])
    found = {item.number: item for item in store.requests(model)}.get(request)
    if found is None:
        raise click.UsageError(f"there is no request {request} about {model}")
    open_now = found.recorded is RequestState.PENDING
    seats = open_seats(found, policy.governance.approvals[found.kind]) if open_now else {}
    wanted = [f"{count} {role}" for role, count in sorted(seats.items())]
    if output == "json":
        write_document({**authority_document(found), "still_to_agree": wanted})
    else:
        write_tables(list(request_details(found, wanted)), output)
