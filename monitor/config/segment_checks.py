"""What the keys of segments demand of one another, and what the scan over pairs of them does."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import comb
from typing import Any

from monitor.config.defaults import MOST_PAIRS
from monitor.config.document import Document
from monitor.config.wording import quoted
from monitor.domain.errors import Problem
from monitor.domain.naming import CROSS
from monitor.domain.segment import Segment


def pairs_of(segments: tuple[Segment, ...], most: int) -> tuple[Segment, ...]:
    """Return the crossing of every two segments of one column each that nobody declared.

    Args:
        segments: Those that were declared.
        most: How many values of each crossing have a slice of their own.
    """
    declared = {frozenset(item.columns) for item in segments}
    single = [item for item in segments if len(item.columns) == 1]
    return tuple(
        Segment(f"{one.name}{CROSS}{other.name}", (*one.columns, *other.columns), most, pair=True)
        for one, other in combinations(single, 2)
        if frozenset((*one.columns, *other.columns)) not in declared
    )


def segment_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong between the keys of segments, and with the scan over them."""
    segments = _sections(document.value)
    for name, section in segments.items():
        path, columns = ("segments", name), section.get("columns")
        if "column" in section and "columns" in section:
            message = "column and columns exclude each other"
            yield document.problem((*path, "columns"), message, at_key=True)
        listed = [str(item) for item in columns] if isinstance(columns, list) else []
        if len(listed) == 1 or len(set(listed)) < len(listed):
            message = "a crossing needs two or more different columns"
            yield document.problem((*path, "columns"), message)
    scan = document.value.get("scan")
    if isinstance(scan, dict) and scan.get("pairs") is True:
        yield from _scan(document, segments)


def _scan(document: Document, segments: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    single = [name for name, section in segments.items() if "columns" not in section]
    pairs = comb(len(single), 2)
    columns = {str(segments[name].get("column", name)) for name in single}
    path = ("scan", "pairs")
    if not pairs:
        message = "crosses segments of one column each, and fewer than two are declared"
        yield document.problem(path, message)
    elif pairs > MOST_PAIRS:
        message = f"crosses {len(single)} segments in {pairs} pairs; {MOST_PAIRS} at most"
        yield document.problem(path, message)
    elif len(columns) < len(single):
        yield document.problem(path, "crosses columns, and two segments are of the same one")
    for one, other in combinations(single, 2):
        if (name := f"{one}{CROSS}{other}") in segments:
            message = f"crosses a pair that would be called like the segment {quoted(name)}"
            yield document.problem(path, message)


def _sections(value: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the segments by name, in either form; those with wrong ones are empty."""
    declared = value.get("segments")
    if isinstance(declared, list):
        return {name: {} for name in declared if isinstance(name, str)}
    items = declared.items() if isinstance(declared, dict) else ()
    return {str(name): section if isinstance(section, dict) else {} for name, section in items}
