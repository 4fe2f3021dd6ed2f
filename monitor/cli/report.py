"""``modelmon report``: documents for people who sign, and whether they still say what is stored."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from monitor.cli.files import write_whole
from monitor.cli.governed import to_look
from monitor.cli.main import ExitCode
from monitor.cli.output import Output, output_option, say, write_document, write_tables
from monitor.cli.selection import INSTANT_HELP, period

if TYPE_CHECKING:
    from monitor.domain.window import Window
    from monitor.reports.bias.document import Report
    from monitor.reports.bias.history import Before
    from monitor.reports.bias.verify import Discrepancy, Seal

Form = Literal["html", "pdf", "csv", "json"]

_BEFORE_ANY = datetime.min.replace(tzinfo=UTC)

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
    "--previous",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="The report before, as HTML or JSON: it is verified, linked to, and what changed is told.",
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
    previous: Path | None,
    *,
    unsuppressed: bool,
) -> None:
    """Write the report on outcomes by group of a period.

    It is made from stored results alone: no log is read, and the same results give the same bytes.
    Counts of few people are left out, with what would give them away. A PDF needs an installed
    Chromium. Without --previous it is held against the period of the same length before it, where
    that has results.
    """
    from monitor import app
    from monitor.reports.bias.history import Before

    settings = app.read_settings(config_file)
    (policy,), _ = to_look(config_file, [model])
    span = period(policy, begin, end)
    assert span is not None  # noqa: S101  # both bounds are required
    store_url = settings.store_url
    before = _period_before(store_url, model, span)
    if previous is not None:
        seal = _verified(previous, model, store_url)
        before = Before(seal.digest, seal.span, tuple(seal.revisions.items()))
    made = _made(store_url, model, span, None, before, unsuppressed=unsuppressed)
    data = _in_form(made, form or _form_of(target))
    if target is None:
        sys.stdout.buffer.write(data)
        return
    write_whole(target, data)
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
    from msgspec.structs import asdict

    from monitor import app
    from monitor.reports.table import Table

    settings = app.read_settings(config_file)
    seal, found = _checked(file.read_text(encoding="utf-8"), settings.store_url)
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


def _checked(text: str, store_url: str) -> "tuple[Seal, Sequence[Discrepancy]]":
    """Return what a report says that it is of, and where it is not what the store gives."""
    from monitor.reports.bias.html import as_html
    from monitor.reports.bias.plain import plain
    from monitor.reports.bias.verify import discrepancies, seal_of

    seal = seal_of(text)
    made = _made(
        store_url,
        seal.model,
        seal.span,
        seal.revisions,
        seal.before,
        # A report that tells of no decision was made when there was none, whatever there is now.
        decided_by=seal.decided or _BEFORE_ANY,
        unsuppressed=seal.unsuppressed,
    )
    return seal, discrepancies(text, plain(made), as_html(made), seal)


def _verified(file: Path, model: str, store_url: str) -> "Seal":
    """Return what the report before is of; one of this version must be what the store gives."""
    from monitor import app
    from monitor.domain.errors import ReportError

    seal, found = _checked(file.read_text(encoding="utf-8"), store_url)
    if seal.model != model:
        raise click.UsageError(f"{file} is a report on {seal.model}, and not on {model}")
    if found and seal.code == app.code_version():
        raise ReportError(
            f"{file} is not what the store gives, so it cannot be the report before: "
            f"modelmon report verify {file} names {len(found):,} differences"
        )
    if found:
        say(f"{file} was written by modelmon {seal.code} and is not compared word by word")
    return seal


def _period_before(store_url: str, model: str, span: "Window") -> "Before | None":
    """Return the stored results of the period before; None where none can be read, as the report says."""
    from monitor import app
    from monitor.domain.errors import PrunedError, UnreadablePolicyError
    from monitor.engine.period import period_of, span_before
    from monitor.reports.bias.since import before_of

    store = app.open_store(store_url)
    try:
        return before_of(period_of(store, model, span_before(span), app.policy_of_text), "")
    except LookupError:
        return None
    except (PrunedError, UnreadablePolicyError) as error:
        say(f"the period before is left out: {error}")
        return None


def _made(  # each of another type
    store_url: str,
    model: str,
    span: "Window",
    revisions: "Mapping[Window, int] | None",
    before: "Before | None",
    *,
    decided_by: datetime | None = None,
    unsuppressed: bool,
) -> "Report":
    from monitor import app
    from monitor.config.regulation import controls
    from monitor.engine.period import period_of
    from monitor.reports.bias.build import Earlier, report_of

    store = app.open_store(store_url)
    earlier = None
    try:
        found = period_of(store, model, span, app.policy_of_text, revisions, decided_by=decided_by)
        if before is not None:
            named = dict(before.revisions)
            then = period_of(store, model, before.span, app.policy_of_text, named)
            earlier = Earlier(then, before.digest)
    except LookupError as error:
        raise click.UsageError(f"{error}; see: modelmon run") from error
    code = app.code_version()
    return report_of(found, code, controls(), earlier, unsuppressed=unsuppressed)


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
