from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.domain.baseline import BaselinePart
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.window import Window
from monitor.engine.floors import KEPT, floors_of
from monitor.measures.variability import floors
from monitor.profile.codec import profile_to_bytes
from monitor.profile.profile import merged
from tests.contract.test_measures import drafted, log, profiled
from tests.stored import a_baseline, a_policy

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = replace(a_policy(), limits={"psi": FieldLimit(Limit(0.1, 0.25))})
# Every other day differs, so that pairs of days do not.
DAYS = [log(300, seed, shift=0.8 * (seed % 2)) for seed in range(28)]
WHOLE = {name: np.concatenate([day[name] for day in DAYS]) for name in DAYS[0]}
GRID = drafted(WHOLE)
PARTS = [profiled(GRID, day) for day in DAYS]


def baseline(digest):
    parts = tuple(
        BaselinePart(Window(FIRST + n * DAY, FIRST + (n + 1) * DAY), 300, profile_to_bytes(part))
        for n, part in enumerate(PARTS)
    )
    return replace(
        a_baseline("1", digest), parts=parts, profile=profile_to_bytes(merged(PARTS)), grid=b""
    )


def a_window(days):
    return Window(FIRST + 60 * DAY, FIRST + (60 + days) * DAY)


def learned(days, digest="a" * 64):
    return floors_of(POLICY, a_window(days), baseline(digest), GRID)


def test_windows_of_the_baselines_own_length_are_held_against_them_as_they_are():
    assert learned(1) == floors(["psi"], GRID, merged(PARTS), PARTS)


@pytest.mark.parametrize("days", [2, 4])
def test_longer_windows_are_held_against_as_many_together(days):
    sums = [merged(PARTS[place : place + days]) for place in range(0, 28, days)]
    assert learned(days) == floors(["psi"], GRID, merged(PARTS), sums)
    assert learned(days)["psi", "amount"].warning < learned(1)["psi", "amount"].warning / 2


def test_a_window_as_long_as_the_baseline_says_nothing():
    assert {floor.windows for floor in learned(28).values()} == {1}
    assert {floor.warning for floor in learned(28).values()} == {0.0}


def test_what_was_learned_is_kept_for_as_many_baselines_as_are_in_use():
    first = learned(1, "first")
    assert learned(1, "first") is first
    for number in range(KEPT):
        learned(28, f"other {number}")
    assert learned(1, "first") is not first
    assert learned(1, "first") == first


def test_a_baseline_without_parts_says_nothing():
    bare = replace(baseline("bare"), parts=())
    found = floors_of(POLICY, a_window(1), bare, GRID)
    assert {floor.windows for floor in found.values()} == {0}
