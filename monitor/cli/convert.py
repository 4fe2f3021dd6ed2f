"""``modelmon convert``: JSON request and response logs to a parquet log."""

from pathlib import Path
from zoneinfo import available_timezones

import click

from monitor.cli.output import Output, output_option, say, write_tables


@click.command()
@click.argument("source", metavar="INPUT")
@click.argument("target", metavar="OUTPUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["kserve", "records", "sagemaker"]),
    required=True,
    help="Who wrote the log; records: any logger with one JSON object a call.",
)
@click.option(
    "--features",
    default="",
    help="Names of the features that come by position, in their order, with commas between them.",
)
@click.option("--id", "id_path", default="", help="Where the id is in a record: a.b.0.")
@click.option("--event-time", "time_path", default="", help="Where the event time is in a record.")
@click.option("--request", default="", help="Of records: where the request is.")
@click.option("--response", default="", help="Of records: where the response is.")
@click.option("--model-version", default="", help="Of records: where the model's version is.")
@click.option(
    "--time-unit",
    "unit",
    type=click.Choice(["s", "ms", "us", "ns"]),
    default=None,
    help="What event times count that are numbers.",
)
@click.option(
    "--timezone", "zone", default="", help="IANA zone of event times that carry no offset."
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Where rejected records are written; OUTPUT.rejects.jsonl by default.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 when a record was rejected.")
@output_option
def convert(  # noqa: PLR0917  # one argument an option
    source: str,
    target: Path,
    form: str,
    features: str,
    id_path: str,
    time_path: str,
    request: str,
    response: str,
    model_version: str,
    unit: str | None,
    zone: str,
    rejects: Path | None,
    output: Output,
    *,
    strict: bool,
) -> int:
    """Convert JSON lines of requests and responses to a parquet log, one row a prediction.

    INPUT is a file, a folder or a URI. Every record is converted or rejected with its file and line;
    OUTPUT is checked by reading it again, and is never written over.
    """
    from monitor.reports.table import Table
    from monitor.sources.json_logs.convert import convert_logs
    from monitor.sources.json_logs.record import Mapped

    beside = rejects or target.with_name(f"{target.name}.rejects.jsonl")
    for path in (target, beside):
        if path.exists():
            raise click.UsageError(f"{path} exists; nothing was written")
    if not target.parent.is_dir():
        raise click.UsageError(f"there is no folder {target.parent}")
    names = [name.strip() for name in features.split(",")] if features else []
    if len(set(names)) != len(names) or "" in names:
        raise click.UsageError("--features: each name once, with commas between them")
    parts = (request, response, model_version)
    _check(form, time_path, parts, zone)
    mapped = Mapped(form, tuple(names), id_path, time_path, *parts, unit=unit or "", zone=zone)
    done = convert_logs(source, target, beside, mapped)
    counts = [("records read", done.read), ("records converted", done.converted)]
    counts += [(f"rejected: {reason}", count) for reason, count in sorted(done.rejected.items())]
    counts += [("rows written", done.rows)]
    rows = tuple((what, f"{count:,}") for what, count in counts)
    write_tables([Table(f"{target}", ("what", "count"), rows)], output)
    for line in done.first_rejects:
        say(line)
    if done.rejected:
        say(f"rejected records are in {beside}")
    for name in done.mixed:
        say(f"the column {name} has values of several types and was written as text")
    return int(strict and bool(done.rejected))


def _check(form: str, time_path: str, parts: tuple[str, str, str], zone: str) -> None:
    """Refuse options that say too little, or what the format says by itself."""
    request, response, _ = parts
    if form != "records" and any(parts):
        raise click.UsageError(
            f"--request, --response and --model-version: {form} says where they are"
        )
    if form == "records" and not time_path:
        raise click.UsageError("--event-time: say where records have it")
    if request and not response:
        raise click.UsageError("--request needs --response")
    if zone and zone not in available_timezones():
        raise click.UsageError(f"--timezone: {zone!r} is no IANA zone")
