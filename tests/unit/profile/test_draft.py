import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.field import Attribute, Field, FieldKind, FieldRole
from monitor.profile import draft
from monitor.profile.counts import NumericCounts
from monitor.profile.draft import GridDraft, attribute_grid, is_coarse, numeric_grid
from monitor.profile.grid import Grid
from monitor.profile.kernel import count_numbers
from monitor.profile.profile import Profile, merged

LARGEST = 1.7976931348623157e308


def cells_of(grid, data):
    counts = NumericCounts.empty(grid)
    count_numbers(counts, grid, pa.array(np.asarray(data, float)))
    return counts.cells


@pytest.mark.parametrize(
    "sample",
    [
        [],
        [0.0],
        [-0.0, 0.0],
        [5.0] * 50,
        [LARGEST],
        [-LARGEST, LARGEST],
        [5e-324],
        [5e-324 * step for step in range(400)],
        [1.7e305 * step for step in range(-1000, 1000)],
        [LARGEST] * 300 + [float(step) for step in range(300)],
        np.random.default_rng(0).pareto(1.2, 3000),
        np.random.default_rng(0).normal(1e15, 1e-3, 3000),
    ],
)
def test_edges_are_finite_and_rise_for_any_sample(sample):
    grid = numeric_grid(np.array(sample, float))
    assert np.isfinite(grid.edges).all()
    assert (grid.edges[1:] > grid.edges[:-1]).all()
    assert len(grid.atoms) == grid.cells
    assert np.isfinite([grid.center, grid.scale]).all() and grid.scale > 0
    assert cells_of(grid, sample).sum() == len(sample)


def coarse(sample, *parts):
    grid = numeric_grid(np.array(sample, float))
    whole = Grid({"x": grid}, {"x": "x"}, frozenset(), (), None, None)
    profiles = [Profile.empty(whole) for _ in parts]
    for profile, part in zip(profiles, parts, strict=True):
        count_numbers(profile.fields["x"], grid, pa.array(np.asarray(part, float)))
    return is_coarse(whole, merged(profiles))


@pytest.mark.slow
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40),
    st.integers(1, 400),
    st.integers(0, 2**32 - 1),
)
def test_a_grid_of_all_rows_is_never_coarse(values, repeats, seed):
    random = np.random.default_rng(seed)
    values = np.concatenate([np.repeat(values, repeats), random.normal(size=repeats)])
    assert not coarse(values, values[:7], values[7:])


def test_a_sample_that_is_like_the_rest_is_not_coarse():
    numbers = np.random.default_rng(3).pareto(1.2, 200_000)
    assert not coarse(numbers[::20], numbers[:90_000], numbers[90_000:])


@pytest.mark.parametrize("share", [0.03, 0.5])
def test_a_sample_without_a_stretch_of_the_values_is_coarse(share):
    numbers = np.linspace(0, 1, 10_000)
    assert coarse(numbers[(numbers < 0.3) | (numbers > 0.3 + share)], numbers)
    assert coarse([], numbers)


def test_a_value_told_apart_that_a_sample_did_not_show_is_coarse_when_it_is_no_rarity():
    few, rare = np.repeat([0.0, 1.0, 2.0], 1000), np.full(5, 3.0)
    assert not coarse(few, few, rare)
    assert coarse(few, few, np.full(10, 3.0))


def test_few_distinct_values_have_a_cell_each():
    sample = np.repeat(np.arange(200.0), 3)
    grid = numeric_grid(sample)
    cells = cells_of(grid, sample)
    assert sorted(cells[cells > 0]) == [3] * 200
    assert grid.atoms.sum() == 200
    assert not cells_of(grid, [0.5, 198.5])[grid.atoms].any()


def test_a_frequent_value_among_many_is_an_atom():
    sample = np.concatenate([np.random.default_rng(1).normal(size=4000), np.full(1000, 0.25)])
    grid = numeric_grid(sample)
    cells = cells_of(grid, sample)
    assert cells[grid.atoms].tolist() == [1000]


@pytest.mark.parametrize("ties", [False, True])
def test_deciles_are_unions_of_cells(ties):
    rng = np.random.default_rng(2)
    sample = rng.normal(size=5000)
    if ties:
        sample = np.round(sample, 2)
    grid = numeric_grid(sample)
    assert len(np.unique(sample)) > draft.EXACT_VALUES
    deciles = np.unique(np.quantile(sample, np.arange(1, 10) / 10, method="inverted_cdf"))
    cells = cells_of(grid, sample)
    below = np.concatenate([[0], np.cumsum(cells)])
    for decile in deciles:
        # rows up to and including the decile: (low, high] bins, as numpy's and Evidently's
        place = np.searchsorted(grid.edges, np.nextafter(decile, np.inf))
        assert grid.edges[place] == np.nextafter(decile, np.inf)
        assert below[place + 1] == (sample <= decile).sum()


