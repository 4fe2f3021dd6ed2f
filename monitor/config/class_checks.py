"""What is wrong with the classes of a model, beyond its single keys."""

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.defaults import EITHER
from monitor.config.document import Document
from monitor.config.wording import quoted, suggestion
from monitor.domain.errors import Problem
from monitor.domain.naming import scalar_text


def class_problems(document: Document) -> Iterator[Problem]:
    """Yield why classes cannot be told apart, or why labels are none of them."""
    section, label = document.value.get("classes"), document.value.get("label")
    if section is None and isinstance(label, dict) and "values" in label:
        message = "values say which class each means; add classes:, or give positive and negative"
        yield document.problem(("label", "values"), message, at_key=True)
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
    yield from _favourable(document, section.get("favourable"), known)
    yield from _one_against_rest(document, section.get("one_against_rest"), known)
    yield from _probabilities(document, section.get("probabilities"), known)
    yield from _label(document, label, known)


def _label(document: Document, label: Any, known: list[str]) -> Iterator[Problem]:
    if not isinstance(label, dict):
        return
    meanings, said, of = label.get("values"), known, "the classes"
    if isinstance(meanings, dict):
        yield from _meanings(document, meanings, known)
        said, of = list(meanings), "label.values"
    for key in ("positive", "negative"):
        values = label.get(key)
        for place, text in enumerate(_texts(values) if isinstance(values, list) else ()):
            if text is not None and text not in said:
                message = f"{quoted(text)} is none of {of}{suggestion(text, said)}"
                yield document.problem(("label", key, place), message)


def _meanings(
    document: Document, meanings: Mapping[str, Any], known: list[str]
) -> Iterator[Problem]:
    """Yield which classes the label's values mean that there are not, and which no value means."""
    path = ("label", "values")
    for value, name in meanings.items():
        if isinstance(name, str) and name not in known:
            message = f"{quoted(name)} is none of the classes{suggestion(name, known)}"
            yield document.problem((*path, value), message)
    if lacking := [quoted(name) for name in known if name not in meanings.values()]:
        message = f"a value is needed for every class; without one: {', '.join(lacking)}"
        yield document.problem(path, message, at_key=True)


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


def decides(document: Document) -> bool:
    """Return whether a file says what a positive decision is: itself, or by favourable classes."""
    return "decision" in document.value or _given(document, "favourable")


def has_classes_against_rest(document: Document) -> bool:
    """Return whether classes are held against all others, so that each is an outcome of its own."""
    return _given(document, "one_against_rest")


def _given(document: Document, key: str) -> bool:
    section = document.value.get("classes")
    return isinstance(section, dict) and key in section


def _favourable(document: Document, given: Any, known: list[str]) -> Iterator[Problem]:
    if not isinstance(given, list):
        return
    path = ("classes", "favourable")
    texts = _texts(given)
    for place, text in enumerate(texts):
        if text is not None and text not in known:
            message = f"{quoted(text)} is none of the classes{suggestion(text, known)}"
            yield document.problem((*path, place), message)
        elif text is not None and text in texts[:place]:
            yield document.problem((*path, place), f"{quoted(text)} is listed twice")
    if known and set(known) <= set(texts):
        message = "all classes are favourable: nothing is left that is not"
        yield document.problem(path, message, at_key=True)
    yield from _said_twice(document)


def _said_twice(document: Document) -> Iterator[Problem]:
    """Yield what says anew what favourable classes say."""
    path = ("classes", "favourable")
    if "decision" in document.value:
        message = "decision says what favours already; give one of the two"
        yield document.problem(path, message, at_key=True)
    label = document.value.get("label")
    for key in ("positive", "negative"):
        if isinstance(label, dict) and key in label:
            message = "classes.favourable says it of labels too; leave one of the two out"
            yield document.problem(("label", key), message, at_key=True)


def _one_against_rest(document: Document, given: Any, known: list[str]) -> Iterator[Problem]:
    if not isinstance(given, Mapping):
        return
    path = ("classes", "one_against_rest")
    for name in given:
        if name not in known:
            message = f"{quoted(name)} is none of the classes{suggestion(name, known)}"
            yield document.problem((*path, name), message, at_key=True)
        elif not name:
            message = "a class without a name would pass for the decision; log it under a name"
            yield document.problem((*path, name), message, at_key=True)
    if not document.value.get("populations"):
        message = "classes are held against all others between groups; add populations:"
        yield document.problem(path, message, at_key=True)
    disparity = document.value.get("limits")
    disparity = disparity.get("disparity") if isinstance(disparity, dict) else None
    best_off = isinstance(disparity, dict) and disparity.get("reference") == "best_off"
    for name, effect in given.items():
        if best_off and effect == EITHER:
            message = (
                "who fares best is not known where either side may harm; "
                "give favourable or harmful, or limits.disparity.reference: largest or rest"
            )
            yield document.problem((*path, name), message)


def _texts(values: list[Any]) -> list[str | None]:
    """Return the canonical texts of a list, None for entries that are none."""
    return [
        scalar_text(value) if isinstance(value, bool | int | float | str) else None
        for value in values
    ]
