import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitor.uncertainty.outside import beyond_range


@pytest.mark.parametrize(
    ("outside", "rows", "reference"),
    [(1, 50, 50), (9, 1000, 200), (400, 10_000, 200), (30, 500, 30), (3, 2000, 20_000)],
)
def test_without_a_tolerance_it_is_the_law_of_the_next_rows_outside(outside, rows, reference):
    exact = stats.betabinom.sf(outside - 1, rows, 2, reference - 1)
    assert beyond_range(outside, rows, reference, 0.0) == pytest.approx(exact, rel=2e-3, abs=1e-12)


def test_of_a_large_sample_it_is_the_binomial_test_of_the_tolerance():
    exact = stats.binom.sf(24, 1000, 0.01)
    assert beyond_range(25, 1000, 10**8, 0.01) == pytest.approx(exact, rel=1e-3)


@given(st.integers(1, 500), st.integers(2, 10**6), st.floats(0, 0.5), st.integers(500, 10**6))
def test_more_outside_is_never_less_surprising_and_more_tolerance_never_more(
    outside, reference, tolerance, rows
):
    p = beyond_range(outside, rows, reference, tolerance)
    assert 0.0 <= p <= 1.0 + 1e-12
    assert beyond_range(outside - 1, rows, reference, tolerance) >= p * (1 - 1e-9)
    assert beyond_range(outside, rows, reference, tolerance + 0.1) >= p * (1 - 1e-9)


def test_nothing_outside_and_a_range_of_one_row_say_nothing():
    assert beyond_range(0, 100, 100, 0.0) == 1.0
    assert beyond_range(100, 100, 1, 0.0) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.05, 0.001])
def test_the_range_of_a_small_sample_is_left_no_oftener_than_the_level(level):
    rng = np.random.default_rng(20_261_122)
    runs = 4000
    shares = rng.beta(2, 199, runs)  # outside the range of 200 rows
    outside = rng.binomial(10_000, shares)
    rejected = sum(beyond_range(int(k), 10_000, 200, 0.0) < level for k in outside)
    assert rejected <= stats.binom.isf(1e-4, runs, level)
    if level > 0.01:  # and it is no test that never rejects
        assert rejected >= stats.binom.isf(1 - 1e-4, runs, level)