def test_the_result_does_not_depend_on_the_order_of_the_sample():
    sample = np.random.default_rng(3).standard_cauchy(4000)
    one, other = numeric_grid(sample), numeric_grid(np.sort(sample)[::-1])
    assert one.edges.tolist() == other.edges.tolist()
    assert (one.center, one.scale) == (other.center, other.scale)


@pytest.mark.parametrize(
    ("sample", "scale"),
    [([1.0, 1.0, 1.0, 3.0], np.std([1, 1, 1, 3])), ([4.0] * 9, 4.0), ([0.0] * 9, 1.0)],
)
def test_the_scale_falls_back_until_it_is_positive(sample, scale):
    assert numeric_grid(np.array(sample)).scale == pytest.approx(scale)


def test_discrete_means_few_values_in_many_rows():
    assert numeric_grid(np.repeat(np.arange(20.0), 10)).discrete
    assert not numeric_grid(np.arange(20.0)).discrete
    assert not numeric_grid(np.repeat(np.arange(21.0), 10)).discrete


def test_zeros_and_a_few_values_that_never_repeat_are_not_discrete():
    few = np.random.default_rng(1).lognormal(size=15)
    assert not numeric_grid(np.concatenate([np.zeros(185), few])).discrete
    assert numeric_grid(np.concatenate([np.zeros(185), np.repeat(few, 2)])).discrete


def test_a_draft_freezes_fields_groups_and_the_score():
    fields = (
        Field("x", "col x", FieldKind.NUMERIC),
        Field("b", "b", FieldKind.BOOLEAN),
        Field("s", "s", FieldKind.NUMERIC, FieldRole.SCORE),
    )
    drafted = GridDraft(fields, {"sex": Attribute("sex", "sex")}, None, None)
    drafted.add_field("x", pa.array([1.0, None, float("inf"), float("nan")]))
    drafted.add_field("x", None)
    drafted.add_field("b", pa.array([1, 0, 1, 7]))
    drafted.add_attribute("sex", pa.array(["m", "f", None]))
    drafted.add_attribute("sex", None)
    grid = drafted.grid()
    assert grid.columns == {"x": "col x", "b": "b", "s": "s"}
    assert grid.fields["x"].center == 1.0
    assert grid.fields["b"].values == ("true", "false")
    assert grid.fields["s"].cells == 1
    assert (grid.booleans, grid.score) == ({"b"}, "s")
    assert grid.attributes[0].groups == ("f", "m")
    assert len(grid.digest) == 64


def test_groups_of_bins_are_named_as_people_say_them():
    grid = attribute_grid(Attribute("age", "age", bins=(16.0, 17.0, 25.0, 64.5)), {})
    assert grid.groups == ("<16", "16", "17-24", "[25, 64.5)", "64.5+")


@pytest.mark.parametrize(
    ("found", "groups"),
    [
        ({"": 3, "f": 5, "m": 4}, ("(empty)", "f", "m")),
        ({"": 3, "(empty)": 5}, ("((empty))", "(empty)")),
        ({"": 3, "(empty)": 5, "((empty))": 1}, ("(((empty)))", "((empty))", "(empty)")),
        ({"(declined)": 3, "f": 5}, ("((declined))", "f")),
        ({"(declined)": 3, "((declined))": 5}, ("((declined))", "(((declined)))")),
        ({"a × b": 3, "a×b": 5, "× b": 1, "a ×": 1}, ("a×", "(a×b)", "a×b", "×b")),
        ({"a× b": 3, "×": 5, "  ×": 1}, ("(×)", "a× b", "×")),
        ({"f": 5, "m": 4}, ("f", "m")),
    ],
)
def test_no_group_is_called_like_another_or_like_something_else(found, groups):
    grid = attribute_grid(Attribute("sex", "sex"), found)
    assert grid.groups == groups
    assert grid.values == {text: code for code, text in enumerate(sorted(found))}


def test_declared_groups_keep_their_order_and_share_codes():
    attribute = Attribute("race", "race", {"1": "white", "2": "other", "3": "other"})
    grid = attribute_grid(attribute, {"9": 5})
    assert grid.groups == ("white", "other")
    assert grid.values == {"1": 0, "2": 1, "3": 1}
    assert (grid.unknown, grid.unmapped, grid.size) == (2, 3, 4)
