"""The counts of the report as a table for a spreadsheet: one line a group and step."""

import csv
from collections.abc import Iterator
from io import StringIO

from monitor.reports.bias.document import Figure, MetricTable, PopulationPart, Report, VersionPart

COLUMNS = (
    "version",
    "baseline",
    "population",
    "group",
    "role",
    "metric",
    "from",
    "to",
    "events",
    "rows",
    "rate",
    "ratio",
    "ratio_low",
    "ratio_high",
    "answer",
)

NOT_SHOWN = "not shown"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report) -> str:
    """Return every count with its rate, for the period and for each of its steps.

    A count that is not shown is called so. A name that a spreadsheet would take for a formula is
    given an apostrophe in front.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for version in report.versions:
        for population in version.populations:
            for table in population.metrics:
                for line in _lines(report, version, population, table):
                    writer.writerow([_safe(cell) for cell in line])
    return text.getvalue()


def _lines(
    report: Report, version: VersionPart, population: PopulationPart, table: MetricTable
) -> Iterator[list[str]]:
    head = [version.version, version.baseline.digest, population.name]
    roles = {item.group: item.role.value for item in table.comparisons}
    span = report.identity.span
    for item in table.comparisons:
        named = [*head, item.group, item.role.value, table.metric]
        whole = [span.start.isoformat(), span.end.isoformat()]
        yield [*named, *whole, *_rate(item.rate), *_ratio(item.ratio), item.answer]
    if len(version.steps) > 1:
        for point in table.trend:
            step = version.steps[point.step]
            named = [*head, point.group, roles[point.group], table.metric]
            when = [step.start.isoformat(), step.end.isoformat()]
            yield [*named, *when, *_rate(point.rate), *_ratio(point.ratio), point.answer]


def _rate(figure: Figure | None) -> list[str]:
    if figure is None:
        return [NOT_SHOWN, NOT_SHOWN, NOT_SHOWN]
    return [str(figure.events), str(figure.rows), _number(figure.value)]


def _ratio(figure: Figure | None) -> list[str]:
    return (
        ["", "", ""]
        if figure is None
        else [_number(number) for number in (figure.value, figure.low, figure.high)]
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
