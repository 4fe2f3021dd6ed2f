"""Intervals and tests of correlations, against scipy and by simulation."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from monitor.uncertainty.correlation import fisher_interval, fisher_z, same_correlation


@pytest.mark.oracle
@pytest.mark.parametrize("rows", [10, 57, 1000])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_the_interval_is_scipys(rows, level):
    rng = np.random.default_rng(rows)
    x = rng.normal(size=rows)
    y = 0.6 * x + rng.normal(size=rows)
    theirs = pearsonr(x, y)
    ours = fisher_interval(theirs.statistic, rows, level)
    expected = theirs.confidence_interval(level)
    assert (float(ours.low), float(ours.high)) == pytest.approx((expected.low, expected.high))


def test_equal_correlations_are_told_apart_one_time_in_twenty():
    rng = np.random.default_rng(3)
    x, noise = rng.normal(size=(2, 4000, 60))
    y = 0.7 * x + noise
    r = [np.corrcoef(one, other)[0, 1] for one, other in zip(x, y, strict=True)]
    p_values = same_correlation(r[:2000], 60, r[2000:], 60)
    assert np.mean(p_values < 0.05) == pytest.approx(0.05, abs=0.015)


def test_perfect_correlations_are_finite_and_equal():
    assert np.isfinite(fisher_z([1.0, -1.0])).all()
    assert float(same_correlation(1.0, 50, 1.0, 80)) == 1.0
    low, high = fisher_interval(1.0, 50)
    assert 0.999 < low <= high <= 1


def test_three_rows_have_no_error():
    with pytest.raises(ValueError, match="at least 4 rows"):
        fisher_interval(0.5, 3)
    with pytest.raises(ValueError, match="at least 4 rows"):
        same_correlation(0.5, 10, 0.5, 3)
