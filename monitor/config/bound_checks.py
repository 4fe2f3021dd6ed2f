"""What the bounds of a field demand of one another, and of its kind."""

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.document import Document, KeyPath
from monitor.domain.errors import Problem
from monitor.domain.field import FieldKind


def bound_problems(
    document: Document, path: KeyPath, section: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield what is wrong with ``min`` and ``max`` of one field.

    Args:
        document: The model's file.
        path: Where the field is.
        section: Its keys.
    """
    for key in ("min", "max"):
        if key in section and section.get("kind") != FieldKind.NUMERIC:
            message = f"{key} is for fields of the kind numeric"
            yield document.problem((*path, key), message, at_key=True)
    least, most = section.get("min"), section.get("max")
    if isinstance(least, int | float) and isinstance(most, int | float) and least >= most:
        yield document.problem((*path, "max"), f"max {most:g} is not above min {least:g}")
