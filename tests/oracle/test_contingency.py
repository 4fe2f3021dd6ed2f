"""Cramér's V against scipy's chi-square, against the two-sample form, and by what it must be."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats.contingency import association as plain_association
from scipy.stats.contingency import chi2_contingency

from monitor.measures.drift.cramers_v import association
from monitor.uncertainty.contingency import cramers_v

pytestmark = pytest.mark.oracle

TABLES = st.tuples(st.integers(2, 5), st.integers(2, 5)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(1, 500))
)


@given(TABLES)
def test_it_is_bergsmas_of_scipys_chi_square(table):
    n, (rows, columns) = table.sum(), table.shape
    chi2 = chi2_contingency(table, correction=False).statistic
    phi2 = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    least = min(size - (size - 1) ** 2 / (n - 1) for size in (rows, columns)) - 1
    if least > 0:
        assert cramers_v(table) == pytest.approx(min(sqrt(phi2 / least), 1.0), abs=1e-9)
        assert cramers_v(table) == pytest.approx(cramers_v(table.T), abs=1e-9)


@given(TABLES)
def test_of_many_rows_it_is_scipys_without_correction(table):
    many = table * 100_000
    assert cramers_v(many) == pytest.approx(plain_association(many, method="cramer"), abs=2e-3)


@given(arrays(np.int64, (2, 4), elements=st.integers(1, 500)))
def test_of_two_lines_it_is_that_of_two_samples(table):
    assert cramers_v(table) == pytest.approx(association(*table).v, abs=1e-9)


def test_it_is_nought_for_independence_and_one_where_the_one_tells_the_other():
    assert cramers_v([[30, 60], [10, 20]]) == 0.0
    assert cramers_v([[40, 0, 0], [0, 30, 0], [0, 0, 20]]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "table", [[[3, 4]], [[3], [4]], [[1, 0], [0, 1]], [[5, 0], [7, 0]], [[0, 0]]]
)
def test_it_is_undefined_where_there_is_nothing_to_tell(table):
    assert cramers_v(table) is None
