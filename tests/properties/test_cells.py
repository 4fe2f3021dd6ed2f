"""The table finds the cell that a search finds, whatever the edges and the numbers are."""

import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.profile.cells import CellTable, Room
from monitor.profile.draft import numeric_grid

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)
SOME = settings(max_examples=200, deadline=None, derandomize=True)


def near(values):
    """Return numbers with their neighbours: where a table could be off by one."""
    values = np.asarray(values, float)
    with np.errstate(over="ignore"):
        every = [values, np.nextafter(values, np.inf), np.nextafter(values, -np.inf), -values]
    found = np.concatenate(every)
    return found[np.isfinite(found)]


def few_near_edges(numbers):
    """Return so many numbers beside those given that these are few."""
    return np.concatenate([numbers, np.full(9 * len(numbers), 1.79e308)])


def searched(edges, numbers):
    return np.searchsorted(edges, numbers, side="right").tolist()


@SOME
@given(
    edges=st.lists(NUMBERS | SINGLES, min_size=1, max_size=40),
    numbers=st.lists(NUMBERS | SINGLES, max_size=40),
    center=NUMBERS,
    scale=st.floats(5e-324, 1.7e308),
    comparisons=st.integers(0, 3),
)
@example([0.0], [-0.0, 0.0], 0.0, 1.0, 1)
@example([0.0], [-0.0, -5e-324, 5e-324], -0.0, 1.0, 1)
@example([1e308], [1.7e308, -1.7e308], -1.7e308, 1e-300, 1)
@example([5.0, 5.000000000000001], [5.0], 5.0, 1.0, 0)
@example([1e6 + place for place in range(40)], [1e6 + 7.5], 0.0, 1.0, 2)
def test_any_edges_and_any_numbers(edges, numbers, center, scale, comparisons):
    edges = np.unique(np.array(edges) + 0.0)
    numbers = near([*numbers, *edges, center])
    cells, standard = CellTable(edges, center, scale, comparisons).cells(numbers)
    assert cells.tolist() == searched(edges, numbers)
    few = few_near_edges(numbers)
    found, _ = CellTable(edges, center, scale, comparisons).cells(few)
    assert found.tolist() == searched(edges, few)
    with np.errstate(over="ignore"):
        assert standard.tolist() == ((numbers - center) / scale).tolist()


@SOME
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["normal", "cauchy", "poisson", "rounded", "clusters", "far", "constant"]),
    moved=st.sampled_from([0.0, 0.5, -1e9, 1e300]),
)
def test_the_grid_of_any_field(seed, kind, moved):
    rng = np.random.default_rng(seed)
    sample = {
        "normal": lambda: rng.normal(50, 7, 3000),
        "cauchy": lambda: rng.standard_cauchy(3000),
        "poisson": lambda: rng.poisson(rng.gamma(2, 3, 3000)).astype(float),
        "rounded": lambda: np.round(rng.normal(0, 3, 3000), 1),
        "clusters": lambda: np.where(rng.random(3000) < 0.7, 0, 1e6) + rng.normal(0, 1, 3000),
        "far": lambda: rng.normal(1e12, 1e-3, 3000),
        "constant": lambda: np.full(3000, rng.normal()),
    }[kind]()
    grid = numeric_grid(sample)
    numbers = np.concatenate([near(grid.edges), sample, sample + moved])
    cells, _ = grid.table.cells(numbers)
    assert cells.tolist() == searched(grid.edges, numbers)
    few = few_near_edges(numbers)
    assert grid.table.cells(few)[0].tolist() == searched(grid.edges, few)


def test_room_is_used_again():
    rng, room, table = np.random.default_rng(3), Room(), numeric_grid(np.arange(1000.0)).table
    for rows in (10, 1000, 0, 500):
        numbers = rng.normal(500, 400, rows)
        cells, standard = table.cells(numbers, room)
        wanted = table.cells(numbers)
        assert cells.tolist() == wanted[0].tolist()
        assert standard.tolist() == wanted[1].tolist()
    assert room.rows == 1000


def test_a_grid_without_edges_has_one_cell():
    cells, _ = numeric_grid(np.zeros(0)).table.cells(np.array([-1.0, 0.0, 1e300]))
    assert cells.tolist() == [0, 0, 0]


def test_a_grid_travels_without_its_table():
    grid = numeric_grid(np.arange(1000.0))
    small = pickle.dumps(grid)
    grid.table.cells(np.zeros(1))
    assert pickle.dumps(grid) == small
    assert pickle.loads(small).edges.tolist() == grid.edges.tolist()  # noqa: S301  # our own


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_no_numbers_have_no_cells(rows):
    cells, standard = numeric_grid(np.arange(1000.0)).table.cells(np.zeros(rows))
    assert (len(cells), len(standard)) == (rows, rows)
