"""What an edited policy would change, as tables and as a document."""

import json
from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict

from monitor.domain.change import KeyChange, change_of
from monitor.domain.finding import Verdict
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.engine.plan import Called, Otherwise, Replay
from monitor.reports.evidence import ABOUT
from monitor.reports.table import Table
from monitor.reports.wording import subject_of, window_name, window_names

LISTED = 40
"""Rows of a table before the others are counted; a document has all of them."""

_NOT_JUDGED = "not judged"

_NOTHING = "nothing"
_GRAVITY = (None, Verdict.OK, Verdict.UNKNOWN, Verdict.WARNING, Verdict.CRITICAL)

_Row = tuple[str, ...]


def plan_tables(
    before: Policy, after: Policy, changes: Sequence[KeyChange], found: Replay
) -> tuple[Table, ...]:
    """Return what would change as tables; those that would be empty are left out."""
    tables = (
        key_table(after, changes),
        _otherwise(before, after, found),
        _called(before, after, found),
        _followed(after, found),
        Table(
            f"{after.model}, what the store cannot say",
            ("about", "why"),
            tuple((item.about, item.why) for item in found.unsaid),
        ),
    )
    return tuple(table for table in tables if table.rows)


def plan_document(
    before: Policy, after: Policy, changes: Sequence[KeyChange], found: Replay
) -> dict[str, Any]:
    """Return what would change for machines, with every finding."""
    return {
        "model": after.model,
        "before": before.digest,
        "after": after.digest,
        "change": change_of(changes).value,
        "keys": [asdict(item) for item in changes],
        "windows": [_window(item) for item in found.windows],
        "older_windows_left_out": found.left_out,
        "otherwise": [
            {
                "window": _window(item.window),
                "finding": item.finding,
                "measure": item.reading.measure,
                "subject": asdict(item.reading.subject),
                "before": item.before and item.before.value,
                "after": item.after and item.after.value,
            }
            for item in found.otherwise
        ],
        "called": [
            {
                "finding": item.finding,
                "measure": item.reading.measure,
                "subject": asdict(item.reading.subject),
                "before": [_window(window) for window in item.before],
                "after": [_window(window) for window in item.after],
            }
            for item in found.called
        ],
        "followed": [
            {
                "window": _window(item.window),
                "version": item.version,
                "before": None if item.before is None else str(item.before),
                "after": None if item.after is None else str(item.after),
                "limits": list(item.limits),
            }
            for item in found.followed
        ],
        "unsaid": [asdict(item) for item in found.unsaid],
    }


def key_table(after: Policy, changes: Sequence[KeyChange]) -> Table:
    """Return every key that is otherwise, and what that does."""
    rows = tuple(
        (item.change.value, item.key, _text(item.before), _text(item.after)) for item in changes
    )
    title = f"{after.model}, what would change: {change_of(changes).value}"
    return Table(title, ("change", "key", "before", "after"), rows)


def _otherwise(before: Policy, after: Policy, found: Replay) -> Table:
    by: dict[tuple[str, str, str], list[Otherwise]] = {}
    for item in found.otherwise:
        by.setdefault((item.finding, _verdict(item.before), _verdict(item.after)), []).append(item)
    rows = [
        (
            finding[:8],
            subject_of(after if items[-1].after else before, items[-1].reading),
            ABOUT[items[-1].reading.measure].title,
            f"{was} → {now}",
            _windows([item.window for item in items]),
        )
        for (finding, was, now), items in sorted(by.items(), key=lambda found: _lost(found[1][0]))
    ]
    older = f"; {found.left_out:,} older ones were not" if found.left_out else ""
    note = f"{len(found.windows):,} stored windows were judged by both policies{older}."
    columns = ("finding", "what", "measure", "verdict", "windows")
    return _cut(f"{after.model}, findings judged otherwise", columns, rows, note)


def _called(before: Policy, after: Policy, found: Replay) -> Table:
    rows = [
        (
            item.finding[:8],
            subject_of(after if item.after else before, item.reading),
            ABOUT[item.reading.measure].title,
            _windows(item.before),
            _windows(item.after),
        )
        for item in sorted(found.called, key=_more_first)
    ]
    columns = ("finding", "what", "measure", "calls now in", "would have called in")
    return _cut(f"{after.model}, who would have been called", columns, rows, "")


def _followed(after: Policy, found: Replay) -> Table:
    rows = [
        (
            window_name(item.window),
            item.version,
            _NOTHING if item.before is None else str(item.before),
            _NOTHING if item.after is None else str(item.after),
            ", ".join(item.limits),
        )
        for item in found.followed
    ]
    columns = ("window", "version", "follows now", "would have followed", "by the limits")
    note = "Of the alarms of these windows alone: waivers, deadlines and people are left out."
    return _cut(f"{after.model}, what would have followed", columns, rows, note)


def _lost(item: Otherwise) -> tuple[int, int]:
    """Order what would be judged milder first, and of that the gravest."""
    before, after = (_GRAVITY.index(verdict) for verdict in (item.before, item.after))
    return after - before, -before


def _more_first(item: Called) -> int:
    return len(item.before) - len(item.after)


def _cut(title: str, columns: _Row, rows: Sequence[_Row], note: str) -> Table:
    rest = len(rows) - LISTED
    more = f"{rest:,} more rows follow: --output json has them all." if rest > 0 else ""
    return Table(title, columns, tuple(rows[:LISTED]), " ".join(filter(None, (note, more))))


def _verdict(verdict: Verdict | None) -> str:
    return _NOT_JUDGED if verdict is None else verdict.value


def _windows(windows: Sequence[Window]) -> str:
    return window_names([window_name(window) for window in windows]) or "none"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _window(window: Window) -> dict[str, str]:
    return {"start": window.start.isoformat(), "end": window.end.isoformat()}
