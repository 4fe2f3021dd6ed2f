"""What the windows of a baseline reach by themselves, learned once for each baseline."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from threading import Lock

from monitor.domain.baseline import Baseline, BaselinePart
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.measures.variability import Floors, floors
from monitor.profile.codec import profile_from_bytes, profile_without_slices
from monitor.profile.grid import Grid
from monitor.profile.profile import Profile, merged

KEPT = 64
"""Baselines whose floors a process remembers."""

_learned: dict[tuple[str, int, tuple[str, ...]], Floors] = {}
_lock = Lock()


def floors_of(policy: Policy, window: Window, baseline: Baseline, grid: Grid) -> Floors:
    """Return the floors that hold for windows of this length.

    A pure function of the immutable baseline, so what it returns is kept by the baseline's digest.
    Where the window is longer than the baseline's own, these are added up to its length first.

    Args:
        policy: Says which measures are judged.
        window: The window that will be judged.
        baseline: Its windows are learned from.
        grid: The baseline's grid.
    """
    length = _parts_a_window(window, baseline.parts)
    everywhere = (policy.limits, *policy.reference_limits.values())
    measures = tuple(sorted({name for limits in everywhere for name in limits}))
    key = (baseline.digest, length, measures)
    with _lock:
        known = _learned.get(key)
    if known is not None:
        return known
    whole = profile_from_bytes(baseline.profile)
    found = floors(measures, grid, whole, _of_length(baseline.parts, length))
    with _lock:
        while len(_learned) >= KEPT:
            del _learned[next(iter(_learned))]
        _learned[key] = found
    return found


def _parts_a_window(window: Window, parts: Sequence[BaselinePart]) -> int:
    if not parts:
        return 1
    usual = timedelta(seconds=median(part.window.duration.total_seconds() for part in parts))
    return max(1, round(window.duration / usual))


def _of_length(parts: Sequence[BaselinePart], length: int) -> list[Profile]:
    profiles = [profile_without_slices(part.profile) for part in parts]  # they have no floors
    return [
        merged(profiles[place : place + length])
        for place in range(0, len(profiles) - length + 1, length)
    ]
