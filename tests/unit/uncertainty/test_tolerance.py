"""Tests of what is beyond a tolerance, and what a tolerance has to be."""

import numpy as np
import pytest
from scipy.stats import chi2, gamma, ncx2, norm

from monitor.uncertainty.between import LEAST_WINDOWS, Squares, reach
from monitor.uncertainty.divergence import exceedance
from monitor.uncertainty.normal import beyond_normal


@pytest.mark.parametrize("df", [1, 3, 9, 40, 200])
@pytest.mark.parametrize("center", [0.0, 0.5, 10.0, 95.0, 2500.0])
def test_the_tail_is_that_of_the_noncentral_chi_square(df, center):
    law = ncx2(df, center) if center else chi2(df)
    p = np.array([0.9, 0.5, 0.05, 1e-3, 1e-5])
    assert exceedance(law.isf(p), df, center) == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("df", [3, 9, 40])
@pytest.mark.parametrize("center", [10.0, 95.0, 1000.0])
def test_far_out_it_keeps_its_digits(df, center):
    far = np.array([1e-8, 1e-10, 1e-12])
    points = ncx2.isf(far, df, center)
    assert exceedance(points, df, center) == pytest.approx(far, rel=0.01)


def test_a_million_rows_neither_overflow_nor_give_up():
    tolerated = 1e6 * 0.1
    p = exceedance([0.0, 9e4, tolerated + 9, 101_000.0, 1.1e5, 1e8], 9, tolerated)
    assert p[0] == 1.0
    assert p[1] == pytest.approx(1.0)
    assert p[2] == pytest.approx(0.5, abs=0.01)
    # The square root of a noncentral chi-square is nearly normal.
    assert p[3] == pytest.approx(norm.sf(np.sqrt(101_000 - 8) - np.sqrt(tolerated)), rel=0.05)
    assert 0 < p[4] < 1e-50
    assert p[5] == 0.0
    assert np.all(np.diff(p) <= 0)


def test_it_falls_with_the_statistic_without_a_step():
    x = np.linspace(1, 500, 4000)
    for center in (0.0, 3.0, 50.0):
        p = exceedance(x, 9, center)
        steps = p[1:] / p[:-1]
        assert np.all(steps <= 1 + 1e-9)
        assert np.all(steps > 0.9)


def test_nothing_that_can_move_is_no_evidence():
    assert exceedance(5.0, 0, 1.0) == 1.0


def test_a_normal_quantity_is_tested_against_both_ends_of_its_tolerance():
    assert beyond_normal(1.96, 1, 0, either_side=True) == pytest.approx(0.05, abs=1e-4)
    assert beyond_normal(1.645, 1, 0, either_side=False) == pytest.approx(0.05, abs=1e-4)
    assert beyond_normal(-5, 1, 2, either_side=True) == pytest.approx(norm.sf(3) + norm.sf(7))
    assert beyond_normal(-5, 1, 2, either_side=False) == pytest.approx(1.0)
    rng = np.random.default_rng(3)
    sample = rng.normal(2, 1, 100_000)
    size = np.mean(beyond_normal(sample, 1, 2, either_side=True) <= 0.05)
    assert size == pytest.approx(0.05, abs=0.005)


def test_without_error_it_is_plain_comparison():
    assert beyond_normal([0.2, 0.1, -0.2], 0, 0.1, either_side=True).tolist() == [0, 1, 0]


def squares(effects, noise, df=9, seed=0):
    """Return noncentral chi-square statistics around true squared effects."""
    rng = np.random.default_rng(seed)
    scale = 1 / noise
    observed = rng.noncentral_chisquare(df, scale * effects) / scale
    full = np.ones_like(effects)
    return Squares(observed, df / scale * full, 2 * df / scale**2 * full, df)


def test_windows_that_agree_reach_nothing_nineteen_times_in_twenty():
    rng = np.random.default_rng(5)
    found = squares(np.zeros((60, 2000)), 1e-3, seed=rng.integers(99))
    reached = reach(found, (1e-3,))[0]
    assert np.mean(reached > 0) == pytest.approx(0.05, abs=0.02)
    assert np.max(reached) < 0.06


def test_too_few_windows_reach_nothing():
    assert reach(squares(np.full(LEAST_WINDOWS - 1, 5.0), 1e-3), (1e-3, 1e-6)).tolist() == [0, 0]


@pytest.mark.parametrize("tail", [1e-3, 1e-6])
def test_one_normal_effect_a_window_gives_the_tail_of_its_square(tail):
    effects = np.square(np.random.default_rng(6).normal(0, 0.2, (90, 400)))
    reached = reach(squares(effects, 1e-3), (tail,))[0]
    assert np.median(reached) == pytest.approx(0.04 * chi2.isf(tail, 1), rel=0.2)


@pytest.mark.parametrize(("windows", "share"), [(10, 0.03), (30, 0.018)])
def test_few_windows_keep_what_they_say_of_another_one(windows, share):
    rng = np.random.default_rng(9)
    effects = np.square(rng.normal(0, 0.2, (windows, 20_000)))
    another = np.square(rng.normal(0, 0.2, 20_000))
    reached = reach(squares(effects, 1e-4), (0.01,))[0]
    # The shape is known as roughly as the mean. Taking the mean for certain gives 0.042 and 0.020.
    assert np.mean(another > reached) < share


def test_a_shape_that_the_moments_tell_is_used():
    effects = np.random.default_rng(7).gamma(2.0, 0.02, (2000, 50))
    reached = reach(squares(effects, 1e-4), (1e-3,))[0]
    assert np.median(reached) == pytest.approx(gamma.isf(1e-3, 2.0, scale=0.02), rel=0.1)


def test_fields_are_learned_apart_and_in_the_order_given():
    effects = np.zeros((30, 2))
    effects[:, 1] = np.square(np.random.default_rng(8).normal(0, 0.3, 30))
    reached = reach(squares(effects, 1e-3, seed=2), (1e-3, 1e-6))
    assert reached.shape == (2, 2)
    assert reached[0, 0] < 0.02 < reached[0, 1] < reached[1, 1]
