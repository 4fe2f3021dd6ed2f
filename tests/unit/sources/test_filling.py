"""How the columns of a file are divided among threads."""

import numpy as np
import pytest

from monitor.domain.field import Decision
from monitor.profile.draft import numeric_grid
from monitor.profile.grid import CategoricalGrid, Grid
from monitor.sources.filling import Builders


def grid(numeric, categorical, paired=0):
    numbers = {f"n{place}": numeric_grid(np.arange(9.0)) for place in range(numeric)}
    words = {f"c{place}": CategoricalGrid(("a",)) for place in range(categorical)}
    fields = {**numbers, **words}
    return Grid(
        fields=fields,
        columns={name: name for name in fields},
        booleans=frozenset(),
        attributes=(),
        decision=Decision("approved", ("1",)),
        label=None,
        score="",
        scores={name: np.zeros(1, np.int8) for name in list(numbers)[:paired]},
    )


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_every_column_is_one_threads_and_in_its_order(threads):
    builders = Builders({"1": grid(5, 6), "2": grid(3, 8)})
    shares = builders.shares(threads)
    assert len(shares) == threads
    assert sorted(column for share in shares for column in share) == sorted(builders.columns)
    for share in shares:
        assert share == [column for column in builders.columns if column in share]


def test_who_counts_pairs_and_outcomes_has_fewer_columns():
    alone, paired = grid(30, 10), grid(30, 10, paired=30)
    first, second = Builders({"1": alone}).shares(2)
    assert abs(cost(first) + 1 - cost(second)) <= 1  # its one outcome costs as much as a column
    first, second = Builders({"1": paired}).shares(2)
    assert cost(second) - cost(first) == pytest.approx(30**2 / 250 + 1, abs=1)


def cost(columns):
    return sum(1.0 if column.startswith("n") else 0.5 for column in columns)


def test_pairs_that_cost_more_than_all_columns_leave_these_to_the_others():
    first, second, third = Builders({"1": grid(6, 0, paired=6)}).shares(3)
    assert len(first) <= min(len(second), len(third))
    few = Builders({"1": grid(60, 0, paired=60)}).shares(3)
    assert len(few[0]) < len(few[1])
