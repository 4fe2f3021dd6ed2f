"""Drift of embeddings, against scipy and numpy on the vectors themselves, and its promises."""

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace
from scipy import stats

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.measures.drift import embedding_covariance, embedding_mean
from monitor.measures.measure import EmbeddingPair, EmbeddingParts
from monitor.measures.projections import projection_moments
from monitor.profile.vectors import VectorCounts, VectorDraft, count_vectors, projections
from monitor.uncertainty.between import reach

pytestmark = pytest.mark.slow

DIMENSION = 24
MEASURES = [embedding_mean.measure, embedding_covariance.measure]


def column(vectors):
    return pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])


def counted(grid, vectors):
    counts = VectorCounts.empty()
    count_vectors(counts, grid, vectors if isinstance(vectors, pa.Array) else column(vectors))
    return counts


def pair_of(reference, current):
    draft = VectorDraft()
    draft.add(column(reference))
    grid = draft.grid()
    return EmbeddingPair("vector", "v", grid, counted(grid, reference), counted(grid, current))


def normal(rows, seed, shift=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(DIMENSION, DIMENSION)) / 5
    return shift + rng.normal(0, scale, (rows, DIMENSION)) @ (np.eye(DIMENSION) + mixing)


REFERENCE, CURRENT = normal(3000, 1), normal(700, 2, shift=0.05, scale=1.1)


def test_the_shift_is_that_of_the_projected_vectors():
    found = embedding_mean.measure(pair_of(REFERENCE, CURRENT))
    then, now = REFERENCE @ projections(DIMENSION), CURRENT @ projections(DIMENSION)
    sizes = np.abs(now.mean(axis=0) - then.mean(axis=0)) / then.std(axis=0, ddof=1)
    assert found.value == pytest.approx(sizes.max(), rel=1e-9)
    assert found.detail["projection"] == sizes.argmax()
    tests = stats.ttest_ind(now, then, equal_var=False)
    assert found.p_value == pytest.approx(min(64 * tests.pvalue.min(), 1), rel=1e-9)
    joint = stats.ttest_ind(now, then, equal_var=False).confidence_interval(1 - 0.05 / 64)
    sure = np.maximum(np.maximum(joint.low, -joint.high), 0) / then.std(axis=0, ddof=1)
    assert found.low == pytest.approx(sure.max(), rel=1e-9, abs=1e-12)
    assert (found.n, found.n_reference) == (700, 3000)


def test_the_change_of_covariance_is_that_of_the_projected_vectors():
    found = embedding_covariance.measure(pair_of(REFERENCE, CURRENT))
    then, now = REFERENCE @ projections(DIMENSION), CURRENT @ projections(DIMENSION)
    variances = np.abs(0.5 * np.log(now.var(axis=0, ddof=1) / then.var(axis=0, ddof=1)))
    upper = np.triu_indices(64, 1)
    correlations = np.abs(
        np.arctanh(np.corrcoef(now.T)[upper]) - np.arctanh(np.corrcoef(then.T)[upper])
    )
    assert found.detail["variances"] == pytest.approx(variances.max(), rel=1e-9)
    assert found.detail["correlations"] == pytest.approx(correlations.max(), rel=1e-9)
    assert found.value == max(found.detail["variances"], found.detail["correlations"])


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("rows", "heavy"), [(60, False), (400, False), (400, True)])
def test_where_nothing_changed_hardly_anything_is_sure(measure, rows, heavy):
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        size = (11 * rows, DIMENSION)
        drawn = rng.standard_t(5, size) if heavy else rng.normal(size=size)
        alarms += measure(pair_of(drawn[rows:], drawn[:rows])).low > 0
    assert alarms <= stats.binom.ppf(0.999, 40, 0.05)


def test_a_shift_of_all_vectors_is_found_and_has_the_size_that_is_promised():
    spread = np.sqrt(np.square(REFERENCE - REFERENCE.mean(axis=0)).sum(axis=1).mean())
    for length in (0.2, 0.5, 1.0):
        direction = np.random.default_rng(4).normal(size=DIMENSION)
        shifted = normal(2000, 3) + direction / np.linalg.norm(direction) * spread * length
        found = embedding_mean.measure(pair_of(REFERENCE, shifted))
        assert found.low > length
        assert found.value / length == pytest.approx(2.4, rel=0.35)


def test_a_turn_of_the_vectors_is_found_where_their_means_and_norms_stay():
    rng = np.random.default_rng(5)
    scales = np.linspace(0.2, 2, DIMENSION)
    then, now = (rng.normal(size=(2000, DIMENSION)) for _ in range(2))
    pair = pair_of(then * scales, now * scales[::-1])
    assert embedding_mean.measure(pair).low == 0
    assert embedding_covariance.measure(pair).low > 0.2


def test_a_spread_that_doubled_is_a_change_of_ln_2():
    found = embedding_covariance.measure(pair_of(normal(20_000, 6), normal(20_000, 7, scale=2)))
    assert found.detail["variances"] == pytest.approx(np.log(2), abs=0.03)


def test_one_broken_vector_alarms_nobody():
    broken = normal(1000, 8)
    broken[0] = 1e300
    for measure in MEASURES:
        found = measure(pair_of(REFERENCE, broken))
        assert found.low < 0.05


def test_rows_without_a_vector_are_told_by_reason():
    pair = pair_of(REFERENCE, CURRENT)
    strays = pa.array([None, None, [1.0], [float("nan")] * DIMENSION])
    pair.current.merge(counted(pair.grid, strays))
    pair.current.merge(counted(pair.grid, pa.array(["x"])))
    for measure in MEASURES:
        detail = measure(pair).detail
        assert [
            detail[name] for name in ("null", "not_vectors", "wrong_dimension", "not_finite")
        ] == [
            2,
            1,
            1,
            1,
        ]


