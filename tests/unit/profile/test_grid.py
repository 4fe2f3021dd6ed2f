import pickle

import numpy as np

from monitor.profile.grid import CategoricalGrid, Grid, NumericGrid


def test_a_grid_without_edges_has_one_cell():
    assert NumericGrid(np.zeros(0), np.zeros(1, np.bool_), 0.0, 1.0, discrete=False).cells == 1


def test_values_have_codes_in_their_order():
    assert CategoricalGrid(("b", "a")).codes == {"b": 0, "a": 1}


def test_a_grid_travels_to_other_processes():
    grid = Grid({"c": CategoricalGrid(("a",))}, {"c": "c"}, frozenset(), (), None, None, "", "d")
    there = pickle.loads(pickle.dumps(grid))  # noqa: S301  # our own bytes
    assert (there.fields["c"].values, there.digest) == (("a",), "d")
