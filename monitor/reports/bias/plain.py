"""The report as plain values, and its digest."""

import json
from collections.abc import Mapping
from enum import Enum
from hashlib import sha256
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from monitor.domain.window import Window
from monitor.reports.bias.document import Report

SIGNIFICANT = 9
"""Digits of a number: no reading is more precise, and processors differ in the last ones."""

KIND = "modelmon disparity report"

FORM = 2
"""Version of the form: a program that reads it can tell."""


def plain(report: Report) -> dict[str, Any]:
    """Return the report as values that JSON has, with its kind and its digest."""
    content = {"kind": KIND, "form": FORM, **_plain(report)}
    return {"digest": digest_of(content), **content}


def digest_of(content: Mapping[str, Any]) -> str:
    """Return sha256 of a report's content, whatever its digest says."""
    bare = {key: value for key, value in content.items() if key != "digest"}
    text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def as_json(report: Report) -> str:
    """Return the report as JSON, ready to be written."""
    return json.dumps(plain(report), ensure_ascii=True, indent=1) + "\n"


def _plain(value: Any) -> Any:  # noqa: PLR0911  # one for each kind of value
    match value:
        case Window():
            return {"start": value.start.isoformat(), "end": value.end.isoformat()}
        case Enum():
            return value.value
        case float():
            return float(f"{value:.{SIGNIFICANT}g}")
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case Struct():
            return {name: _plain(item) for name, item in asdict(value).items()}
        case _:
            return value
