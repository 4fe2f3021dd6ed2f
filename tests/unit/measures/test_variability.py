from datetime import timedelta

import numpy as np
import pytest

from monitor.domain.estimate import Estimate
from monitor.domain.field import Label
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE, OF_THE_RUN
from monitor.measures.drift.psi import psi
from monitor.measures.grouping import grouped_parts
from monitor.measures.measure import (
    EmbeddingMeasure,
    EmbeddingPair,
    FieldMeasure,
    FieldPair,
    FieldParts,
    GroupMeasure,
    ProfilePair,
)
from monitor.measures.names import MEASURE_NAMES
from monitor.measures.variability import Floor, floors
from monitor.profile.profile import Profile, merged
from monitor.uncertainty.between import LEAST_WINDOWS
from tests.contract.test_measures import FIELDS, START, drafted, log, profiled

DAYS, ROWS = 14, 300
LABEL = Label("kind", ("a",))  # one of several classes, and of two: measures of both have something
TESTED = [
    measure
    for measure in CATALOGUE
    if not isinstance(measure, GroupMeasure) and measure.tail is not None
]
IDS = [measure.about.id for measure in TESTED]
STILL = {
    "missing_rate",
    "absent_rate",
    "mistyped_rate",
    "unseen_rate",
    "out_of_range_rate",
    "out_of_bounds_rate",
    "undecided_rate",
    "duplicate_rate",
    "correlation_change",
}
"""Those that a shift of the log does not move: nothing becomes missing or new or related by it."""
MOVING = [measure for measure in TESTED if measure.about.id not in STILL]
NUMERIC = {"amount", "code", "score", "vector.norm"}
CALM = [log(ROWS, seed) for seed in range(DAYS)]
MOVED = [log(ROWS, seed, shift=0.8 if seed % 3 == 0 else 0.0) for seed in range(DAYS)]


def baseline(days):
    whole = {name: np.concatenate([day[name] for day in days]) for name in days[0]}
    grid = drafted(whole, LABEL)
    parts = [profiled(grid, day) for day in days]
    return grid, merged(parts), parts


@pytest.fixture(scope="module")
def calm():
    return baseline(CALM)


@pytest.fixture(scope="module")
def moved():
    return baseline(MOVED)


def measured(measure, sides, current):
    """Return the estimates of a measure, of every field that it applies to."""
    grid, whole, _ = sides
    pair = ProfilePair(grid, whole, current, Window(START, START + timedelta(days=1)), DAYS)
    if isinstance(measure, EmbeddingMeasure):
        sides = grid.vectors["vector"], whole.vectors["vector"], current.vectors["vector"]
        return [measure.measure(EmbeddingPair("vector", "vector", *sides))]
    if not isinstance(measure, FieldMeasure):
        return [measure.measure(pair)]
    return [
        measure.measure(
            FieldPair(
                field, grid.fields[field.name], whole.fields[field.name], current.fields[field.name]
            )
        )
        for field in FIELDS
        if measure.applies(grid.fields[field.name]) and measure.asked_of(field)
    ]


@pytest.mark.parametrize("measure", TESTED, ids=IDS)
@pytest.mark.parametrize("shift", [0.0, 0.4, 0.9])
def test_a_p_value_is_one_and_rises_with_what_is_tolerated(measure, shift, calm):
    current = profiled(calm[0], log(900, 99, shift=shift))
    for found in measured(measure, calm, current):
        assert isinstance(found, Estimate)
        size = abs(found.value)
        p = [measure.tail(found, tolerance) for tolerance in (0.0, size / 3, size, size + 0.3)]
        assert all(0 <= item <= 1 for item in p)
        assert all(np.diff(p) >= 0)
        assert p[2] >= 0.3  # what is tolerated is what was seen


@pytest.mark.slow
@pytest.mark.parametrize("measure", TESTED, ids=IDS)
def test_what_its_own_noise_explains_is_not_beyond_nothing(measure, calm):
    for seed in range(40, 46):
        for found in measured(measure, calm, profiled(calm[0], log(ROWS, seed))):
            assert measure.tail(found, 0.05) > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("measure", MOVING, ids=[item.about.id for item in MOVING])
def test_a_large_change_in_many_rows_is_beyond_a_small_tolerance(measure, calm):
    current = profiled(calm[0], log(20_000, 99, shift=0.9))
    assert min(measure.tail(found, 0.01) for found in measured(measure, calm, current)) < 1e-6


def test_every_measure_of_drift_has_a_test():
    drift = {name for name, about in MEASURE_NAMES.items() if about.family == "drift"}
    assert drift - {measure.about.id for measure in OF_THE_RUN} <= set(IDS)


def test_windows_that_agree_have_no_floor_or_a_small_one(calm):
    found = floors(IDS, *calm)
    assert {key for key, floor in found.items() if floor.windows != DAYS} == set()
    assert sum(floor.warning == 0 for floor in found.values()) > 0.7 * len(found)
    assert all(floor.warning < 0.3 for floor in found.values())


@pytest.mark.slow
def test_windows_that_differ_raise_the_floors_of_what_differs(calm, moved):
    still, found = floors(IDS, *calm), floors(IDS, *moved)
    assert found["psi", "amount"].warning > 0.3
    assert found["psi", "code"].warning == 0.0  # the log moves every field but this one
    for key in [("ks", "amount"), ("wasserstein", "amount"), ("js_distance", "channel")]:
        assert found[key].warning > still[key].warning + 0.1
    for key in [("decision_rate", ""), ("score_mean", ""), ("label_rate", "")]:
        assert found[key].warning > still[key].warning
    assert all(floor.critical >= floor.warning for floor in found.values())


def test_the_floor_is_what_a_slow_reckoning_makes_of_the_windows(moved):
    grid, whole, parts = moved
    field = FieldParts(
        grid.fields["channel"], whole.fields["channel"], tuple(p.fields["channel"] for p in parts)
    )
    others, own = grouped_parts(field)
    (spread,) = [item.spread for item in TESTED if item.about.id == "psi"]
    squares = spread(field)
    slow = [psi(rest, part) for rest, part in zip(others, own, strict=True)]
    assert squares.observed == pytest.approx(slow, abs=1e-12)
    assert (others + own == others[0] + own[0]).all()
    assert own.sum(axis=1).tolist() == [ROWS] * DAYS


def test_too_few_windows_and_those_with_too_few_rows_say_nothing(calm):
    grid, whole, parts = calm
    few = floors(["psi"], grid, whole, parts[: LEAST_WINDOWS - 1])
    assert set(few.values()) == {Floor(0.0, 0.0, LEAST_WINDOWS - 1)}
    small = profiled(grid, {name: values[:20] for name, values in CALM[0].items()})
    same = floors(["psi"], grid, whole, [*parts, small, Profile.empty(grid)])
    assert same == floors(["psi"], grid, whole, parts)


def test_only_what_is_judged_is_learned(calm):
    assert {measure for measure, _ in floors(["ks"], *calm)} == {"ks"}
    assert floors([], *calm) == {}
    assert {field for _, field in floors(["ks"], *calm)} == NUMERIC


def test_a_column_that_the_baseline_never_held_has_no_floor():
    empty = [{**day, "amount": np.full(ROWS, np.nan)} for day in CALM]
    found = floors(IDS, *baseline(empty))
    assert found["psi", "amount"].warning == 0.0
    assert found["ks", "amount"] == Floor(0.0, 0.0, 0)
