"""Panels in one style: every one with a title, a description, a unit, and words for no data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model
from grafana_foundation_sdk.models import text as text_model

Panels = tuple[Builder[model.Panel], ...]
DATASOURCE = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")
NO_DATA = "no data"
GREEN, AMBER, RED, GREY, BLUE = "green", "orange", "red", "text", "blue"


@dataclass(frozen=True)
class Line:
    """A query and what its series are called; ``style`` says how they are drawn.

    Attributes:
        expr: PromQL.
        legend: Legend with labels in double braces.
        style: ``value``, ``bound`` (thin, of an interval), ``limit`` or ``baseline`` (dashed).
    """

    expr: str
    legend: str
    style: str = "value"


def threshold(*steps: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Return colours by value; the first step has no bound."""
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=colour) for value, colour in steps])
    )


ANY_IS_BAD = threshold((None, GREEN), (1, RED))
ANY_IS_ODD = threshold((None, GREEN), (1, AMBER))
PLAIN = threshold((None, GREY))


def words(of: Mapping[str, tuple[str, str]]) -> list[model.ValueMapping]:
    """Return a mapping of values to words and colours."""
    return [
        model.ValueMap(
            options={
                value: model.ValueMappingResult(text=word, color=colour, index=place)
                for place, (value, (word, colour)) in enumerate(of.items())
            }
        )
    ]


VERDICT = words({"0": ("ok", GREEN), "1": ("warning", AMBER), "2": ("critical", RED)})
ALARM = words({"0": ("no alarm", GREEN), "1": ("warning", AMBER), "2": ("critical", RED)})
ALERT = words({"0": ("over", GREEN), "1": ("pending", AMBER), "2": ("fires", RED)})
LEADS = words({"0": ("stands by", GREY), "1": ("leads", GREEN)})
YES_IS_GOOD = words({"0": ("no", RED), "1": ("yes", GREEN)})


def _query(ref: str, expr: str, legend: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().datasource(DATASOURCE).expr(expr).ref_id(ref)
    return query.legend_format(legend) if legend else query


def number(
    title: str,
    description: str,
    expr: str,
    *,
    unit: str = "short",
    colours: dashboard.ThresholdsConfig = PLAIN,
    mapping: list[model.ValueMapping] | None = None,
    legend: str = "",
    span: int = 4,
) -> stat.Panel:
    """Return one number of now, or one for each series."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .with_target(_query("A", expr, legend).instant())
        .unit(unit)
        .no_value(NO_DATA)
        .thresholds(colours)
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .color_mode(common_model.BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .height(4)
        .span(span)
    )
    return panel.mappings(mapping) if mapping else panel


_STYLES: dict[str, list[model.DynamicConfigValue]] = {
    "bound": [
        model.DynamicConfigValue("custom.lineWidth", 1),
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dot", "dash": [0, 4]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
    ],
    "limit": [
        model.DynamicConfigValue("custom.lineWidth", 1),
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 6]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
        model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": RED}),
    ],
    "baseline": [
        model.DynamicConfigValue("custom.lineWidth", 1),
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [4, 4]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
        model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": BLUE}),
    ],
}


def lines(
    title: str,
    description: str,
    drawn: Sequence[Line],
    *,
    unit: str = "short",
    span: int = 12,
    height: int = 8,
) -> timeseries.Panel:
    """Return lines over time; gaps stay gaps."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .no_value(NO_DATA)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common_model.VisibilityMode.NEVER)
        .span_nulls(False)
        .thresholds(PLAIN)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(common_model.LegendDisplayMode.LIST)
            .placement(common_model.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_model.TooltipDisplayMode.MULTI)
            .sort(common_model.SortOrder.DESCENDING)
        )
        .height(height)
        .span(span)
    )
    for place, line in enumerate(drawn):
        ref = chr(ord("A") + place)
        panel = panel.with_target(_query(ref, line.expr, line.legend).range())
        if line.style in _STYLES:
            panel = panel.override_by_query(ref, _STYLES[line.style])
    return panel


def states(
    title: str,
    description: str,
    expr: str,
    legend: str,
    *,
    mapping: list[model.ValueMapping] = VERDICT,
    span: int = 24,
    height: int = 8,
) -> statetimeline.Panel:
    """Return verdicts over time; where there is none the band is empty."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .with_target(_query("A", expr, legend).range())
        .unit("short")
        .no_value(NO_DATA)
        .mappings(mapping)
        .thresholds(threshold((None, GREEN), (1, AMBER), (2, RED)))
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .merge_values(True)
        .show_value(common_model.VisibilityMode.NEVER)
        .row_height(0.8)
        .span_nulls(False)
        .height(height)
        .span(span)
    )


@dataclass(frozen=True)
class Column:
    """A query whose value is a column; the labels that it groups by are columns of their own."""

    expr: str
    title: str
    unit: str = "short"
    mapping: list[model.ValueMapping] | None = None
    hidden: bool = False


def rows(
    title: str,
    description: str,
    columns: Sequence[Column],
    *,
    labels: Mapping[str, str],
    link: tuple[str, str, str] | None = None,
    span: int = 24,
    height: int = 8,
) -> table.Panel:
    """Return a table of now: one row for each set of labels, one column for each query.

    Args:
        title: Title.
        description: Description.
        columns: Queries, all by the same labels or by some more of them.
        labels: Label to the title of its column, in the order of the columns.
        link: Label whose values are links, the link's title and its address.
        span: Width of 24.
        height: Height in grid rows.
    """
    names = {f"Value #{chr(ord('A') + place)}": each for place, each in enumerate(columns)}
    if len(columns) == 1:
        names = {"Value": columns[0]}
    shown = {**labels, **{name: each.title for name, each in names.items()}}
    hidden = {"Time": True} | {name: True for name, each in names.items() if each.hidden}
    order = {name: place for place, name in enumerate(shown)}
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit("short")
        .no_value(NO_DATA)
        .thresholds(PLAIN)
        .with_transformation(model.DataTransformerConfig("merge", options={}))
        .with_transformation(
            model.DataTransformerConfig(
                "organize",
                options={"excludeByName": hidden, "indexByName": order, "renameByName": shown},
            )
        )
        .height(height)
        .span(span)
    )
    for place, each in enumerate(columns):
        query = _query(chr(ord("A") + place), each.expr, "")
        panel = panel.with_target(query.instant().format(prometheus_model.PromQueryFormat.TABLE))
        panel = panel.override_by_name(each.title, _of(each))
    if link is not None:
        label, said, address = link
        links = [{"title": said, "url": address, "targetBlank": False}]
        properties = [model.DynamicConfigValue("links", links)]
        panel = panel.override_by_name(labels[label], properties)
    return panel


def _of(column: Column) -> list[model.DynamicConfigValue]:
    properties = [model.DynamicConfigValue("unit", column.unit)]
    if column.mapping is not None:
        properties += [
            model.DynamicConfigValue("mappings", column.mapping),
            model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
        ]
    return properties


def note(
    title: str, description: str, markdown: str, *, span: int = 24, height: int = 3
) -> text.Panel:
    """Return a panel of words."""
    return (
        text.Panel()
        .title(title)
        .description(description)
        .mode(text_model.TextMode.MARKDOWN)
        .content(markdown)
        .height(height)
        .span(span)
    )
