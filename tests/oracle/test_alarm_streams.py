"""The streams of `make bench-alarms` are what they are said to be: closed forms, scipy, quadrature."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from scipy import stats

from benchmarks.alarms import ours, plot
from benchmarks.alarms.laws import (
    DIRECTIONS,
    FIELDS,
    NOTHING,
    Both,
    Shift,
    law_of,
    normal,
    shift_of,
    tilted,
    true_psi,
)
from benchmarks.alarms.rates import Delays, Rate
from benchmarks.alarms.streams import (
    DAY,
    START,
    Plan,
    counted,
    counted_parts,
    grouped_laws,
    profiled,
    rows_of,
)
from monitor.domain.field import FieldKind
from monitor.domain.window import Window
from monitor.measures.drift import psi
from monitor.measures.measure import FieldPair, ProfilePair
from monitor.measures.measuring import measure_all
from monitor.profile.grid import NumericGrid
from monitor.profile.profile import merged

SEED = 20_261_122
CONTINUOUS = {
    "normal_3": stats.norm(30, 4),
    "lognormal_2": stats.lognorm(0.75),
    "uniform_2": stats.uniform(-2, 102),
    "exponential_3": stats.expon(scale=10),
}

pytestmark = pytest.mark.oracle


def name_of(law):
    return law.name


def indices_of(stream, window):
    """Return the estimate of each field's index in a window."""
    reference = merged(stream.days)
    return {
        law.name: psi.measure(
            FieldPair(
                law,
                stream.grid.fields[law.name],
                reference.fields[law.name],
                window.fields[law.name],
            )
        )
        for law in FIELDS
    }


def test_there_are_forty_fields_of_every_kind():
    assert len(FIELDS) == len({law.name for law in FIELDS}) == 40
    assert sum(law.kind is FieldKind.CATEGORICAL for law in FIELDS) == 8
    assert sum(law.nulls > 0 for law in FIELDS) == 6


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_continuous_field_is_distributed_as_scipy_has_it(name):
    law, known = law_of(name), CONTINUOUS[name]
    values = law.draw(np.random.default_rng(SEED), 20_000, NOTHING)
    assert stats.kstest(values, known.cdf).pvalue > 1e-3
    points = known.ppf(np.linspace(0.001, 0.999, 41))
    assert law.below(points) == pytest.approx(known.cdf(points), abs=1e-12)


@pytest.mark.parametrize("law", FIELDS, ids=name_of)
def test_the_groups_of_a_field_hold_the_shares_that_are_claimed(law):
    rng = np.random.default_rng(SEED)
    change = Both(Shift(0.3), Shift(-0.5))  # together a shift by -0.2
    places = np.searchsorted(law.ends[1:-1], change.quantile(rng.random(50_000)), side="right")
    expected = np.diff(Shift(-0.2).cdf(law.ends))
    rows = np.bincount(places, minlength=len(expected))
    assert stats.chisquare(rows, expected * 50_000).pvalue > 1e-4


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("law", FIELDS, ids=name_of)
def test_a_tilted_field_has_the_index_that_was_asked_for(law, direction):
    change = tilted(law, 0.1, direction)
    points = np.union1d(np.linspace(0, 1, 20_001), law.ends)
    mass = np.diff(points)
    density = np.diff(change.cdf(points)) / mass
    integral = np.sum(mass * (density - 1) * np.log(density))  # Jeffreys' divergence, any grouping
    assert true_psi(law, change) == pytest.approx(0.1, abs=1e-9)
    assert (1 - law.nulls) * integral == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("change", [tilted(law_of("cat_12"), 0.2, "spread"), Shift(0.7)])
def test_drawing_inverts_the_distribution_function(change):
    shares = np.linspace(0.001, 0.999, 999)
    assert change.cdf(change.quantile(shares)) == pytest.approx(shares, abs=1e-12)


def test_a_shift_of_a_normal_field_tends_to_its_square():
    law = normal("x", 0.0, 1.0)
    shift = shift_of(law, 0.2)
    finer = np.linspace(0, 1, 100_001)[1:-1]
    before, after = np.diff(finer), np.diff(shift.cdf(finer))
    assert np.sum((after - before) * np.log(after / before)) == pytest.approx(
        shift.size**2, abs=1e-3
    )
    assert true_psi(law, shift) == pytest.approx(0.2, abs=1e-9)
    assert shift.size**2 > 0.2  # ten groups see less than all values do


@pytest.mark.slow
@pytest.mark.parametrize(("make", "rows"), [(profiled, 20_000), (None, 100_000)])
def test_the_measured_index_of_a_large_window_is_the_true_one(make, rows):
    changes = {
        law.name: tilted(law, 0.1, DIRECTIONS[place % 3]) for place, law in enumerate(FIELDS)
    }
    plan = Plan(rows, 1, windows=1, changes=changes)
    rng = np.random.default_rng(SEED)
    stream = counted(plan, rng) if make is None else make(plan, rows_of(plan, rng))
    (window,) = stream.windows
    assert window.rows == rows
    # Values with few rows are pooled, which takes a little off; sampling adds and takes a little.
    for name, estimate in indices_of(stream, window).items():
        assert 0.075 < estimate.detail["excess"] < 0.125, name


