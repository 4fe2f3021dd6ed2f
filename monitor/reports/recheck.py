"""What computing stored results again has shown."""

from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins

from monitor.engine.recheck import Agreement, Difference, Recheck
from monitor.reports.table import Table
from monitor.reports.wording import window_name

LISTED = 40
"""Differences that are listed before the others are counted; a document has all of them."""

_Row = tuple[str, ...]


def recheck_tables(model: str, found: Sequence[Recheck], code: str) -> tuple[Table, ...]:
    """Return the outcome as tables; those that would be empty are left out.

    Args:
        model: Name of the model.
        found: Its stored results, recomputed.
        code: The version of modelmon that computed.
    """
    tables = (_by_code(model, found, code), _differences(found, code), _impossible(found))
    return tuple(table for table in tables if table.rows)


def recheck_document(model: str, found: Sequence[Recheck]) -> dict[str, Any]:
    """Return the outcome for machines, with every difference."""
    return {
        "model": model,
        "results": [
            {
                "window": {
                    "start": item.window.start.isoformat(),
                    "end": item.window.end.isoformat(),
                },
                "revision": item.revision,
                "code": item.code,
                "agreement": item.agreement.value,
                "readings": item.readings,
                "findings": item.findings,
                "why": item.why,
                "not_measured": list(item.not_measured),
                "differences": [
                    to_builtins(difference, enc_hook=float)  # numpy has doubles of its own
                    for difference in item.differences
                ],
            }
            for item in found
        ],
    }


def _by_code(model: str, found: Sequence[Recheck], code: str) -> Table:
    rows: list[_Row] = []
    for version in sorted({item.code for item in found}):
        these = [item for item in found if item.code == version]
        by = [sum(item.agreement is kind for item in these) for kind in Agreement]
        numbers = (
            len(these),
            sum(item.readings for item in these),
            sum(item.findings for item in these),
            *by,
        )
        name = f"{version or 'unknown'}{' (this one)' if version == code else ''}"
        rows.append((name, *(f"{number:,}" for number in numbers)))
    notes = []
    if any(item.code != code and item.differences for item in found):
        notes.append(
            f"Another version's results may differ because a measure has changed since; this is {code}."
        )
    since = sorted({name for item in found for name in item.not_measured})
    if since:
        notes.append(f"Not measured by the version that stored: {', '.join(since)}.")
    return Table(
        f"{model}, recomputed",
        ("stored by", "results", "readings", "findings", *(kind.value for kind in Agreement)),
        tuple(rows),
        " ".join(notes),
    )


def _differences(found: Sequence[Recheck], code: str) -> Table:
    rows: list[_Row] = [
        (
            window_name(item.window),
            str(item.revision),
            *([item.code] if _other_code(found, code) else []),
            _what(difference),
            _text(difference.stored),
            _text(difference.recomputed),
        )
        for item in found
        for difference in item.differences
    ]
    rest = len(rows) - LISTED
    version = ("stored by",) if _other_code(found, code) else ()
    return Table(
        "What is stored otherwise than it is computed",
        ("window", "revision", *version, "what", "stored", "recomputed"),
        tuple(rows[:LISTED]),
        f"{rest:,} more are in the output of --output json." if rest > 0 else "",
    )


def _impossible(found: Sequence[Recheck]) -> Table:
    rows = [
        (window_name(item.window), str(item.revision), item.why)
        for item in found
        if item.agreement is Agreement.IMPOSSIBLE
    ]
    rest = len(rows) - LISTED
    return Table(
        "What cannot be recomputed",
        ("window", "revision", "why"),
        tuple(rows[:LISTED]),
        f"{rest:,} more are in the output of --output json." if rest > 0 else "",
    )


def _other_code(found: Sequence[Recheck], code: str) -> bool:
    return any(item.code != code for item in found)


def _what(difference: Difference) -> str:
    subject = difference.subject
    about = "" if subject is None else f" of {subject}, version {subject.version or '–'}"
    part = f": {difference.attribute}" if difference.attribute else ""
    return f"{difference.what} {difference.measure}".rstrip() + about + part


def _text(value: str | float | None) -> str:
    if isinstance(value, float):
        return repr(float(value))  # numpy's own doubles say what they are
    return "–" if value is None else str(value)
