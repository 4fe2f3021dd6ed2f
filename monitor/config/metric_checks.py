"""What is compared between groups, and whether the model has what it takes."""

from collections.abc import Iterator
from typing import Any

from pydantic_core import PydanticCustomError

from monitor.config.class_checks import decides, has_classes_against_rest
from monitor.config.defaults import DEFAULT_METRIC
from monitor.config.document import Document, KeyPath
from monitor.config.regulation import profile_named
from monitor.config.wording import quoted, suggestion
from monitor.domain.errors import Problem
from monitor.domain.field import FieldRole
from monitor.measures.aliases import metrics_named
from monitor.measures.names import MEASURED_AS, METRIC_NAMES, WITHIN_STRATA, MeasureName

_PATH: KeyPath = ("limits", "disparity")
_MEMBERSHIP = "representation", "unknown_share"
_OF_NUMBERS = "group_mean_score", "group_mean_error", "group_mae"
_DIFFERENT = tuple(
    name
    for name, suffixes in MEASURED_AS.items()
    if "_difference" in suffixes and "_ratio" not in suffixes and name not in _MEMBERSHIP
)
"""Metrics whose groups are held against another by a difference, and have no ratio."""


def metric_problems(document: Document) -> Iterator[Problem]:
    """Yield what cannot be compared between groups, or not by this model's groups."""
    section = _disparity(document)
    metrics = section.get("metrics")
    groups = bool(document.value.get("populations"))
    for place, name in enumerate(metrics if isinstance(metrics, list) else ()):
        if not isinstance(name, str):
            continue
        path: KeyPath = (*_PATH, "metrics", place)
        named = metrics_named(name)
        if not named:
            yield document.problem(path, f"unknown metric{suggestion(name, METRIC_NAMES)}")
        if name == DEFAULT_METRIC and not groups:  # stands in every file in full
            continue
        for metric in named:
            for why in _lacking(document, metric):
                yield document.problem(path, f"{metric} {why}")
    if groups and not decides(document):
        yield from _without_decision(document, section)
    yield from _never_judged(document, section)


def metrics_without_decision(document: Document) -> tuple[str, ...]:
    """Return what groups are compared on by default where the model makes no decision."""
    return tuple(
        name for name in _OF_NUMBERS if not any(True for _ in needed(document, METRIC_NAMES[name]))
    )


def _lacking(document: Document, metric: str) -> Iterator[str]:
    """Yield what a metric is of, and the model does not have, also of single classes."""
    if not (metric in WITHIN_STRATA and has_classes_against_rest(document)):
        yield from needed(document, METRIC_NAMES[metric])


def _disparity(document: Document) -> dict[str, Any]:
    section: Any = document.value
    for key in _PATH:
        section = section.get(key) if isinstance(section, dict) else None
    return section if isinstance(section, dict) else {}


def compared(document: Document) -> tuple[str, ...] | None:
    """Return the metrics that the file or its profile lists; None where neither does."""
    return _listed(_disparity(document))


def _listed(section: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the metrics that the file or its profile lists; None where neither does."""
    given = section.get("metrics")
    if not isinstance(given, list):
        given = _of_profile(section)
    if given is None:
        return None
    return tuple(
        metric for name in given if isinstance(name, str) for metric in metrics_named(name)
    )


def _of_profile(section: dict[str, Any]) -> list[str] | None:
    profile = section.get("profile")
    if not isinstance(profile, str):
        return None
    try:
        return profile_named(profile)[1].metrics
    except PydanticCustomError:
        return None  # named as wrong on its own


def _without_decision(document: Document, section: dict[str, Any]) -> Iterator[Problem]:
    """Yield what groups cannot be compared by where the model makes no decision."""
    listed = _listed(section)
    by_class = has_classes_against_rest(document)
    if listed is None and not by_class and not metrics_without_decision(document):
        message = (
            "populations are compared by the model's decision, or by its score; add decision:, or "
            "give a field role: score; of several classes add classes.favourable, or "
            "classes.one_against_rest"
            if "classes" in document.value
            else "populations are compared by the model's decision, or by its score; add decision:, "
            "or give a field role: score"
        )
        yield document.problem(("populations",), message, at_key=True)
    if listed is not None and "metrics" not in section:
        for metric in listed:
            for why in _lacking(document, metric):
                message = f"compares the {metric}, which {why}"
                yield document.problem((*_PATH, "profile"), message)
    if by_class:
        return
    if section.get("reference") == "best_off":
        message = "who fares best is a matter of decisions; add decision:, or give largest or rest"
        yield document.problem((*_PATH, "reference"), message)
    if "strata" in document.value:
        message = "decisions are compared within strata; add decision:"
        yield document.problem(("strata",), message, at_key=True)


def _never_judged(document: Document, section: dict[str, Any]) -> Iterator[Problem]:
    """Yield limits that would never judge anything, since what they are of is not measured."""
    listed = _listed(section)
    if listed is None:
        listed = () if decides(document) else metrics_without_decision(document)
    for metric in _MEMBERSHIP:
        if metric in section and metric not in listed:
            message = f"is not measured; list {metric} under metrics"
            yield document.problem((*_PATH, metric), message, at_key=True)
    differences = section.get("differences")
    for metric in differences if isinstance(differences, dict) else ():
        path = (*_PATH, "differences", metric)
        if metric not in _DIFFERENT:
            near = suggestion(metric, dict.fromkeys(_DIFFERENT))
            message = f"{quoted(metric)} is no metric that has a difference and no ratio{near}"
            yield document.problem(path, message, at_key=True)
        elif metric not in listed:
            message = f"is not measured; list {metric} under metrics"
            yield document.problem(path, message, at_key=True)


def needed(document: Document, measure: MeasureName) -> Iterator[str]:
    """Yield what a measure is of, and the model does not have."""
    label = document.value.get("label")
    several = document.value.get("classes")
    favoured = isinstance(several, dict) and "favourable" in several
    classes = isinstance(label, dict) and ("positive" in label or favoured)
    fields = document.value.get("fields")
    entries = fields.values() if isinstance(fields, dict) else ()
    number = label is not None and not classes and several is None
    predicted = number and "classes" not in measure.needs  # what is predicted is a number as well
    roles = {FieldRole.SCORE, FieldRole.PREDICTION} if predicted else {FieldRole.SCORE}
    scored = any(isinstance(item, dict) and item.get("role") in roles for item in entries)
    lacking = {
        "score": not scored and "is of scores; give a field role: score",
        "decision": not decides(document) and "is of decisions; add decision:",
        "classes": not classes
        and "is of a label with two classes; add label: with its positive values",
        "number": not number and "is of a numeric label; add label: without positive",
        "several": (label is None or several is None)
        and "is of a model with several classes; add classes: and label:",
        "probabilities": not (isinstance(several, dict) and "probabilities" in several)
        and "is of the probabilities of classes; add classes.probabilities",
    }
    for need in measure.needs:
        if why := lacking[need]:
            yield why