def test_on_the_groups_that_a_baseline_has_the_true_index_is_exact():
    rng = np.random.default_rng(SEED)
    plan = Plan(1_000_000, 5, windows=0)
    baseline = counted(plan, rng)
    laws = grouped_laws(baseline)
    changes = {law.name: tilted(law, 0.1, "slope") for law in laws}
    changing = replace(plan, windows=1, changes=changes)
    (window,) = counted_parts(changing, baseline.grid, rng, [plan.days])
    stream = replace(baseline, plan=changing, windows=(window,))
    excess = [estimate.detail["excess"] for estimate in indices_of(stream, window).values()]
    assert np.mean(excess) == pytest.approx(0.1, abs=0.0005)
    assert np.ptp(excess) < 0.01


def test_what_is_judged_is_what_a_run_of_the_product_measures():
    plan = Plan(500, 2, windows=1)
    stream = profiled(plan, rows_of(plan, np.random.default_rng(SEED)))
    policy = ours.default_policy(plan.laws)
    reference, (window,) = merged(stream.days), stream.windows
    span = Window(START, START + DAY)
    pair = ProfilePair(stream.grid, reference, window, span, plan.days)
    whole = [
        reading
        for reading in measure_all(policy.model, "1", policy, pair)
        if reading.measure in policy.limits and reading.subject.field
    ]
    (judged,) = ours.judged_readings(stream, stream.windows, policy)
    assert len(judged) >= 2 * len(FIELDS)
    assert sorted(judged, key=str) == sorted(whole, key=str)


@pytest.mark.slow
def test_counts_are_drawn_with_the_law_of_the_rows():
    plan = Plan(10_000, 2, windows=1)
    rng = np.random.default_rng(SEED)
    rows = profiled(plan, rows_of(plan, rng))
    counts = counted(plan, rng)
    for law in FIELDS:
        grid = counts.grid.fields[law.name]
        mine, other = counts.windows[0].fields[law.name], rows.windows[0].fields[law.name]
        assert mine.rows == other.rows == 10_000
        assert abs(mine.missing - other.missing) < 5 * np.sqrt(2 * 10_000 * law.nulls) + 1
        if isinstance(grid, NumericGrid):
            expected = np.diff(np.concatenate([[0], law.below(grid.edges), [1]]))
            large = expected > 1e-3
            found = mine.cells[large] / mine.n
            assert np.all(np.abs(found - expected[large]) < 6 * np.sqrt(expected[large] / mine.n))
        else:
            assert set(grid.values) == set(law.texts)


def test_days_differ_by_as_much_as_was_asked_for():
    plan = Plan(2_000, 60, windows=1, noise=0.2, laws=(normal("x", 0.0, 1.0),))
    means = [part["x"].mean() for part in rows_of(plan, np.random.default_rng(SEED))]
    assert np.std(means) == pytest.approx(0.2, rel=0.3)


def test_a_field_changes_with_the_window_that_was_named():
    laws = (normal("x", 0.0, 1.0), normal("y", 0.0, 1.0))
    plan = Plan(2_000, 2, windows=4, laws=laws, changes={"x": Shift(1.0)}, since=2)
    parts = rows_of(plan, np.random.default_rng(SEED))
    assert [round(part["x"].mean()) for part in parts] == [0, 0, 0, 0, 1, 1]
    assert [round(part["y"].mean()) for part in parts] == [0] * 6


def test_the_same_seed_gives_the_same_stream():
    plan = Plan(500, 2, noise=0.1)
    first, again = (rows_of(plan, np.random.default_rng(SEED)) for _ in range(2))
    for part, other in zip(first, again, strict=True):
        for name, column in part.items():
            assert np.array_equal(column.astype(str), other[name].astype(str))


def test_too_few_rows_for_every_value_are_drawn_row_by_row():
    with pytest.raises(ValueError, match="cat_50 misses values"):
        counted(Plan(200, 1, laws=(law_of("cat_50"),)), np.random.default_rng(SEED))


def test_a_rate_says_how_many_runs_it_rests_on():
    assert str(Rate(0, 200)) == "0 % (0–1.9; 200)"
    assert str(Rate(20, 20)) == "100 % (84–100; 20)"


def test_runs_in_which_nothing_was_found_count_in_the_median():
    assert str(Delays((1, 1, 2), 4, 10)) == "1.5 (75 % within 10; 4)"
    assert str(Delays((1,), 4, 10)) == "not found within 10 in most (25 %; 4)"


def test_the_picture_says_what_it_shows_to_those_who_do_not_see_it():
    lines = [plot.Line("200 rows & few days", {"modelmon": Rate(1, 20)}, 0.05)]
    drawing = plot.svg("A < B", "one dot", "share", lines)
    root = ET.fromstring(drawing)  # noqa: S314  # our own text
    name = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{name}title").text == "A < B"
    assert root.find(f"{name}desc").text == "one dot"
    dots = [group.find(f"{name}title").text for group in root.iter(f"{name}g")]
    assert dots == ["modelmon, 200 rows & few days: 5.0 % (0.9–24; 20)"]
