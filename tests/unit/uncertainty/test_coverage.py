import numpy as np
import pytest

from monitor.uncertainty.coverage import missed


def test_a_sample_that_holds_every_value_often_has_missed_nothing():
    share, variance = missed([3, 4, 1000])
    assert share == 0.0
    assert variance**0.5 < 0.002  # sure of it
    assert missed([]) == (0.0, 0.0)


def test_a_sample_in_which_every_value_is_new_has_missed_everything():
    assert missed(np.ones(500, np.int64)).share == 1.0


def test_the_share_and_its_variance_are_those_of_the_formulas():
    assert missed([10, 1, 1, 2]) == pytest.approx((2 / 14, (3 * (1 - 2 / 14) + 4) / 14**2))


def test_over_many_samples_the_estimate_is_what_was_missed_and_errs_as_it_says():
    rng = np.random.default_rng(7)
    shares = np.arange(1, 51) ** -1.0
    shares /= shares.sum()
    samples = rng.multinomial(200, shares, size=4000)
    truth = np.where(samples == 0, shares, 0.0).sum(axis=1)
    found = [missed(sample) for sample in samples]
    error = np.array([one.share for one in found]) - truth
    assert truth.mean() > 0.03  # there is something to estimate
    assert abs(error.mean()) < 0.001
    assert np.mean(error**2) == pytest.approx(np.mean([one.variance for one in found]), rel=0.25)
