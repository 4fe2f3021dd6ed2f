"""What is counted of embeddings."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from monitor.profile import vectors
from monitor.profile.grid import VectorGrid
from monitor.profile.vectors import (
    CLIP,
    PROJECTIONS,
    VectorCounts,
    VectorDraft,
    count_vectors,
    projections,
)

ROWS, DIMENSION = 200, 12
NUMBERS = np.random.default_rng(5).normal(3, 2, (ROWS, DIMENSION))
PLAIN = VectorGrid(DIMENSION, np.zeros(PROJECTIONS), np.full(PROJECTIONS, 10.0))


def counted(column, grid=PLAIN):
    counts = VectorCounts.empty()
    norms = count_vectors(counts, grid, column)
    return counts, norms


def test_directions_have_length_one_and_are_nearly_orthogonal():
    many = projections(1536)
    assert many.shape == (1536, PROJECTIONS)
    assert np.square(many).sum(axis=0) == pytest.approx(1)
    between = (many.T @ many)[np.triu_indices(PROJECTIONS, 1)]
    assert np.abs(between).max() < 5 / np.sqrt(1536)
    assert between.std() == pytest.approx(1 / np.sqrt(1536), rel=0.1)


def test_directions_are_the_same_on_every_machine():
    signs = (projections(4) > 0).astype(int)
    assert ["".join(map(str, row)) for row in signs[:, :16]] == SIGNS_OF_FOUR


SIGNS_OF_FOUR = [
    "1011001101000100",
    "1001011001011110",
    "1111100111011000",
    "0001010001110001",
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "column",
    [
        pa.array(NUMBERS.tolist()),
        pa.array(NUMBERS.tolist(), pa.large_list(pa.float64())),
        pa.array(NUMBERS.tolist(), pa.list_(pa.float64(), DIMENSION)),
        pa.chunked_array([NUMBERS[:7].tolist(), [], NUMBERS[7:].tolist()], pa.list_(pa.float64())),
        pa.array([*NUMBERS.tolist(), *NUMBERS.tolist()]).slice(ROWS),
        pa.array([[1.0] * DIMENSION, *NUMBERS.tolist()], pa.list_(pa.float64(), DIMENSION)).slice(
            1
        ),
    ],
)
@pytest.mark.parametrize("block", [1, 100, 1 << 20])
def test_sums_and_norms_equal_their_definition(monkeypatch, column, block):
    monkeypatch.setattr(vectors, "BLOCK_VALUES", block)
    counts, norms = counted(column)
    standard = NUMBERS @ projections(DIMENSION) / 10
    assert (counts.n, counts.rows, counts.clipped) == (ROWS, ROWS, 0)
    assert norms == pytest.approx(np.linalg.norm(NUMBERS, axis=1), rel=2**-14)
    assert counts.sums == pytest.approx(standard.sum(axis=0), rel=1e-12, abs=1e-12)
    assert counts.products == pytest.approx(standard.T @ standard, rel=1e-12, abs=1e-12)
    assert counts.cubes == pytest.approx((standard**3).sum(axis=0), rel=1e-10, abs=1e-12)
    assert counts.fourths == pytest.approx((standard**4).sum(axis=0), rel=1e-12)


@pytest.mark.parametrize("kind", [pa.float32(), pa.float16(), pa.int8(), pa.uint64()])
def test_vectors_of_other_numbers_are_vectors(kind):
    whole = np.abs(NUMBERS.round())
    one, _ = counted(pa.array(whole.tolist()))
    other, _ = counted(pa.array(whole.tolist()).cast(pa.list_(kind)))
    assert other.n == ROWS
    assert other.sums == pytest.approx(one.sums, rel=1e-12)


def test_every_row_is_counted_once_by_what_is_wrong_with_it():
    good = [1.0] * DIMENSION
    column = pa.array(
        [
            good,
            None,
            [],
            [1.0] * (DIMENSION + 1),
            [*good[1:], None],
            [*good[1:], float("nan")],
            [*good[1:], float("-inf")],
            good,
        ]
    )
    counts, norms = counted(column)
    assert (counts.n, counts.null, counts.wrong_dimension, counts.not_finite) == (2, 1, 2, 3)
    assert (counts.invalid, counts.rows) == (5, 8)
    assert np.isnan(norms).tolist() == [False, *[True] * 6, False]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["[1, 2]", None]),
        pa.array([1.5, None]),
        pa.array([["1"], None]),
        pa.array([[True], None]),
        pa.array([[Decimal(1)], None]),
        pa.array([[[1.0]], None]),
        pa.array([{"a": 1.0}, None]),
        pa.array(["a", None]).dictionary_encode(),
    ],
)
def test_what_is_no_list_of_numbers_is_invalid(column):
    counts, norms = counted(column)
    assert (counts.not_vectors, counts.null, counts.n) == (1, 1, 0)
    assert np.isnan(norms).all() and len(norms) == 2


@pytest.mark.parametrize("column", [pa.nulls(3), pa.nulls(3, pa.list_(pa.float32(), 4))])
def test_nulls_are_null(column):
    counts, _ = counted(column)
    assert (counts.null, counts.rows) == (3, 3)


def test_no_rows_count_nothing():
    for column in (
        pa.array([], pa.list_(pa.float64())),
        pa.chunked_array([], pa.list_(pa.float64())),
    ):
        counts, norms = counted(column)
        assert (counts.rows, len(norms)) == (0, 0)


def test_huge_vectors_neither_overflow_nor_move_the_mean_by_more_than_the_cut():
    huge = [1.7e308] * DIMENSION
    counts, norms = counted(pa.array([*NUMBERS.tolist(), huge, [-1.7e308, *huge[1:]]]))
    usual, _ = counted(pa.array(NUMBERS.tolist()))
    assert np.isfinite(counts.products).all()
    assert np.abs(counts.sums - usual.sums).max() <= 2 * CLIP + 1e-9
    assert 0 < counts.clipped <= 2 * PROJECTIONS
    assert np.isinf(norms[-1])


def test_vectors_of_length_one_have_one_norm():
    unit = NUMBERS / np.linalg.norm(NUMBERS, axis=1, keepdims=True)
    _, norms = counted(pa.array(unit.astype(np.float32).tolist(), pa.list_(pa.float32())))
    assert set(norms.tolist()) == {1.0}
    _, zero = counted(pa.array([[0.0] * DIMENSION]))
    assert zero.tolist() == [0.0]


def test_merged_counts_are_those_of_all_rows():
    whole, _ = counted(pa.array([*NUMBERS.tolist(), None, [1.0]]))
    parts, _ = counted(pa.array(NUMBERS[:30].tolist()))
    parts.merge(counted(pa.array([*NUMBERS[30:].tolist(), None]))[0])
    parts.merge(counted(pa.array(["x"]))[0])
    parts.merge(counted(pa.array([[1.0]]))[0])
    assert (parts.n, parts.null, parts.wrong_dimension, parts.not_vectors) == (ROWS, 1, 1, 1)
    assert parts.sums == pytest.approx(whole.sums, rel=1e-12, abs=1e-12)
    assert parts.products == pytest.approx(whole.products, rel=1e-12, abs=1e-12)


def test_a_draft_takes_the_dimension_that_most_vectors_have():
    draft = VectorDraft()
    draft.add(pa.array([[1.0]] * 3 + NUMBERS.tolist() + [None, [], [float("nan")] * DIMENSION]))
    draft.add(pa.array(["no vector"]))
    grid = draft.grid()
    assert grid.dimension == DIMENSION
    projected = NUMBERS @ projections(DIMENSION)
    assert grid.center == pytest.approx(np.quantile(projected, 0.5, axis=0, method="inverted_cdf"))
    assert grid.scale == pytest.approx(projected.std(axis=0), rel=0.5)
    assert len(draft.norms()) == ROWS


@pytest.mark.parametrize(
    "column",
    [
        pa.array([None], pa.list_(pa.float64())),
        pa.array([[]], pa.list_(pa.float64())),
        pa.array(["a"]),
        pa.array([[float("nan")]]),
    ],
)
def test_a_baseline_without_vectors_has_no_dimension_and_no_vector_fits_it(column):
    draft = VectorDraft()
    draft.add(column)
    grid = draft.grid()
    assert (grid.dimension, len(draft.norms())) == (0, 0)
    counts, _ = counted(pa.array([[1.0, 2.0]]), grid)
    assert (counts.n, counts.wrong_dimension) == (0, 1)


def test_scales_are_positive_for_any_sample():
    for column in ([[5.0, 5.0]] * 4, [[1.7e308, -1.7e308]] * 2 + [[-1.7e308, 1.7e308]] * 2):
        draft = VectorDraft()
        draft.add(pa.array(column))
        grid = draft.grid()
        assert (grid.scale > 0).all() and np.isfinite(grid.scale).all()
        assert np.isfinite(grid.center).all()


def test_many_dimensions_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(vectors, "TRACKED_DIMENSIONS", 2)
    draft = VectorDraft()
    draft.add(pa.array([[1.0] * size for size in range(1, 9)]))
    assert draft.grid().dimension in {1, 2}
