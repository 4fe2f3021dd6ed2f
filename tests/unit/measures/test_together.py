"""Measures of how fields move together: the numbers, and how often they are wrong."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace
from scipy.linalg import cholesky
from scipy.stats import binom, norm, poisson, rankdata

from monitor.alerts.findings import findings_of
from monitor.config.defaults import DEFAULT_LIMITS
from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Field, FieldKind
from monitor.domain.finding import Verdict
from monitor.domain.limit import Band
from monitor.domain.policy import FieldLimit, Policy, SourceSpec
from monitor.domain.reading import Reading, Subject
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.drift import correlation_change, reconstruction_error
from monitor.measures.measure import ProfilePair, ProfileParts
from monitor.measures.variability import floors
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.profile import Profile, merged

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))


def grid_of(table):
    fields = tuple(Field(name, name, FieldKind.NUMERIC) for name in table)
    draft = GridDraft(fields, {}, None, None)
    for name, values in table.items():
        draft.add_field(name, pa.array(values, from_pandas=True))
    return draft.grid()


def profile_of(grid, table):
    builder = ProfileBuilder(grid)
    rows = len(next(iter(table.values())))
    builder.add_rows(rows, None, None)
    for name in grid.fields:
        column = pa.array(table[name], from_pandas=True) if name in table else None
        builder.add_field(name, column, rows)
    builder.add_pairs([builder.take_scores()], rows)
    return builder.profile


def pair_of(reference, current, grid=None):
    grid = grid or grid_of(reference)
    return ProfilePair(grid, profile_of(grid, reference), profile_of(grid, current), WINDOW, 1.0)


def judged(result, learned=None):
    limit = DEFAULT_LIMITS["correlation_change"]
    policy = Policy(
        model="m",
        source=SourceSpec("log", "at"),
        fields=(),
        decision=None,
        label=None,
        attributes={},
        populations=(),
        schedule=Schedule(CalendarUnit.DAY),
        limits={"correlation_change": FieldLimit(limit)},
        band=Band(),
    )
    reading = Reading("correlation_change", Subject("m", "1"), result)
    (finding,) = findings_of([reading], policy, learned)
    return finding


def normal(rng, rows, correlation, fields):
    """Return normal fields of which the first two have a correlation."""
    matrix = np.eye(fields)
    matrix[0, 1] = matrix[1, 0] = correlation
    columns = rng.normal(size=(rows, fields)) @ cholesky(matrix)
    return {f"f{place}": columns[:, place] for place in range(fields)}


def shaped(table):
    """Give some fields other shapes: heavy, skewed, counts, rare, mostly zero, with gaps."""
    shapes = {
        2: lambda x: np.exp(2 * x),
        3: lambda x: x**5,
        4: lambda x: poisson.ppf(norm.cdf(x), 2.0),
        5: lambda x: (x > 1.5).astype(float),
        6: lambda x: (x > 0).astype(float),
        7: lambda x: np.where(x > 0.5, np.exp(x), 0.0),
        8: lambda x: (x > 2.2).astype(float),
        9: lambda x: np.where(np.abs(x) > 1.2, np.nan, x),
        10: lambda x: np.where(x > 2, 1e300, x),
    }
    return {
        name: shapes.get(place, lambda x: x)(values)
        for place, (name, values) in enumerate(table.items())
    }


def found(shape, correlation, seed, runs, rows=2000, fields=20):
    """Return how many windows have a finding, and how many name the first pair."""
    rng = np.random.default_rng(seed)
    reference = shape(normal(rng, 40_000, 0.0, fields))
    grid = grid_of(reference)
    then = profile_of(grid, reference)
    alarms = named = 0
    for _ in range(runs):
        now = profile_of(grid, shape(normal(rng, rows, correlation, fields)))
        result = correlation_change.measure(ProfilePair(grid, then, now, WINDOW, 20.0))
        alarms += judged(result).verdict is Verdict.WARNING
        named += result.note == "f0 × f1"
    return alarms, named


def scores_of(grid, table):
    """Return each row's normal score, NaN where it has no finite number: slowly, by the definition."""
    columns = []
    for name, scores in grid.scores.items():
        values = np.asarray(table[name], float)
        cells = np.searchsorted(grid.fields[name].edges, values, side="right")
        columns.append(
            np.where(np.isfinite(values), scores[cells.clip(max=len(scores) - 1)], np.nan)
        )
    return np.array(columns).T


