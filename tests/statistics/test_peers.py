"""Slices that always differed are not found to differ; one that moved away is: by seeded draws."""

from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from monitor.measures.drift.psi import LEVEL, indices
from monitor.uncertainty.divergence import effective_rows, exceedance, noncentrality

pytestmark = pytest.mark.slow

LIMIT, DRAWS, DF = 0.1, 2000, 9
EDGES = norm.ppf(np.arange(1, 10) / 10)
PEER = np.full(10, 0.1)
BASELINE, WINDOW = 20_000, 2_000


def shares(shift):
    return np.diff(np.concatenate([[0], norm.cdf(EDGES - shift), [1]]))


def true_psi(shift):
    q = shares(shift)
    return float(np.sum((q - PEER) * np.log(q / PEER)))


def shift_of(psi):
    return brentq(lambda shift: true_psi(shift) - psi, 0, 3)


def drawn(rows, apart, rng):
    """Return PSI of a slice and its peer, each of so many rows, over many draws; and n_eff."""
    peer = rng.multinomial(rows, PEER, DRAWS)
    slice_ = rng.multinomial(rows, shares(shift_of(apart)), DRAWS)
    return indices(peer, slice_), effective_rows(rows, rows)


def found(apart, now, seed):
    """Return the share of windows found beyond: slices ``apart`` in the baseline, and now."""
    rng = np.random.default_rng(seed)
    then, n_eff = drawn(BASELINE, apart, rng)
    at_most = noncentrality(n_eff * then, DF, LEVEL).high / n_eff
    tolerance = np.square(np.sqrt(at_most) + sqrt(LIMIT))
    value, n_eff = drawn(WINDOW, now, rng)
    return float(np.mean(exceedance(n_eff * value, DF, n_eff * tolerance) <= 0.05))


@pytest.mark.parametrize("apart", [0.02, 0.1, 0.5, 1.0])
def test_slices_that_are_as_far_apart_as_ever_are_not_found(apart):
    assert found(apart, apart, 5) == 0


@pytest.mark.parametrize("apart", [0.02, 0.1, 0.5, 1.0])
def test_a_movement_of_the_limit_itself_is_found_in_one_test_of_twenty_at_most(apart):
    boundary = (sqrt(apart) + sqrt(LIMIT)) ** 2
    assert found(apart, boundary, 6) <= 0.06


@pytest.mark.parametrize("apart", [0.02, 0.1, 0.5, 1.0])
def test_a_movement_of_twice_the_limit_is_found(apart):
    farther = (sqrt(apart) + sqrt(2 * LIMIT)) ** 2
    assert found(apart, farther, 7) >= 0.9
