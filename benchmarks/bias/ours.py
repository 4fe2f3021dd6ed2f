"""modelmon with its default limits on groups whose counts are known."""

import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monitor.alerts.findings import findings_of
from monitor.alerts.persistence import alarms_over, verdicts_of
from monitor.config.model_file import load_policy
from monitor.domain.finding import Finding, Verdict
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.profile.grid import AttributeGrid, Grid
from monitor.profile.profile import Profile

BEYOND = frozenset({Verdict.WARNING, Verdict.CRITICAL})
_WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
_FILE = """
model: experiment
source: {path: log, event_time: at}
fields: {amount: numeric}
decision: {column: helped, positive: [1], positive_is: favourable}
populations:
  group: {reference: "group 0"}
schedule: {window: day}
"""


def names(groups: int) -> tuple[str, ...]:
    """Return the names of so many groups."""
    return tuple(f"group {place}" for place in range(groups))


class Said(NamedTuple):
    """What modelmon says of one window.

    Attributes:
        beyond: Groups whose ratio to the first one is beyond the band in it.
        firing: Groups that somebody is called for, by it and the window before.
    """

    beyond: frozenset[str]
    firing: frozenset[str]


def said(rows: Sequence[int], windows: Sequence[Sequence[int]]) -> list[Said]:
    """Return what is said of windows that follow each other, given their positive decisions."""
    found = [_ratios(_judged(rows, positive, rows, positive)) for positive in windows]
    rule = _policy().disparity.persistence
    alarms = alarms_over([verdicts_of(findings) for findings in found], rule)
    return [
        Said(
            _groups(findings),
            frozenset(
                item.reading.subject.group for item in findings if firing[item.fingerprint].firing
            ),
        )
        for findings, firing in zip(found, alarms, strict=True)
    ]


def changed(
    before: Sequence[int],
    positive_before: Sequence[int],
    rows: Sequence[int],
    positive: Sequence[int],
) -> frozenset[str]:
    """Return the groups whose ratio to the first one changed beyond its limit."""
    found = _judged(before, positive_before, rows, positive)
    return _groups(item for item in found if item.reading.measure == "selection_rate_ratio_change")


def _ratios(findings: Sequence[Finding]) -> list[Finding]:
    return [item for item in findings if item.reading.measure == "selection_rate_ratio"]


def _groups(findings: Iterable[Finding]) -> frozenset[str]:
    return frozenset(item.reading.subject.group for item in findings if item.verdict in BEYOND)


def _judged(
    before: Sequence[int],
    positive_before: Sequence[int],
    rows: Sequence[int],
    positive: Sequence[int],
) -> tuple[Finding, ...]:
    policy, grid = _policy(), _grid(len(rows))
    pair = ProfilePair(
        grid,
        _profile(grid, before, positive_before),
        _profile(grid, rows, positive),
        _WINDOW,
        reference_windows=1.0,
    )
    readings = measure_all(policy.model, "1", policy, pair)
    ratios = [item for item in readings if item.measure.startswith("selection_rate_ratio")]
    return findings_of(ratios, policy, {})


@cache
def _policy() -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "experiment.yaml")
        path.write_text(_FILE, encoding="utf-8")
        return load_policy(path)


@cache
def _grid(groups: int) -> Grid:
    attribute = AttributeGrid(
        "group", "group", names(groups), {name: place for place, name in enumerate(names(groups))}
    )
    return Grid({}, {}, frozenset(), (attribute,), _policy().decision, None, digest=str(groups))


def _profile(grid: Grid, rows: Sequence[int], positive: Sequence[int]) -> Profile:
    profile = Profile.empty(grid)
    profile.rows = int(np.sum(rows))
    cells = np.zeros(profile.outcomes.shape, np.int64)
    helped = np.asarray(positive)
    cells[: len(rows), POSITIVE, UNKNOWN] = helped
    cells[: len(rows), NEGATIVE, UNKNOWN] = np.asarray(rows) - helped
    filled = np.flatnonzero(cells.ravel())
    profile.outcomes.add(filled, cells.ravel()[filled])
    return profile