def slow_correlation(one, other):
    both = np.isfinite(one) & np.isfinite(other)
    return np.corrcoef(one[both], other[both])[0, 1]


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(7)
    return shaped(normal(rng, 20_000, 0.5, 12)), shaped(normal(rng, 3000, 0.2, 12))


def test_the_change_is_that_of_correlations_over_complete_pairs(tables):
    pair = pair_of(*tables)
    result = correlation_change.measure(pair)
    assert result.note == "f0 × f1"
    then, now = (slow_correlation(*scores_of(pair.grid, table)[:, :2].T) for table in tables)
    assert result.then == pytest.approx(then, abs=1e-12)
    assert result.now == pytest.approx(now, abs=1e-12)
    assert result.value == pytest.approx(then - now, abs=1e-12)
    assert 0 < result.low < result.value < result.high < 2
    assert (result.n, result.n_reference) == (3000, 20_000)
    apart = (np.arctanh(now) - np.arctanh(then)) / np.sqrt(1 / 2997 + 1 / 19_997)
    assert result.p_value == pytest.approx(2 * norm.cdf(-abs(apart)), rel=1e-9)
    assert result.p_adjusted == pytest.approx(min(result.p_value * result.detail["pairs"], 1))


def test_a_field_with_gaps_is_correlated_over_the_rows_that_it_has(tables):
    two = [{name: table[name] for name in ("f0", "f9")} for table in tables]
    pair = pair_of(*two)
    result = correlation_change.measure(pair)
    now = scores_of(pair.grid, two[1])
    assert result.n == np.isfinite(now).all(axis=1).sum() < 3000
    assert result.now == pytest.approx(slow_correlation(*now.T), abs=1e-12)


def test_scores_by_cell_give_the_correlation_of_exact_normal_scores():
    rng = np.random.default_rng(8)
    table = normal(rng, 20_000, 0.6, 2)
    pair = pair_of(table, table)
    exact = np.corrcoef([norm.ppf((rankdata(x) - 0.5) / len(x)) for x in table.values()])[0, 1]
    assert correlation_change.measure(pair).then == pytest.approx(exact, abs=1e-3)


def test_neither_unit_nor_scale_nor_outliers_matter(tables):
    numbers = [{name: table[name] for name in ("f0", "f1")} for table in tables]
    plain = correlation_change.measure(pair_of(*numbers))
    curved = [{"f0": np.exp(3 * one["f0"]), "f1": one["f1"] * 1e-9} for one in numbers]
    assert correlation_change.measure(pair_of(*curved)).value == pytest.approx(
        plain.value, abs=5e-3
    )
    wild = {name: values.copy() for name, values in numbers[1].items()}
    wild["f0"][:3], wild["f1"][:3] = 1e300, (-1e300, np.inf, 1e300)
    moved = correlation_change.measure(pair_of(numbers[0], wild)).value
    assert moved == pytest.approx(plain.value, abs=0.02)


@pytest.mark.parametrize("shape", [lambda table: table, shaped])
def test_a_correlation_of_a_fifth_is_found_in_two_thousand_rows_and_named(shape):
    alarms, named = found(shape, 0.2, seed=1, runs=100)
    assert alarms >= 95
    assert named >= 95


@pytest.mark.parametrize("shape", [lambda table: table, shaped])
@pytest.mark.parametrize(("rows", "runs", "most"), [(300, 200, 20), (2000, 100, 5)])
def test_where_nothing_changed_hardly_anything_is_found(shape, rows, runs, most):
    # At 300 rows one in twenty is found by chance: 20 of 200 are three standard deviations more.
    alarms, _ = found(shape, 0.0, seed=2, runs=runs, rows=rows)
    assert alarms <= most


