"""What the keys of a reference demand of one another, and of the schedule."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticCustomError

from monitor.config.document import Document, KeyPath
from monitor.config.values import parse_duration
from monitor.config.wording import quoted, suggestion
from monitor.domain.errors import Problem
from monitor.domain.reference import ReferenceKind, Season
from monitor.domain.schedule import CalendarUnit, Schedule

OF_THE_SAME_WINDOW = "segment"
"""The kind of reference that is no earlier window."""

_KINDS = (*ReferenceKind, OF_THE_SAME_WINDOW)
_SEVERAL = ("windows", "gap", "at_least")
_OF_SLICES = ("segment", "slice", "against")
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
    if kind == OF_THE_SAME_WINDOW:
        yield from _slices(document, path, entry)
        return
    if kind in _KINDS:
        message = f"{{}} is for kind: segment, not for {kind}"
        yield from _out_of_place(document, path, entry, _OF_SLICES, message)
    if kind == ReferenceKind.PREVIOUS:
        message = "{} is for rolling and season; previous is the window before"
        yield from _out_of_place(document, path, entry, _SEVERAL, message)
    elif kind in tuple(ReferenceKind) and "windows" not in entry:
        yield document.problem((*path, "windows"), "is missing: how many windows", at_key=True)
    yield from _at_least(document, path, entry)
    yield from _season(document, path, entry)


def _slices(document: Document, path: KeyPath, entry: Mapping[str, Any]) -> Iterator[Problem]:
    message = "{} is of earlier windows; segment is of the same window"
    yield from _out_of_place(document, path, entry, (*_SEVERAL, "season"), message)
    for key, what in (("segment", "the segment that the slice is of"), ("slice", "which slice")):
        if key not in entry:
            yield document.problem((*path, key), f"is missing: {what}", at_key=True)
    segment, names = entry.get("segment"), _segment_names(document.value)
    if isinstance(segment, str) and segment not in names:
        message = f"{quoted(segment)} is no declared segment{suggestion(segment, names)}"
        yield document.problem((*path, "segment"), message)
    for key in ("slice", "against"):
        if entry.get(key) == "":
            yield document.problem((*path, key), 'is the name of a slice, such as "(missing)"')
    if isinstance(entry.get("slice"), str) and entry["slice"] == entry.get("against"):
        yield document.problem((*path, "against"), "is the slice itself; name another one")


def _segment_names(value: Mapping[str, Any]) -> list[str]:
    declared = value.get("segments")
    names = declared if isinstance(declared, dict | list) else []
    return [name for name in names if isinstance(name, str)]


def _out_of_place(
    document: Document, path: KeyPath, entry: Mapping[str, Any], keys: tuple[str, ...], message: str
) -> Iterator[Problem]:
    for key in keys:
        if key in entry:
            yield document.problem((*path, key), message.format(key), at_key=True)


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
