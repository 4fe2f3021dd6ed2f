"""What is compared between groups, and whether the model has what it takes."""

from collections.abc import Iterator
from typing import Any

from monitor.config.defaults import DEFAULT_METRIC
from monitor.config.document import Document, KeyPath
from monitor.config.wording import suggestion
from monitor.domain.errors import Problem
from monitor.domain.field import FieldRole
from monitor.measures.aliases import metrics_named
from monitor.measures.names import METRIC_NAMES, MeasureName


def metric_problems(document: Document) -> Iterator[Problem]:
    """Yield what cannot be compared between groups, or not by this model's groups."""
    section: Any = document.value
    for key in ("limits", "disparity", "metrics"):
        section = section.get(key) if isinstance(section, dict) else None
    for place, name in enumerate(section if isinstance(section, list) else ()):
        if not isinstance(name, str):
            continue
        path: KeyPath = ("limits", "disparity", "metrics", place)
        named = metrics_named(name)
        if not named:
            yield document.problem(path, f"unknown metric{suggestion(name, METRIC_NAMES)}")
        if name == DEFAULT_METRIC:  # stands in every file in full
            continue
        for metric in named:
            for why in needed(document, METRIC_NAMES[metric]):
                yield document.problem(path, f"{metric} {why}")


def needed(document: Document, measure: MeasureName) -> Iterator[str]:
    """Yield what a measure is of, and the model does not have."""
    label = document.value.get("label")
    classes = isinstance(label, dict) and "positive" in label
    several = document.value.get("classes")
    fields = document.value.get("fields")
    entries = fields.values() if isinstance(fields, dict) else ()
    scored = any(isinstance(item, dict) and item.get("role") == FieldRole.SCORE for item in entries)
    lacking = {
        "score": not scored and "is of scores; give a field role: score",
        "decision": "decision" not in document.value and "is of decisions; add decision:",
        "classes": not classes
        and "is of a label with two classes; add label: with its positive values",
        "number": (label is None or classes or several is not None)
        and "is of a numeric label; add label: without positive",
        "several": (label is None or several is None)
        and "is of a model with several classes; add classes: and label:",
        "probabilities": not (isinstance(several, dict) and "probabilities" in several)
        and "is of the probabilities of classes; add classes.probabilities",
    }
    for need in measure.needs:
        if why := lacking[need]:
            yield why
