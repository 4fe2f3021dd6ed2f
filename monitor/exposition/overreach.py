"""Decisions of the latest window that were outside what was allowed, as series."""

from collections.abc import Iterator, Mapping

from monitor.engine.overreach import Excess, Overreach
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.sheet import Sheet

_OF_CONDITIONS = {
    Excess.CONDITION_BROKEN: "decisions_outside_condition",
    Excess.CONDITION_UNKNOWN: "decisions_condition_unknown",
}


def add_overreach(sheet: Sheet, snapshot: ModelSnapshot) -> None:
    """Add them by version: why, or which condition; 0 where they were held against it."""
    model = snapshot.policy.model
    for (version, reason), rows in _by_reason(snapshot).items():
        labels = {"model_version": version, "reason": reason.value}
        sheet.add("decisions_outside_authority", rows, model=model, **labels)
    for each, name, rows in _of_conditions(snapshot):
        labels = {"model_version": each.version, "condition": each.condition}
        sheet.add(name, rows, model=model, **labels)


def _by_reason(snapshot: ModelSnapshot) -> Mapping[tuple[str, Excess], int]:
    tallies = None if snapshot.latest is None else snapshot.latest.accounting.authority
    held = {(tally.version, Excess.NOT_ACTING): 0 for tally in tallies or ()}
    found = {(each.version, each.excess): each.rows for each in snapshot.overreach}
    return {
        (version, excess): rows
        for (version, excess), rows in (held | found).items()
        if excess not in _OF_CONDITIONS
    }


def _of_conditions(snapshot: ModelSnapshot) -> Iterator[tuple[Overreach, str, int]]:
    """Yield every condition that was in force, with both of its series: a series that ends says nothing."""
    broken = [each for each in snapshot.overreach if each.excess is Excess.CONDITION_BROKEN]
    unknown = {
        (each.version, each.condition): each.rows
        for each in snapshot.overreach
        if each.excess is Excess.CONDITION_UNKNOWN
    }
    for each in broken:
        yield each, _OF_CONDITIONS[Excess.CONDITION_BROKEN], each.rows
        rows = unknown.get((each.version, each.condition), 0)
        yield each, _OF_CONDITIONS[Excess.CONDITION_UNKNOWN], rows
