"""``modelmon report``: documents for people who sign, and whether they still say what is stored."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from monitor.cli.main import ExitCode
from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.selection import INSTANT_HELP, chosen, period

if TYPE_CHECKING:
    from monitor.domain.window import Window
    from monitor.reports.bias.document import Report

Form = Literal["html", "pdf", "csv", "json"]

_FORMS: tuple[Form, ...] = ("html", "pdf", "csv", "json")


@click.group()
def report() -> None:
    """Write reports from stored results, and verify them."""


@report.command("bias")
@click.option("--model", "model", required=True, help="The model.")
@click.option("--from", "begin", required=True, help=f"Windows from here: {INSTANT_HELP}.")
@click.option("--to", "end", required=True, help="… up to here.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    default=None,
    help="The form; else that of the file's name, and html where there is none.",
)
@click.option(
    "-o",
    "--write",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write it to this file instead of standard output.",
)
@click.option(
    "--unsuppressed",
    is_flag=True,
    help="Show small counts as well; the report says so. Do not hand it on.",
)
@click.pass_obj
def by_group(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    model: str,
    begin: str,
    end: str,
    form: Form | None,
    target: Path | None,
    *,
    unsuppressed: bool,
) -> None:
    """Write the report on outcomes by group of a period.

    It is made from stored results alone: no log is read, and the same results give the same bytes.
    Counts of few people are left out, with what would give them away. A PDF needs an installed
    Chromium.
    """
    from monitor import app

    settings = app.read_settings(config_file)
    (policy,) = chosen(app.read_policies(settings), [model])
    span = period(policy, begin, end)
    assert span is not None  # noqa: S101  # both bounds are required
    store_url = settings.store_url
    made = _made(store_url, model, span, None, unsuppressed=unsuppressed)
    data = _in_form(made, form or _form_of(target))
    if target is None:
        sys.stdout.buffer.write(data)
        return
    target.write_bytes(data)
    say(f"{target}: {made.summary[0]}")


@report.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option
@click.pass_obj
def verify(config_file: Path, file: Path, output: Output) -> int:
    """Make a report again from the store and name everything that differs.

    FILE is a report as HTML or JSON. The same results of the same windows are taken that it was
    made from, even if there are newer ones. The exit code is 0 when every number and word is the
    same, and 1 when something differs.
    """
    from dataclasses import asdict

    from monitor import app
    from monitor.reports.bias.html import as_html
    from monitor.reports.bias.plain import plain
    from monitor.reports.bias.verify import discrepancies, seal_of
    from monitor.reports.table import Table

    text = file.read_text(encoding="utf-8")
    seal = seal_of(text)
    settings = app.read_settings(config_file)
    made = _made(
        settings.store_url,
        seal.model,
        seal.span,
        seal.revisions,
        unsuppressed=seal.unsuppressed,
    )
    found = discrepancies(text, plain(made), as_html(made), seal)
    if output == "json":
        write_document({"file": str(file), "differences": [asdict(item) for item in found]})
    elif found:
        rows = tuple((item.where, item.report or "–", item.store or "–") for item in found)
        told = Table(
            "What the report says otherwise than the store", ("where", "report", "store"), rows
        )
        write_tables([told], output)
    if not found:
        say(f"{file}: every number and word is what the store gives")
        return ExitCode.OK
    if seal.code != app.code_version():
        say(f"it was written by modelmon {seal.code}; this is {app.code_version()}")
    say(f"{file}: {len(found):,} differences")
    return ExitCode.FINDINGS


def _made(
    store_url: str,
    model: str,
    span: "Window",
    revisions: "Mapping[Window, int] | None",
    *,
    unsuppressed: bool,
) -> "Report":
    from monitor import app
    from monitor.engine.period import period_of
    from monitor.reports.bias.build import report_of

    store = app.open_outside(store_url).store
    try:
        found = period_of(store, model, span, app.policy_of_text, revisions)
    except LookupError as error:
        raise click.UsageError(f"{error}; see: modelmon run") from error
    return report_of(found, app.code_version(), unsuppressed=unsuppressed)


def _form_of(target: Path | None) -> Form:
    suffix = "" if target is None else target.suffix.lstrip(".").lower()
    return next((form for form in _FORMS if form == suffix), "html")


def _in_form(made: "Report", form: Form) -> bytes:
    from monitor.reports.bias.counts_csv import as_csv
    from monitor.reports.bias.html import as_html
    from monitor.reports.bias.pdf import as_pdf
    from monitor.reports.bias.plain import as_json

    match form:
        case "html":
            return as_html(made).encode()
        case "json":
            return as_json(made).encode()
        case "csv":
            return as_csv(made).encode()
        case "pdf":
            return as_pdf(as_html(made), made.identity.as_of)
