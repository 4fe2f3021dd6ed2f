"""A dashboard's frame: variables, annotations, links to the others."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from dashboards.boards.panels import DATASOURCE, Panels
from dashboards.boards.queries import Scope
from monitor.exposition.rule import PAGES

TAG = "modelmon"


def board(uid: str, title: str, description: str, *, since: str) -> dashboard.Dashboard:
    """Return a dashboard without panels: who may look at it must not change it here."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("utc")
        .time(since, "now")
        .refresh("1m")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("modelmon")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
        .with_variable(
            dashboard.DatasourceVariable("datasource")
            .label("Data source")
            .type("prometheus")
            .current(model.VariableOption(selected=True, text="default", value="default"))
        )
    )


def filled(
    made: dashboard.Dashboard,
    variables: Sequence[Builder[model.VariableModel]],
    annotations: Sequence[dashboard.AnnotationQuery],
    rows: Mapping[str, Panels],
) -> dashboard.Dashboard:
    """Return the dashboard with its variables, its annotations and, row by row, its panels."""
    for variable in variables:
        made = made.with_variable(variable)
    for annotation in annotations:
        made = made.annotation(annotation)
    for title, panels in rows.items():
        made = made.with_row(dashboard.Row(title))
        for panel in panels:
            made = made.with_panel(panel)
    return made


def choice(
    name: str,
    label: str,
    query: str,
    *,
    multi: bool = False,
    everything: str = "",
    regex: str = "",
) -> dashboard.QueryVariable:
    """Return a variable whose values a query finds, asked again when the time changes.

    Args:
        name: Name.
        label: What people read beside it.
        query: ``label_values(…)``.
        multi: Whether several may be chosen.
        everything: The regular expression of all values; without one, all cannot be chosen.
        regex: Its first group is what is taken of each value.
    """
    variable = (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query({"qryType": 1, "query": query, "refId": f"variable-{name}"})
        .definition(query)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi)
        .include_all(bool(everything))
        .regex(regex)
    )
    if not everything:
        return variable
    option = model.VariableOption(selected=True, text=["All"], value=["$__all"])
    return variable.all_value(everything).current(option)


def pages() -> dashboard.TextBoxVariable:
    """Return the variable that says where people reach the daemon's pages."""
    return (
        dashboard.TextBoxVariable("pages")
        .label("Pages")
        .description("Address of the daemon's pages, as you reach them.")
        .default_value(PAGES)
        .current(model.VariableOption(text=PAGES, value=PAGES))
    )


def job() -> dashboard.QueryVariable:
    """Return the variable of Prometheus' jobs."""
    query = "label_values(modelmon_build_info, job)"
    return choice("job", "Job", query, multi=True, everything=".+")


def instance() -> dashboard.QueryVariable:
    """Return the variable of daemons."""
    query = 'label_values(modelmon_build_info{job=~"$job"}, instance)'
    return choice("instance", "Instance", query, multi=True, everything=".+")


def marks(scope: Scope, at: Sequence[tuple[str, str, str, str]]) -> list[dashboard.AnnotationQuery]:
    """Return annotations at the times that series hold.

    Args:
        scope: What is chosen.
        at: Name, metric in seconds, what is said, and colour of each.
    """
    return [
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(colour)
        .expr(f"round(1000 * {scope.latest(metric)})")
        .use_value_for_time(True)
        .step("60s")
        .title_format(said)
        for name, metric, said, colour in at
    ]
