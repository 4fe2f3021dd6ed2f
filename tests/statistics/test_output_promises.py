"""The tests of a model's own output keep their level at the limit, and find twice as much."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from monitor.domain.field import Classes, Decision, Field, FieldKind, FieldRole, Label
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import ProfilePair
from monitor.profile.classes import ClassColumns
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))
MEASURES = {item.about.id: item for item in CATALOGUE}
BASELINE, ROWS, RUNS = 20_000, 4_000, 120
CLASSES = np.array(["a", "b", "c"])
LIMITS = {
    "decision_rate": 0.03,
    "label_rate": 0.03,
    "score_mean": 0.06,
    "prediction_shares": 0.04,
    "label_shares": 0.04,
}
"""What is tolerated: of rates two to four rows in a hundred, of the mean in standard deviations."""


@cache
def grid(several):
    score = Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE)
    draft = GridDraft(
        (score,),
        {},
        Decision("flag", ("1",), ("0",)),
        Label("y") if several else Label("y", ("1",), ("0",)),
        classes=Classes("said", tuple(CLASSES)) if several else None,
    )
    draft.add_field("score", pa.array(np.random.default_rng(0).normal(size=20_000)))
    return draft.grid()


def counted(rng, rows, moved, *, several):
    """Return rows of which rates, shares or the mean have moved by so much."""
    builder = ProfileBuilder(grid(several))
    builder.add_rows(rows, START, START)
    score = pa.array(rng.normal(moved, 1, rows))
    builder.add_field("score", score, rows)
    flag = pa.array((rng.random(rows) < 0.3 + moved).astype(int))
    if not several:
        builder.add_outcomes(rows, {}, flag, flag, score)
        return builder.profile
    said = pa.array(CLASSES[rng.choice(3, rows, p=[0.5 - moved, 0.3 + moved, 0.2])])
    builder.add_outcomes(rows, {}, flag, said, score, classes=ClassColumns(said))
    return builder.profile


def rejected(measure, moved):
    """Return how often a movement is beyond the limit at a level of 5 %."""
    rng, limit = np.random.default_rng(7), LIMITS[measure]
    several, tail = measure.endswith("shares"), MEASURES[measure].tail
    found = []
    for _ in range(RUNS):
        then = counted(rng, BASELINE, 0.0, several=several)
        now = counted(rng, ROWS, moved, several=several)
        pair = ProfilePair(grid(several), then, now, WINDOW, 5.0)
        found.append(tail(MEASURES[measure].measure(pair), limit) <= 0.05)
    return np.mean(found)


@pytest.mark.parametrize("measure", LIMITS)
def test_at_the_limit_one_window_in_twenty_at_most_is_found_and_at_twice_it_nine_in_ten(measure):
    limit = LIMITS[measure]
    assert rejected(measure, limit) <= 0.05 + 2.33 * np.sqrt(0.05 * 0.95 / RUNS)
    assert rejected(measure, 2 * limit) >= 0.9
