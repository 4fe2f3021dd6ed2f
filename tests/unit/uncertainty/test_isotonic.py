"""The nearest non-decreasing sequence is that of scipy, and pools what must be pooled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from monitor.uncertainty.isotonic import isotonic

_ROWS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).filter(lambda pair: sum(pair) > 0),
    min_size=1,
    max_size=60,
)


@given(_ROWS)
def test_it_is_that_of_scipy(rows):
    hits, misses = np.array(rows, np.float64).T
    values, weights = hits / (hits + misses), hits + misses
    found, expected = isotonic(values, weights), isotonic_regression(values, weights=weights)
    np.testing.assert_allclose(found.values, expected.x, rtol=1e-14)
    np.testing.assert_array_equal(found.starts, expected.blocks[:-1])
    assert (np.diff(found.values) >= 0).all()
    np.testing.assert_allclose(weights @ found.values, weights @ values)


def test_a_sequence_that_increases_stays_as_it_is():
    values = np.array([0.1, 0.2, 0.7])
    found = isotonic(values, np.ones(3))
    assert found.values.tolist() == values.tolist()
    assert found.starts.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("values", "weights", "fitted", "starts"),
    [
        ([3.0, 1.0], [1.0, 3.0], [1.5, 1.5], [0]),
        ([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0]),
        ([2.0, 4.0, 1.0, 5.0], [1.0, 1.0, 1.0, 1.0], [2.0, 2.5, 2.5, 5.0], [0, 1, 3]),
        ([4.0, 5.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], [2.75] * 4, [0]),
    ],
)
def test_what_decreases_is_pooled_with_its_weighted_mean(values, weights, fitted, starts):
    found = isotonic(np.array(values), np.array(weights))
    assert found.values.tolist() == fitted
    assert found.starts.tolist() == starts