@pytest.mark.parametrize("measure", MEASURES)
def test_without_vectors_there_is_a_reason(measure):
    usual = pair_of(REFERENCE, CURRENT)
    other_model = counted(usual.grid, np.ones((500, DIMENSION + 1)))
    nothing, gone = VectorCounts.empty(), VectorCounts.empty()
    gone.absent = 10
    few = counted(usual.grid, CURRENT[:5])
    cases = {
        (Absence.NO_DATA, "500 of another dimension"): replace(usual, current=other_model),
        (Absence.NO_DATA, "no rows"): replace(usual, current=nothing),
        (Absence.MISSING_COLUMN, "none of the 10 rows"): replace(usual, current=gone),
        (Absence.INSUFFICIENT_DATA, "5 of 5 rows"): replace(usual, current=few),
        (Absence.NO_BASELINE, "0 vectors"): replace(usual, reference=nothing),
        (Absence.UNDEFINED, "are the same"): pair_of(np.ones((50, 4)), CURRENT[:50, :4]),
    }
    for (reason, words), pair in cases.items():
        found = measure(pair)
        assert isinstance(found, Unmeasurable)
        assert found.reason is reason
        assert words in found.explanation


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_few_dimensions_have_projections_that_repeat_and_change_nothing(dimension):
    rng = np.random.default_rng(9)
    then, now = (rng.normal(size=(1000, dimension)) for _ in range(2))
    for measure in MEASURES:
        found = measure(pair_of(then, now))
        assert isinstance(found, Estimate)
        assert found.low == 0


def days(effect, seed, number=20, rows=400):
    """Return the counts of days, each of which shifts and stretches its vectors as it likes."""
    rng = np.random.default_rng(seed)
    drawn = [
        rng.normal(
            rng.normal(0, effect, DIMENSION), 1 + abs(rng.normal(0, effect)), (rows, DIMENSION)
        )
        for _ in range(number)
    ]
    draft = VectorDraft()
    draft.add(column(np.concatenate(drawn)))
    grid = draft.grid()
    parts = [counted(grid, day) for day in drawn]
    whole = VectorCounts.empty()
    for part in parts:
        whole.merge(part)
    return grid, whole, parts


@pytest.mark.parametrize("module", [embedding_mean, embedding_covariance])
def test_the_floor_is_what_restless_days_reach_and_nothing_where_days_agree(module):
    _, whole, parts = days(0.0, 1)
    quiet = reach(module.spread(EmbeddingParts(whole, tuple(parts))), (1e-3,))
    assert np.sqrt(quiet.max()) < 0.15
    grid, whole, parts = days(0.3, 2)
    restless = np.sqrt(reach(module.spread(EmbeddingParts(whole, tuple(parts))), (1e-3,)).max())
    seen = [
        module.measure(EmbeddingPair("v", "v", grid, whole.without(part), part)).value
        for part in parts
    ]
    assert max(seen) < restless < 6 * max(seen)


@pytest.mark.parametrize("module", [embedding_mean, embedding_covariance])
def test_the_squares_are_those_of_each_window_and_the_others(module):
    grid, whole, parts = days(0.1, 3, number=8)
    squares = module.spread(EmbeddingParts(whole, tuple(parts)))
    others = VectorCounts.empty()
    for part in parts[1:]:
        others.merge(part)
    found = module.measure(EmbeddingPair("v", "v", grid, others, parts[0]))
    unit = projection_moments(whole).variance / projection_moments(others).variance
    allowed = 0.01 if module is embedding_covariance else abs(unit - 1).max() + 1e-9
    assert np.sqrt(squares.observed[0].max()) == pytest.approx(found.value, rel=allowed)


@pytest.mark.parametrize("module", [embedding_mean, embedding_covariance])
def test_without_windows_to_compare_there_is_no_floor(module):
    grid, whole, _ = days(0.0, 4, number=2)
    nothing = VectorCounts.empty()
    assert module.spread(EmbeddingParts(whole, ())) is None
    assert module.spread(EmbeddingParts(whole, (whole, nothing, nothing))) is None
    assert module.spread(EmbeddingParts(nothing, (nothing,))) is None
    same = counted(grid, np.ones((100, DIMENSION)))
    half = counted(grid, np.ones((50, DIMENSION)))
    assert module.spread(EmbeddingParts(same, (half, half))) is None


@pytest.mark.parametrize("module", [embedding_mean, embedding_covariance])
def test_at_the_tolerance_the_test_rejects_at_most_at_its_level(module):
    size = 0.2
    rejected = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        then, now = rng.normal(size=(4000, DIMENSION)), rng.normal(size=(1000, DIMENSION))
        if module is embedding_mean:
            direction = projections(DIMENSION)[:, 0] * size
            now = now + direction
        else:
            now = now * np.exp(size)
        found = module.measure(pair_of(then, now))
        rejected += module.tail(found, size) <= 0.05
    assert rejected <= stats.binom.ppf(0.999, 40, 0.05)


@pytest.mark.parametrize("module", [embedding_mean, embedding_covariance])
def test_far_beyond_the_tolerance_the_test_is_sure(module):
    found = module.measure(pair_of(REFERENCE, normal(2000, 5, shift=1.0, scale=2)))
    assert module.tail(found, 0.2) < 1e-6
    assert module.tail(found, 100.0) == 1.0
