"""What the keys of a reference demand of one another, and of the schedule."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticCustomError

from monitor.config.document import Document, KeyPath
from monitor.config.values import parse_duration
from monitor.config.wording import quoted
from monitor.domain.errors import Problem
from monitor.domain.reference import ReferenceKind, Season
from monitor.domain.schedule import CalendarUnit, Schedule

_OF_THE_BASELINE = ("baseline", "registered")
"""Names that would be taken for the registered baseline, which has none."""

_DAY = timedelta(days=1)
_LONGEST = {
    Season.HOUR: (_DAY - timedelta.resolution, "shorter than a day"),
    Season.HOUR_OF_WEEK: (_DAY - timedelta.resolution, "shorter than a day"),
    Season.WEEKDAY: (timedelta(hours=25), "no longer than a day"),
    Season.MONTH: (timedelta(days=32), "no longer than a month"),
}


def reference_problems(
    document: Document, path: KeyPath, entry: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield what is wrong between the keys of one reference; its limits are checked elsewhere.

    Args:
        document: The model's file.
        path: Where the reference is; the last part is its name.
        entry: Its keys.
    """
    name, kind = path[-1], entry.get("kind")
    if isinstance(name, str) and name.lower() in _OF_THE_BASELINE:
        message = f"{quoted(name)} would be taken for the registered baseline; name it otherwise"
        yield document.problem(path, message, at_key=True)
    if kind == ReferenceKind.PREVIOUS:
        for key in ("windows", "gap", "at_least"):
            if key in entry:
                message = f"{key} is for rolling and season; previous is the window before"
                yield document.problem((*path, key), message, at_key=True)
    elif kind in tuple(ReferenceKind) and "windows" not in entry:
        yield document.problem((*path, "windows"), "is missing: how many windows", at_key=True)
    yield from _at_least(document, path, entry)
    yield from _season(document, path, entry)


def _at_least(document: Document, path: KeyPath, entry: Mapping[str, Any]) -> Iterator[Problem]:
    least, windows = entry.get("at_least"), entry.get("windows")
    if type(least) is type(windows) is int and least > windows:
        message = f"at_least {least} is more than there are windows, which are {windows}"
        yield document.problem((*path, "at_least"), message)


def _season(document: Document, path: KeyPath, entry: Mapping[str, Any]) -> Iterator[Problem]:
    kind, season = entry.get("kind"), entry.get("season")
    if kind == ReferenceKind.SEASON and "season" not in entry:
        message = "is missing: hour, weekday, hour_of_week or month"
        yield document.problem((*path, "season"), message, at_key=True)
    elif kind in {ReferenceKind.PREVIOUS, ReferenceKind.ROLLING} and "season" in entry:
        message = f"season is for kind: season, not for {kind}"
        yield document.problem((*path, "season"), message, at_key=True)
    length = _length(document.value)
    if length is None or season not in tuple(Season):
        return
    longest, words = _LONGEST[Season(season)]
    if length > longest:
        message = f"{season} needs windows that are {words}; schedule.window is longer"
        yield document.problem((*path, "season"), message)


def _length(value: Mapping[str, Any]) -> timedelta | None:
    """Return the length of the schedule's windows; None when it is named as wrong on its own."""
    schedule = value.get("schedule")
    window = schedule.get("window") if isinstance(schedule, dict) else None
    if window in tuple(CalendarUnit):
        return Schedule(CalendarUnit(window)).interval
    try:
        return parse_duration(window)
    except PydanticCustomError:
        return None
