"""What is wrong with the classes of a model, beyond its single keys."""

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.document import Document
from monitor.config.wording import quoted, suggestion
from monitor.domain.errors import Problem
from monitor.domain.naming import scalar_text


def class_problems(document: Document) -> Iterator[Problem]:
    """Yield why classes cannot be told apart, or why labels are none of them."""
    section = document.value.get("classes")
    if not isinstance(section, dict) or not isinstance(section.get("values"), list):
        return
    if "label" not in document.value:
        message = "classes are held against a label; add label: with its column"
        yield document.problem(("classes",), message, at_key=True)
    classes = _texts(section["values"])
    for place, text in enumerate(classes):
        if text is not None and text in classes[:place]:
            message = f"{quoted(text)} is listed twice"
            yield document.problem(("classes", "values", place), message)
    known = list(dict.fromkeys(text for text in classes if text is not None))
    yield from _probabilities(document, section.get("probabilities"), known)
    label = document.value.get("label")
    for key in ("positive", "negative"):
        values = label.get(key) if isinstance(label, dict) else None
        for place, text in enumerate(_texts(values) if isinstance(values, list) else ()):
            if text is not None and text not in known:
                message = f"{quoted(text)} is none of the classes{suggestion(text, known)}"
                yield document.problem(("label", key, place), message)


def _probabilities(document: Document, columns: Any, known: list[str]) -> Iterator[Problem]:
    if not isinstance(columns, Mapping):
        return
    path = ("classes", "probabilities")
    for name, column in columns.items():
        if name not in known:
            message = f"{quoted(name)} is none of the classes{suggestion(name, known)}"
            yield document.problem((*path, name), message, at_key=True)
        elif next(other for other in columns if columns[other] == column) != name:
            message = f"{quoted(str(column))} has the probability of another class already"
            yield document.problem((*path, name), message)
    if lacking := [quoted(name) for name in known if name not in columns]:
        message = f"a probability is needed of every class; without one: {', '.join(lacking)}"
        yield document.problem(path, message, at_key=True)


def _texts(values: list[Any]) -> list[str | None]:
    """Return the canonical texts of a list, None for entries that are none."""
    return [
        scalar_text(value) if isinstance(value, bool | int | float | str) else None
        for value in values
    ]
