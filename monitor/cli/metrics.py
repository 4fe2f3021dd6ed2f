"""``modelmon metrics``: what the daemon exposes."""

import click

from monitor.cli.output import Output, output_option, write_document, write_tables


@click.group()
def metrics() -> None:
    """Tell which metrics there are."""


@metrics.command("list")
@click.argument("words", nargs=-1)
@output_option
def list_metrics(words: tuple[str, ...], output: Output) -> None:
    """Print every metric of this version, or those whose name or meaning has all WORDS.

    No daemon and no configuration is needed.
    """
    from monitor.exposition.catalogue import CATALOGUE
    from monitor.reports.table import Table

    found = [
        family
        for family in CATALOGUE
        if all(word.lower() in f"{family.name} {family.help}".lower() for word in words)
    ]
    if output == "json":
        write_document(
            [
                {
                    "name": family.name,
                    "type": family.kind.value,
                    "unit": family.unit,
                    "labels": list(family.labels),
                    "help": family.help,
                    "part": family.part.value,
                    "empty_when_healthy": family.empty_when_healthy,
                }
                for family in found
            ]
        )
        return
    rows = tuple(
        (family.name, family.kind.value, family.unit, " ".join(family.labels), family.help)
        for family in found
    )
    columns = ("metric", "type", "unit", "labels", "meaning")
    write_tables((Table("Metrics", columns, rows),), output)