def test_a_change_that_is_certain_but_small_is_within_the_limit():
    rng = np.random.default_rng(9)
    pair = pair_of(normal(rng, 50_000, 0.5, 3), normal(rng, 50_000, 0.44, 3))
    result = correlation_change.measure(pair)
    assert result.p_adjusted < 1e-6
    finding = judged(result)
    assert finding.verdict is Verdict.OK
    assert finding.explanation.startswith("f0 × f1: 0.0")


def test_two_rare_events_are_not_compared_where_chance_decides():
    rng = np.random.default_rng(10)
    rare = [
        {name: (rng.random(rows) < 0.02).astype(float) for name in ("a", "b")}
        for rows in (200_000, 2000)
    ]
    result = correlation_change.measure(pair_of(*rare))
    assert isinstance(result, Unmeasurable)
    assert result.reason is Absence.INSUFFICIENT_DATA
    assert "none of the 1 pairs" in result.explanation


def test_a_column_that_is_gone_is_left_out_and_counted_as_such(tables):
    reference, current = tables
    pair = pair_of(reference, {name: current[name] for name in current if name != "f3"})
    result = correlation_change.measure(pair)
    everything = correlation_change.measure(pair_of(reference, current))
    assert result.detail["pairs"] + result.detail["left_out"] == sum(everything.detail.values())
    assert result.detail["left_out"] >= 5


def test_fields_that_never_vary_have_no_correlation():
    constant = {"a": np.ones(500), "b": np.arange(500.0)}
    for measure in (correlation_change.measure, reconstruction_error.measure):
        result = measure(pair_of(constant, constant))
        assert isinstance(result, Unmeasurable)
        assert result.reason in {Absence.NO_BASELINE, Absence.INSUFFICIENT_DATA}


def test_a_baseline_of_before_fields_were_counted_in_pairs_says_so(tables):
    grid = replace(grid_of(tables[0]), scores={})
    for measure in (correlation_change.MEASURE, reconstruction_error.MEASURE):
        assert measure.applies(grid)
        result = measure.measure(pair_of(*tables, grid))
        assert isinstance(result, Unmeasurable)
        assert result.reason is Absence.NO_BASELINE
        assert measure.spread(ProfileParts(grid, Profile.empty(grid), ())) is None


def days(rng, wandering, rows=1500):
    """Return the profiles of ten days in which the first correlation wanders so much."""
    tables = [normal(rng, rows, 0.3 + wandering * effect, 4) for effect in rng.uniform(-1, 1, 10)]
    grid = grid_of({name: np.concatenate([day[name] for day in tables]) for name in tables[0]})
    return grid, [profile_of(grid, day) for day in tables]


def test_a_baseline_whose_days_differ_tolerates_as_much_and_one_whose_days_agree_does_not():
    rng = np.random.default_rng(12)
    verdicts = []
    for wandering in (0.0, 0.35):
        grid, parts = days(rng, wandering)
        whole = merged(parts)
        learned = floors(["correlation_change", "reconstruction_error"], grid, whole, parts)
        floor = learned["correlation_change", ""]
        assert floor.windows == 10
        assert floor.warning < 0.1 if wandering == 0 else floor.warning > 0.3
        now = profile_of(grid, normal(rng, 1500, 0.55, 4))
        pair = ProfilePair(grid, whole, now, WINDOW, 10.0)
        verdicts.append(judged(correlation_change.measure(pair), learned).verdict)
    assert verdicts == [Verdict.WARNING, Verdict.OK]


