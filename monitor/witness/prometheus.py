"""Prometheus as a witness: what its stored samples say that the audit log was.

Size and parts of the root are scraped together, so at each instant they are of one log.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from monitor.domain.errors import WitnessError
from monitor.governance.checkpoint import Checkpoint
from monitor.governance.root_parts import PARTS, root_of_parts
from monitor.governance.verification import Sighting
from monitor.witness.http import asked

SIZE, PART = "modelmon_audit_log_size", "modelmon_audit_root_part"
QUERY = f'{{__name__=~"{SIZE}|{PART}"}}'
"""What is asked, in PromQL."""

_AT_ONCE = timedelta(days=1)
"""What is asked at a time: every sample that is stored, a megabyte of them."""

_SAMPLE = re.compile(rf"({SIZE}|{PART})\{{(.*)\}} (\S+)(?: \S+)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

_Series = tuple[Mapping[str, str], Iterable[tuple[float | None, str]]]
"""Labels, and instants with values."""


def sightings_of(url: str, over: timedelta, now: datetime) -> Sequence[Sighting]:
    """Return what a Prometheus has seen of audit logs, each state once, with its latest instant.

    Args:
        url: Where it is.
        over: How far back it is asked.
        now: The present.

    Raises:
        WitnessError: It cannot be asked, or what it answers is not what modelmon exported.
    """
    series: list[_Series] = []
    begin, end = now - over, now
    while end > begin:
        length = min(_AT_ONCE, end - begin)
        series += _samples(url, length, end)
        end -= length
    return _seen(series, f"Prometheus at {url}")


def _samples(url: str, length: timedelta, end: datetime) -> Iterator[_Series]:
    """Return every sample that is stored of a time: none that lived shortly is passed over."""
    seconds = max(math.ceil(length.total_seconds()), 1)
    query = {"query": f"{QUERY}[{seconds}s]", "time": f"{end.timestamp():.3f}"}
    replied = asked(url, "/api/v1/query", query=query)
    if replied.status != HTTPStatus.OK:
        told = replied.body.decode(errors="replace")[:300]
        raise WitnessError(f"{url} answers {replied.status}: {told}")
    return _of_answer(replied.body, url)


def sightings_in(path: Path) -> Sequence[Sighting]:
    """Return what a file of samples says: an answer of Prometheus' API, or a saved metrics page.

    Raises:
        WitnessError: It cannot be read, or holds something else.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WitnessError(f"{path} cannot be read: {error.strerror}") from error
    page = not content.lstrip().startswith(b"{")
    return _seen(_of_page(content) if page else _of_answer(content, str(path)), str(path))


def _of_answer(content: bytes, where: str) -> Iterator[_Series]:
    try:
        data = json.loads(content)["data"]
        for series in data["result"]:
            pairs = series["values"] if "values" in series else [series["value"]]
            yield series["metric"], [(float(at), str(value)) for at, value in pairs]
    except (ValueError, KeyError, TypeError) as error:
        raise WitnessError(f"{where} is no answer of Prometheus to a query: {error!r}") from error


def _of_page(content: bytes) -> Iterator[_Series]:
    for line in content.decode(errors="replace").splitlines():
        found = _SAMPLE.fullmatch(line)
        if found is not None:
            yield {"__name__": found[1], **dict(_LABEL.findall(found[2]))}, [(None, found[3])]


def _seen(series: Iterable[_Series], by: str) -> Sequence[Sighting]:
    """Return each state of a log once: of many samples of it the latest tells the most."""
    states: dict[tuple[tuple[tuple[str, str], ...], float | None], dict[str, Any]] = {}
    for labels, samples in series:
        where = tuple(sorted((name, text) for name, text in labels.items() if name not in _PARTED))
        name = labels.get("part", "size") if labels.get("__name__") == PART else "size"
        for at, value in samples:
            states.setdefault((where, at), {"log": labels.get("log", "")})[name] = value
    found: dict[Checkpoint, float | None] = {}
    for (_, at), state in states.items():
        checkpoint = _checkpoint(state, by)
        if checkpoint is not None:
            before = found.get(checkpoint)
            found[checkpoint] = at if before is None else max(before, at or before)
    if not found:
        raise WitnessError(f"{by} has no whole sample of {SIZE} and {PART}")
    return [_sighting(checkpoint, at, by) for checkpoint, at in found.items()]


_PARTED = frozenset({"__name__", "part"})


def _checkpoint(state: Mapping[str, Any], by: str) -> Checkpoint | None:
    """Return what samples of one instant say; None where some are missing."""
    names = ["size", *map(str, range(PARTS))]
    if not all(name in state for name in names):
        return None
    try:
        size, *parts = (int(float(state[name])) for name in names)
        return Checkpoint(state["log"], size, root_of_parts(parts))
    except (ValueError, OverflowError) as error:
        raise WitnessError(f"{by}: a sample of {PART} is no part of a root: {error}") from error


def _sighting(checkpoint: Checkpoint, at: float | None, by: str) -> Sighting:
    instant = None if at is None else datetime.fromtimestamp(at, UTC)
    told = by if instant is None else f"{by} ({instant:%Y-%m-%dT%H:%M:%SZ})"
    return Sighting(checkpoint, instant, f"a sample of {told}")
