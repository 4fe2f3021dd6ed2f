"""What a dashboard asks Prometheus, with its variables filled in as Grafana does."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "dashboards" / "grafana"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
LABEL_VALUES = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")
EVERYTHING = "$__all"


def read(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def panels(dashboard):
    """Return the panels that show something: rows are headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard):
    """Yield (panel's title, target) of every query."""
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            yield panel["title"], target


def expressions(dashboard):
    """Yield (where, PromQL) of panels and annotations."""
    for title, target in queries(dashboard):
        yield f"{title} {target['refId']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"]


def variables(dashboard):
    """Return the variables that are asked of Prometheus."""
    return [each for each in dashboard["templating"]["list"] if each["type"] == "query"]


@dataclass(frozen=True)
class Chosen:
    """Values of variables, by name, as they stand in a query."""

    values: dict[str, str]

    def fill(self, text):
        """Return a query with its variables filled in; KeyError for one that is not declared."""
        return re.sub(
            r"\$(?:\{(\w+)\}|(\w+))", lambda found: self.values[found[1] or found[2]], text
        )

    def taking(self, variable, found):
        """Return the choice that Grafana makes first: everything, or else the first value."""
        if variable["includeAll"]:
            value = variable["allValue"]
        else:
            value = min(found).replace("\\", "\\\\").replace('"', '\\"')
        return Chosen({**self.values, variable["name"]: value})


NOTHING = Chosen({"__rate_interval": "1m"})


def values_of(variable, found):
    """Return what a variable's regular expression takes of the values found."""
    pattern = variable.get("regex") or "/(.*)/"
    taken = (re.search(pattern.strip("/"), value) for value in found)
    return {match[1] for match in taken if match}
