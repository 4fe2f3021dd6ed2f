"""The report as one HTML page: no script, nothing from elsewhere, the same bytes for the same store."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from monitor.domain.naming import CROSS
from monitor.domain.window import Window
from monitor.reports.bias import charts, looks
from monitor.reports.bias.comparisons import METRICS, TITLES
from monitor.reports.bias.document import (
    Comparison,
    Figure,
    MetricTable,
    Point,
    PopulationPart,
    Report,
    Role,
    VersionPart,
)
from monitor.reports.bias.governed import span_text
from monitor.reports.bias.outcomes import SHOWN
from monitor.reports.bias.plain import plain
from monitor.reports.bias.seal import seal_text
from monitor.reports.bias.summary import SPOKEN
from monitor.reports.wording import window_name

SECTIONS = (
    ("summary", "Summary"),
    ("answers", "Answers at a glance"),
    ("populations", "Each population"),
    ("errors", "Error rates"),
    ("crossings", "Crossings"),
    ("conditional", "With other factors held constant"),
    ("change", "Change since the baseline"),
    ("since", "Since the report before"),
    ("data", "Data"),
    ("proxies", "What may stand for an attribute"),
    ("small", "Counts that are not shown"),
    ("limits", "Limits, and who set them"),
    ("waivers", "Open alarms, waivers and actions"),
    ("methods", "Methods"),
    ("cannot", "What this report cannot show"),
    ("controls", "What laws and standards ask for, and where to look"),
    ("provenance", "What it rests on"),
    ("signature", "Sign-off"),
)
"""Key and title of each section, in their order."""

_IN_TABLE = frozenset({"sd", "positive", "expected", "shortfall"})
"""Details that the main table has, or that it says otherwise."""

_DETAILS = {
    "flips": "Decisions that would have to be otherwise for chance to explain the rest",
    "detectable_ratio": "Smallest ratio that could be detected",
    "odds_ratio": "Odds ratio",
    "cohens_h": "Cohen’s h",
    "unknown_low": "Least ratio, whatever the unknown groups are",
    "unknown_high": "Largest ratio, whatever the unknown groups are",
    "complement_ratio": "Ratio of the negative decisions",
    "windows": "Windows added up",
    "days": "Days added up",
}


def as_html(report: Report) -> str:
    """Return the report as a page."""
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(_context(report)) + "\n"


def _source(name: str) -> str:
    return files("monitor.reports.bias").joinpath(name).read_text(encoding="utf-8")


def _context(report: Report) -> dict[str, Any]:
    content = plain(report)

    def marks(version: VersionPart) -> list[tuple[int, str]]:
        return [
            (index, letter(place))
            for place, event in enumerate(report.events)
            for index, step in enumerate(version.steps)
            if step.contains(event.window.start)
        ]

    return {
        "report": report,
        "digest": content["digest"],
        "seal": seal_text(content),
        "css": Markup(_source("report.css")),  # noqa: S704  # a file of ours
        "sections": SECTIONS,
        "at": {key: place for place, (key, _) in enumerate(SECTIONS, start=1)},
        "looked_at": _looked_at(report),
        "grid": _grid,
        "spoken": lambda name: SPOKEN[name].format(outcome=report.policy.label),
        "spoken_of": SPOKEN,
        "stratum_count": looks.stratum_count,
        "association": looks.association,
        "period": span_text(report.identity.span),
        "titles": TITLES,
        "named": lambda metrics: ", ".join(TITLES[name] for name in metrics),
        "looks": [(name, look) for name, look in looks.LOOKS.items() if name],
        "look": looks.look,
        "rate": lambda figure: _two_lines(looks.rate(figure)),
        "of": looks.of,
        "ratio": lambda figure: _two_lines(looks.ratio(figure)),
        "points": lambda figure: _two_lines(looks.points(figure)),
        "p_text": looks.p_text,
        "number": looks.number,
        "signed": looks.signed,
        "share": lambda value: looks.NOT_SHOWN if value is None else looks.percent(value),
        "error": _error,
        "span": span_text,
        "window": window_name,
        "letter": letter,
        "marks": marks,
        "steps": lambda version: [window_name(step) for step in version.steps],
        "keys": lambda version, population, table: _key(report, version, population, table),
        "index_of": _index_of,
        "index_in": _index_in,
        "unjudged": _unjudged,
        "further": _further,
        "detail_title": lambda name: _DETAILS.get(name, name.replace("_", " ")),
        "course": _course,
        "error_rates": SHOWN,
        "forest": charts.forest,
        "dots": charts.dots,
        "trend": charts.trend,
    }


def _looked_at(report: Report) -> list[Window]:
    """Return the windows whose results the report rests on."""
    before = report.identity.before
    earlier = before.revisions if before is not None else ()
    return [window for window, _ in (*earlier, *report.identity.revisions)]


def _grid(table: MetricTable) -> list[tuple[str, list[tuple[str, Comparison | None]]]]:
    """Return the groups of a crossing of two attributes as lines and columns; empty for others."""
    parts = {tuple(item.group.split(CROSS)): item for item in table.comparisons}
    crossed = [part for part in parts if len(part) == 2]  # noqa: PLR2004  # two attributes
    if any(len(part) > 2 for part in parts):  # noqa: PLR2004  # as above
        return []
    lines, columns = (list(dict.fromkeys(part[place] for part in crossed)) for place in (0, 1))
    return [(line, [(column, parts.get((line, column))) for column in columns]) for line in lines]


def letter(place: int) -> str:
    """Return the letter by which a drawing names an event."""
    return chr(ord("A") + place % 26)


def _error(figure: Figure | None) -> Markup:
    if figure is None:
        return Markup("–")
    return Markup("{}<br><span class='note'>{}</span>").format(
        looks.percent(figure.value), looks.of(figure)
    )


def _two_lines(text: str) -> Markup:
    """Return a number, and its interval below it."""
    number, bracket, interval = text.partition(" (")
    if not bracket:
        return Markup("{}").format(number)
    return Markup("{}<br><span class='note'>({}</span>").format(number, interval)


def _key(
    report: Report, version: VersionPart, population: PopulationPart, table: MetricTable
) -> str:
    first = report.versions.index(version)
    second = version.populations.index(population)
    return f"c{first}-{second}-{METRICS.index(table.metric)}"


def _index_of(table: MetricTable, group: str) -> int:
    return [item.group for item in table.comparisons].index(group)


def _index_in(population: PopulationPart, group: str) -> int:
    return [item.group for item in population.presences].index(group)


def _unjudged(table: MetricTable) -> list[Comparison]:
    return [item for item in table.comparisons if item.role is Role.COMPARED and item.ratio is None]


def _further(table: MetricTable) -> list[str]:
    names = {name for item in table.comparisons for name in item.detail}
    ordered = [name for name in _DETAILS if name in names]
    return [*ordered, *sorted(names - _IN_TABLE - set(ordered))]


def _course(table: MetricTable) -> list[tuple[str, Sequence[Point]]]:
    groups = dict.fromkeys(point.group for point in table.trend)
    return [(group, [point for point in table.trend if point.group == group]) for group in groups]
