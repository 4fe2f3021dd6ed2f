"""A document held against the keys of its kind of file; every problem in our words."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.config.document import Document, KeyPath
from monitor.config.section import Section
from monitor.config.wording import described, nearest, quoted, suggestion
from monitor.domain.errors import Problem
from monitor.domain.naming import scalar_text

AnySection = TypeVar("AnySection", bound=Section)

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a section of keys",
    "model_type": "a section of keys",
}
_QUOTED = re.compile(r"'([^']*)'")
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def validated(
    document: Document, kind: type[AnySection]
) -> tuple[AnySection | None, tuple[Problem, ...]]:
    """Return the document as a section (None if it is none), and every problem with its keys."""
    try:
        return kind.model_validate(document.value), ()
    except ValidationError as error:
        schema = kind.model_json_schema()
        details = [
            detail
            for detail in error.errors(include_url=False)
            if not _already_named(document, detail)
        ]
        return None, tuple(_problem(document, detail, schema) for detail in details)


def _already_named(document: Document, detail: ErrorDetails) -> bool:
    """Return whether the reader has named the cause: a value, or a key, that it could not read."""
    path, kind = detail["loc"], detail["type"]
    section = {"missing": path[:-1], "too_short": path}.get(kind)
    return section in document.incomplete or any(
        path[:length] in document.unread for length in range(len(path) + 1)
    )


def _problem(document: Document, detail: ErrorDetails, schema: Mapping[str, Any]) -> Problem:
    path = detail["loc"]
    if path[-1] == "[key]":
        return document.problem(path[:-1], _message(detail, ""), at_key=True)
    if detail["type"] == "extra_forbidden":
        known = _node(schema, path[:-1]).get("properties", {})
        near = suggestion(str(path[-1]), known)
        return document.problem(path, f"unknown key{near}", at_key=True)
    if detail["type"] == "missing":
        meaning = _node(schema, path).get("description", "")
        return document.problem(path, f"is missing: {meaning}", at_key=True)
    return document.problem(path, _message(detail, document.written.get(path, "")))


def _message(detail: ErrorDetails, written: str) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {described(value, written)}{_instead(kind, value, written)}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"must be {words} {scalar_text(context[bound])}, not {described(value, written)}"
    if kind == "literal_error":
        choices = _QUOTED.findall(context["expected"])  # 'a', 'b' or 'c'
        near = nearest(value, choices) if isinstance(value, str) else ""
        return f"must be one of {', '.join(choices)}, not {described(value)}{near}"
    if kind == "too_short":
        return "must have at least one entry"
    return detail["msg"]


def _instead(kind: str, value: Any, written: str) -> str:
    if isinstance(value, bool | int | float | str):
        if kind == "string_type":
            return f"; write {quoted(written or scalar_text(value))} in quotes"
        if kind == "list_type":
            shown = quoted(value) if isinstance(value, str) else scalar_text(value)
            return f"; write [{shown}]"
        if kind == "int_type" and isinstance(value, float) and value.is_integer():
            return f"; write {int(value)}"
    return ""


def _node(schema: Mapping[str, Any], path: KeyPath) -> Mapping[str, Any]:
    """Return the part of a JSON schema that describes a path, with its own description."""
    node: Mapping[str, Any] = schema
    for part in path:
        inner = _resolved(schema, node)
        below = "items" if isinstance(part, int) else "additionalProperties"
        node = inner.get("properties", {}).get(part) or inner.get(below) or {}
    return {**_resolved(schema, node), **node}


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references and pick the variant with keys."""
    if "$ref" in node:
        return _resolved(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    for variant in node.get("anyOf", ()):
        found = _resolved(schema, variant)
        if found.get("type") == "object":
            return found
    return node