def test_fields_that_are_the_same_in_every_window_neither_warn_nor_raise_what_is_tolerated():
    """Their correlation is 1 without any error: nothing is to be divided by it."""
    rng = np.random.default_rng(4)
    some = rng.integers(0, 2, 9000).astype(float)
    table = {"a": some, "b": rng.normal(size=9000), "twice": 2 * some, "less": -some}
    grid = grid_of(table)
    parts = [
        profile_of(grid, {name: column[day::9] for name, column in table.items()})
        for day in range(9)
    ]
    learned = floors(["correlation_change"], grid, merged(parts), parts)
    assert learned["correlation_change", ""].warning < 0.1
    result = correlation_change.measure(ProfilePair(grid, merged(parts), parts[0], WINDOW, 9.0))
    assert result.value < 0.1


def test_many_pairs_that_agree_do_not_raise_what_is_tolerated():
    rng = np.random.default_rng(15)
    tables = [normal(rng, 1000, 0.0, 16) for _ in range(10)]
    grid = grid_of({name: np.concatenate([day[name] for day in tables]) for name in tables[0]})
    parts = [profile_of(grid, day) for day in tables]
    learned = floors(["correlation_change"], grid, merged(parts), parts)
    assert learned["correlation_change", ""].warning < 0.05


def test_the_error_of_reconstruction_is_that_of_the_rows_one_by_one(tables):
    some = [{name: table[name] for name in table if name != "f9"} for table in tables]
    pair = pair_of(*some)
    result = reconstruction_error.measure(pair)
    then, now = (scores_of(pair.grid, table) for table in some)
    then[~np.isfinite(then)] = now[~np.isfinite(now)] = 0
    z_then, z_now = ((z - then.mean(axis=0)) / then.std(axis=0) for z in (then, now))
    _, sizes, directions = np.linalg.svd(z_then, full_matrices=False)
    kept = int(np.searchsorted(np.cumsum(sizes**2) / (sizes**2).sum(), 0.65)) + 1
    basis = directions[:kept].T
    errors = [((z - z @ basis @ basis.T) ** 2).sum(axis=1) for z in (z_then, z_now)]
    assert (result.detail["fields"], result.detail["components"]) == (11, kept)
    assert result.then == pytest.approx(errors[0].mean(), rel=1e-9)
    assert result.now == pytest.approx(errors[1].mean(), rel=1e-9)
    assert result.value == pytest.approx(errors[1].mean() / errors[0].mean() - 1, rel=1e-9)
    # Of the baseline, rows that the components were not taken from: row by row, in ten parts.
    folds, unseen = np.arange(len(z_then)) % 10, []
    for fold in range(10):
        _, _, others = np.linalg.svd(z_then[folds != fold], full_matrices=False)
        held = z_then[folds == fold]
        unseen.append(((held - held @ others[:kept].T @ others[:kept]) ** 2).sum(axis=1))
    excess = result.now / np.concatenate(unseen).mean() - 1
    assert result.detail["excess"] == pytest.approx(excess, abs=0.01)
    assert result.detail["excess"] < result.value
    assert result.low + result.high == pytest.approx(2 * result.detail["excess"])
    error = np.sqrt(errors[1].var() / 3000 + 3 * errors[0].var() / 20_000) / errors[0].mean()
    assert (result.high - result.low) / (2 * 1.96) == pytest.approx(error, rel=0.25)


def two_factors(rng, rows, fields):
    half = np.arange(fields) < fields // 2
    factors = np.where(half, *rng.normal(size=(2, rows, 1)))
    values = 0.7 * factors + np.sqrt(0.51) * rng.normal(size=(rows, fields))
    return {f"f{place}": values[:, place] for place in range(fields)}


@pytest.mark.parametrize(
    ("fields", "then", "now"), [(6, 300, 300), (6, 10_000, 1000), (20, 1000, 1000), (20, 300, 300)]
)
def test_where_nothing_changed_the_error_of_reconstruction_keeps_its_level(fields, then, now):
    """Without the correction for rows seen, 12 to 98 % of these windows rejected."""
    rng = np.random.default_rng(fields + then)
    rejected = 0
    for _ in range(100):
        tables = [two_factors(rng, rows, fields) for rows in (then, now)]
        result = reconstruction_error.measure(pair_of(*tables))
        rejected += reconstruction_error.MEASURE.tail(result, 0.0) <= 0.05
    assert rejected <= binom.ppf(0.99, 100, 0.05)


