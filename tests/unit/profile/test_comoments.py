"""Sums over pairs, against sums taken slowly."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from monitor.domain.field import Field, FieldKind, FieldRole
from monitor.profile.comoments import (
    LARGEST,
    MOST_FIELDS,
    NOTHING,
    STEPS,
    CoMoments,
    normal_scores,
)
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder


def slowly(columns, rows):
    """Return the four tables by Python's whole numbers, pair by pair and row by row."""
    fields = len(columns)
    tables = np.zeros((4, fields, fields), dtype=object)
    for i, one in enumerate(columns):
        for j, other in enumerate(columns):
            if one is None or other is None:
                continue
            both = [
                (int(x), int(y))
                for x, y in zip(one[:rows], other[:rows], strict=True)
                if NOTHING not in {int(x), int(y)}
            ]
            tables[:, i, j] = (
                len(both),
                sum(x for x, _ in both),
                sum(x * x for x, _ in both),
                sum(x * y for x, y in both),
            )
    return tables.astype(np.int64)


def tables(moments):
    return np.array([moments.rows, moments.sums, moments.squares, moments.products])


def drawn(seed, rows, fields, gaps=()):
    rng = np.random.default_rng(seed)
    columns = [rng.integers(-LARGEST, LARGEST + 1, rows).astype(np.int8) for _ in range(fields)]
    for place in gaps:
        columns[place][rng.random(rows) < 0.3] = NOTHING
    return columns


def add(moments, columns, rows, blocks=1):
    """Add a batch whose fields were read by so many threads, each every so manieth of them."""
    there = [place for place, column in enumerate(columns) if column is not None]
    read = [part for part in (there[thread::blocks] for thread in range(blocks)) if part]
    stacked = [np.stack([columns[place] for place in part]) for part in read]
    moments.add(stacked, [place for part in read for place in part], rows)


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 257, 600])
@pytest.mark.parametrize("gaps", [(), (1,), (0, 1, 2)])
def test_sums_are_those_of_a_slow_definition(rows, gaps):
    columns = drawn(3, rows, 3, gaps)
    moments = CoMoments.empty(3)
    add(moments, columns, rows)
    assert (tables(moments) == slowly(columns, rows)).all()


@pytest.mark.parametrize("fields", [11, 12, 13, 29])
@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_every_pair_of_many_fields_has_its_own_sums_whoever_read_them(fields, blocks):
    columns = drawn(5, 40, fields, (0, 9, fields - 1))
    moments = CoMoments.empty(fields)
    add(moments, columns, 40, blocks)
    assert (tables(moments) == slowly(columns, 40)).all()


def test_a_field_without_a_column_is_in_no_pair():
    columns = [*drawn(4, 300, 2), None]
    moments = CoMoments.empty(3)
    add(moments, columns, 300)
    assert (tables(moments) == slowly(columns, 300)).all()
    assert moments.rows[2].tolist() == [0, 0, 0]


@pytest.mark.parametrize("fields", [1, 31, 64])
@pytest.mark.parametrize("gaps", [0, 64])
def test_the_largest_scores_add_up_exactly_for_any_number_of_fields(fields, gaps):
    rows = 10_000
    columns = [np.full(rows, LARGEST * (-1) ** place, np.int8) for place in range(fields)]
    for column in columns[:gaps]:
        column[::7] = NOTHING
    moments = CoMoments.empty(fields)
    add(moments, columns, rows)
    counted = int((columns[0] != NOTHING).sum())
    signs = np.array([(-1) ** place for place in range(fields)])
    assert (moments.rows == counted).all()
    assert (moments.squares == counted * LARGEST**2).all()
    assert (moments.products == counted * LARGEST**2 * np.outer(signs, signs)).all()
    assert (moments.sums == counted * LARGEST * signs[:, None]).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 5000), max_size=4), st.integers(0, 99))
def test_batches_do_not_matter(cuts, seed):
    rows = 5000
    columns = drawn(seed, rows, 4, (2,))
    whole, parts = CoMoments.empty(4), CoMoments.empty(4)
    add(whole, columns, rows)
    places = [0, *sorted(cuts), rows]
    for begin, end in pairwise(places):
        part = CoMoments.empty(4)
        add(part, [column[begin:end] for column in columns], end - begin)
        parts.merge(part)
    assert (tables(whole) == tables(parts)).all()


def test_normal_scores_are_quantiles_of_middle_ranks():
    rows = np.array([10, 0, 30, 40, 20])
    ranks = [0.05, 0.10, 0.25, 0.60, 0.90]
    expected = np.rint(norm.ppf(ranks) * STEPS)
    assert normal_scores(rows).tolist() == expected.tolist()


def test_normal_scores_have_a_variance_of_one_and_an_end():
    scores = normal_scores(np.full(240, 1000)).astype(float) / STEPS
    assert scores.mean() == pytest.approx(0, abs=1e-9)
    assert scores.var() == pytest.approx(1, abs=0.01)
    assert normal_scores(np.array([1, 10**9, 0, 0])).tolist()[::3] == [-LARGEST, LARGEST]


def test_normal_scores_of_no_rows_say_nothing():
    assert normal_scores(np.zeros(3, np.int64)).tolist() == [0, 0, 0]


def a_grid(names, score=""):
    fields = tuple(
        Field(
            name,
            name,
            FieldKind.NUMERIC,
            FieldRole.SCORE if name == score else FieldRole.FEATURE,
        )
        for name in names
    )
    draft = GridDraft(fields, {}, None, None)
    for place, name in enumerate(names):
        draft.add_field(name, pa.array(np.random.default_rng(place).normal(size=400)))
    return draft.grid()


def test_the_first_fields_of_a_policy_and_the_score_are_counted_in_pairs():
    names = [f"f{place}" for place in range(MOST_FIELDS + 3)]
    assert list(a_grid([*names, "score"], "score").scores) == [*names[: MOST_FIELDS - 1], "score"]
    assert list(a_grid(["score", *names], "score").scores) == ["score", *names[: MOST_FIELDS - 1]]
    assert list(a_grid(names).scores) == names[:MOST_FIELDS]


def test_a_field_that_is_alone_is_in_no_pair():
    grid = a_grid(["one"])
    assert not grid.scores
    builder = ProfileBuilder(grid)
    builder.add_field("one", pa.array([0.5, 2.0]), 2)
    builder.add_pairs([builder.take_scores()], 2)
    assert builder.profile.pairs.fields == 0


def test_a_row_has_the_score_of_its_cell_and_none_where_it_has_no_finite_number():
    grid = a_grid(["a", "b"])
    numbers = [0.0, None, np.inf, 1e300, np.nan, -np.inf, -1e300]
    builder = ProfileBuilder(grid)
    builder.add_rows(7, None, None)
    builder.add_field("a", pa.array(numbers, pa.float64(), from_pandas=False), 7)
    builder.add_field("b", pa.array(["text"] * 7), 7)
    scores = builder.take_scores()
    cell = int(np.searchsorted(grid.fields["a"].edges, 0.0, side="right"))
    middle, ends = int(grid.scores["a"][cell]), [int(grid.scores["a"][end]) for end in (-1, 0)]
    assert abs(middle) <= 4
    assert ends[0] == -ends[1] == round(norm.ppf(1 - 0.5 / 400) * STEPS)
    expected = [middle, NOTHING, NOTHING, ends[0], NOTHING, NOTHING, ends[1]]
    assert scores.names == ["a", "b"]
    assert scores.rows.tolist() == [expected, [NOTHING] * 7]
    assert builder.take_scores().names == []
