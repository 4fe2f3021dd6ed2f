"""Every dashboard, by the name of its file."""

from collections.abc import Callable

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards.bias import bias
from dashboards.boards.fleet import fleet
from dashboards.boards.model import of_model
from dashboards.boards.operations import operations

BOARDS: dict[str, Callable[[], dashboard.Dashboard]] = {
    "fleet": fleet,
    "model": of_model,
    "bias": bias,
    "operations": operations,
}


def written(made: dashboard.Dashboard) -> str:
    """Return the JSON of a dashboard, panels numbered in their order."""
    built = made.build()
    for place, panel in enumerate(built.panels or (), start=1):
        panel.id_val = place
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(built) + "\n"
