import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.measures.crossing import MOST_CROSSED, OTHER_SMALL, fold, told_cells


def test_few_cells_stay_as_they_are():
    table = np.arange(5)
    folded = fold(["a", "b", "c"], table, 3)
    assert (folded.names, folded.small) == (["a", "b", "c"], ())
    assert folded.rows(table) is table


def test_the_smallest_cells_are_one_group_before_what_comes_after_the_cells():
    table = np.array([[50, 1], [2, 2], [40, 3], [2, 4], [0, 5], [7, 6], [8, 7]])
    folded = fold(["a", "b", "c", "d", "e"], table[:, 0], 4)
    assert folded.names == ["a", "b", "c", OTHER_SMALL]
    assert folded.small == ("d", "e")
    assert folded.rows(table).tolist() == [[50, 1], [2, 2], [40, 3], [2, 9], [7, 6], [8, 7]]


@given(
    rows=st.lists(st.integers(0, 9), min_size=1, max_size=3 * MOST_CROSSED),
    most=st.integers(1, MOST_CROSSED),
)
def test_nobody_is_lost_and_no_kept_cell_is_smaller_than_a_folded_one(rows, most):
    registered = np.array(rows)
    names = [str(place) for place in range(len(rows))]
    folded = fold(names, registered, most)
    assert folded.rows(registered).sum() == registered.sum()
    assert len(folded.names) == len(folded.rows(registered)) == min(len(rows), most)
    kept = [rows[int(name)] for name in folded.names if name != OTHER_SMALL]
    small = [rows[int(name)] for name in folded.small]
    assert len(kept) + len(small) == len(rows)
    if kept and small:
        assert min(kept) >= max(small)


@pytest.mark.parametrize("seed", range(3))
def test_which_cells_are_folded_depends_on_the_registered_baseline_only(seed):
    rng = np.random.default_rng(seed)
    names = [str(place) for place in range(80)]
    registered, window = rng.integers(0, 1000, 80), rng.integers(0, 1000, 80)
    folded = fold(names, registered, 50)
    now = dict(zip(folded.names, folded.rows(window).tolist(), strict=True))
    assert now[OTHER_SMALL] == sum(window[int(name)] for name in folded.small)


def test_cells_that_are_one_group_are_named_and_the_many_counted():
    assert told_cells(()) == ""
    assert told_cells(("a × x", "b × y")) == "2 cells together: a × x, b × y"
    many = told_cells([f"c{place}" for place in range(23)])
    assert many.startswith("23 cells together: c0, c1")
    assert many.endswith("c19 and 3 more")