def test_at_its_limit_one_window_in_twenty_is_found_and_beyond_it_all():
    rng = np.random.default_rng(3)
    reference = two_factors(rng, 20_000, 8)
    grid = grid_of(reference)
    then = profile_of(grid, reference)

    def found(noise, tolerance, runs):
        results = []
        for _ in range(runs):
            table = two_factors(rng, 2000, 8)
            table = {name: x + noise * rng.normal(size=2000) for name, x in table.items()}
            pair = ProfilePair(grid, then, profile_of(grid, table), WINDOW, 10.0)
            results.append(reconstruction_error.measure(pair))
        tail = reconstruction_error.MEASURE.tail
        return results, sum(tail(item, tolerance) <= 0.05 for item in results)

    results, _ = found(0.3, 0.0, 20)
    limit = float(
        np.mean([item.detail["excess"] for item in results])
    )  # what this noise truly does
    assert limit > 0.1
    _, rejected = found(0.3, limit, 100)
    assert rejected <= binom.ppf(
        0.99, 100, 0.07
    )  # the limit itself is known to a fifth of an error
    assert found(0.6, limit, 10)[1] == 10


def test_a_baseline_of_fewer_rows_than_its_components_take_has_no_error():
    rng = np.random.default_rng(4)
    result = reconstruction_error.measure(
        pair_of(two_factors(rng, 199, 20), two_factors(rng, 500, 20))
    )
    assert result.reason is Absence.INSUFFICIENT_DATA
    assert "199 rows of the baseline" in result.explanation


def test_a_field_with_too_few_values_costs_the_others_nothing(tables):
    reference, current = tables
    sparse = current | {"f3": np.where(np.arange(3000) < 20, current["f3"], np.nan)}
    result = reconstruction_error.measure(pair_of(reference, sparse))
    assert result.detail["fields"] == 11


def test_components_that_leave_nothing_have_no_error():
    rng = np.random.default_rng(13)
    line = rng.normal(size=2000)
    twins = {"a": line, "b": line * 2}
    result = reconstruction_error.measure(pair_of(twins, twins))
    assert isinstance(result, Unmeasurable)
    assert result.reason is Absence.UNDEFINED
    assert correlation_change.measure(pair_of(twins, twins)).value == 0


def test_windows_of_the_same_kind_are_within_the_interval_nineteen_times_in_twenty():
    rng = np.random.default_rng(14)
    reference = normal(rng, 40_000, 0.5, 6)
    grid = grid_of(reference)
    then = profile_of(grid, reference)
    inside = 0
    for _ in range(200):
        now = profile_of(grid, normal(rng, 1000, 0.5, 6))
        result = reconstruction_error.measure(ProfilePair(grid, then, now, WINDOW, 40.0))
        inside += result.low <= 0 <= result.high
    assert inside >= 181


def test_a_field_that_comes_loose_is_found_in_every_window_and_shows_in_whichever_pair():
    """So what lasts is the change of some correlation, and not that of one pair."""
    rng = np.random.default_rng(12)

    def together(rows, loose):
        common = rng.normal(size=(rows, 1))
        columns = np.sqrt(0.3) * common + np.sqrt(0.7) * rng.normal(size=(rows, 20))
        if loose:
            columns[:, 0] = rng.normal(size=rows)
        return {f"f{place}": columns[:, place] for place in range(20)}

    reference = together(20_000, loose=False)
    grid = grid_of(reference)
    then, named = profile_of(grid, reference), []
    for _ in range(6):
        now = profile_of(grid, together(2000, loose=True))
        result = correlation_change.measure(ProfilePair(grid, then, now, WINDOW, 10.0))
        assert judged(result).verdict is Verdict.WARNING
        named.append(result.note)
    assert all(pair.startswith("f0 ") for pair in named)
    assert len(set(named)) > 2
