"""No small count can be worked out: by enumeration, by linear algebra, on linked tables."""

from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from monitor.engine.disclosure import SPREAD, Sum, suppressed


def linked(table):
    """Return counts and sums of a table of groups × decisions × windows with all margins."""
    counts, sums = {}, []
    places = [range(size) for size in table.shape]
    for keep in product((True, False), repeat=table.ndim):
        for at in product(
            *(axis if kept else [None] for axis, kept in zip(places, keep, strict=True))
        ):
            index = tuple(slice(None) if one is None else one for one in at)
            counts[at] = int(table[index].sum())
            for axis, kept in enumerate(keep):
                if not kept:
                    parts = tuple((*at[:axis], one, *at[axis + 1 :]) for one in places[axis])
                    sums.append(Sum(at, parts))
    return counts, sums


def system(counts, sums, hidden):
    """Return the equations that a reader has: rows over the hidden counts, and what they equal."""
    order = [cell for cell in counts if cell in hidden]
    rows, right = [], []
    for item in sums:
        row, known = np.zeros(len(order)), 0
        for cell, sign in ((item.total, 1), *((part, -1) for part in item.parts)):
            if cell in hidden:
                row[order.index(cell)] += sign
            else:
                known -= sign * counts[cell]
        rows.append(row)
        right.append(known)
    return order, np.array(rows), np.array(right)


TABLES = st.tuples(st.integers(2, 3), st.integers(2, 3), st.integers(1, 2)).flatmap(
    lambda shape: st.lists(
        st.one_of(st.integers(0, 12), st.integers(0, 60)),
        min_size=int(np.prod(shape)),
        max_size=int(np.prod(shape)),
    ).map(lambda cells: np.array(cells).reshape(shape))
)
FEW = settings(max_examples=12, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@FEW
@given(TABLES, st.sampled_from([5, 10]))
def test_no_hidden_count_is_determined_by_linear_algebra(table, below):
    counts, sums = linked(table)
    hidden = suppressed(counts, sums, below)
    assert hidden >= {cell for cell, count in counts.items() if 0 < count < below}
    if not hidden:
        return
    order, rows, _ = system(counts, sums, hidden)
    rank = np.linalg.matrix_rank(rows)
    for place in range(len(order)):
        unit = np.zeros((1, len(order)))
        unit[0, place] = 1.0
        assert np.linalg.matrix_rank(np.vstack([rows, unit])) == rank + 1


@pytest.mark.slow
@FEW
@given(TABLES, st.sampled_from([5, 10]))
def test_every_hidden_count_has_a_wide_interval(table, below):
    counts, sums = linked(table)
    hidden = suppressed(counts, sums, below)
    assume(hidden and len(hidden) < len(counts))
    order, rows, right = system(counts, sums, hidden)
    for place in range(len(order)):
        goal = np.zeros(len(order))
        goal[place] = 1.0
        low = linprog(goal, A_eq=rows, b_eq=right)
        high = linprog(-goal, A_eq=rows, b_eq=right)
        assert low.status == 0
        unbounded = high.status == 3
        least = SPREAD if counts[order[place]] else 1
        assert unbounded or -high.fun - low.fun >= least - 1e-6


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 9), min_size=6, max_size=6))
def test_every_hidden_count_has_many_whole_values_by_enumeration(cells):
    table = np.array(cells).reshape(2, 3)
    counts, sums = linked(table)
    below = 3
    hidden = suppressed(counts, sums, below)
    seen = {cell: set() for cell in hidden}
    top = int(table.sum()) + below
    inner = [(row, column) for row in range(2) for column in range(3)]
    spans = [range(top + 1) if at in hidden else [counts[at]] for at in inner]
    assume(np.prod([len(span) for span in spans]) < 20_000)
    for values in product(*spans):
        other, _ = linked(np.array(values).reshape(2, 3))
        if all(other[cell] == counts[cell] for cell in counts if cell not in hidden):
            for cell in hidden:
                seen[cell].add(other[cell])
    assert all(
        max(values) - min(values) >= (SPREAD if counts[cell] else 1)
        for cell, values in seen.items()
    )


def test_large_counts_are_all_shown():
    assert suppressed(*linked(np.full((3, 2, 2), 50)), 10) == frozenset()


def test_zeros_are_shown():
    assert suppressed(*linked(np.array([[[0]], [[50]]])), 10) == frozenset()


def test_one_small_count_takes_the_smallest_of_its_sum_with_it():
    counts = {"all": 203, "a": 3, "b": 80, "c": 120}
    hidden = suppressed(counts, [Sum("all", ("a", "b", "c"))], 10)
    assert hidden == {"a", "b"}


def test_two_small_counts_whose_sum_is_small_take_a_third():
    counts = {"all": 102, "a": 1, "b": 1, "c": 100}
    assert suppressed(counts, [Sum("all", ("a", "b", "c"))], 10) == {"a", "b", "c"}


def test_a_line_is_left_out_as_a_whole_but_for_zeros_that_are_plain():
    table = np.array([[3, 40, 0], [60, 70, 0], [50, 55, 0]])
    counts, sums = linked(table)
    hidden = suppressed(counts, sums, 10, units=lambda cell: cell[0])
    assert hidden == {(0, 0), (0, 1), (0, None), (2, 0), (2, 1), (2, None)}


def test_a_whole_that_is_smaller_than_may_be_shown_is_not_shown():
    counts = {"all": 4, "a": 1, "b": 3}
    assert suppressed(counts, [Sum("all", ("a", "b"))], 10) == {"all", "a", "b"}


def test_it_is_the_same_each_time():
    rng = np.random.default_rng(5)
    counts, sums = linked(rng.integers(0, 40, (4, 3, 3)))
    assert len({suppressed(counts, sums, 10) for _ in range(3)}) == 1


def test_a_count_that_is_shown_nowhere_protects_others():
    counts = {"all": 103, "a": 3, "rest": 100}
    sums = [Sum("all", ("a", "rest"))]
    assert suppressed(counts, sums, 10, never=["rest"]) == {"a"}


def test_sums_that_do_not_hold_are_refused():
    with pytest.raises(ValueError, match="not the sum"):
        suppressed({"all": 4, "a": 1, "b": 2}, [Sum("all", ("a", "b"))], 10)
