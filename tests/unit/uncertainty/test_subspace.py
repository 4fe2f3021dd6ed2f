"""The error of rows that components were not taken from, against rows that they were not."""

import numpy as np
import pytest

from monitor.uncertainty.subspace import FOLDS, leading, unseen_error


def rows_of(rng, rows, fields):
    factors = rng.normal(size=(rows, 2)) @ rng.normal(size=(2, fields))
    return factors + rng.normal(size=(rows, fields))


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "fields", "kept"), [(200, 20, 4), (1000, 20, 6), (640, 64, 10)])
def test_it_is_what_fresh_rows_show(rows, fields, kept):
    rng = np.random.default_rng(rows)
    said, shown, seen = [], [], []
    for seed in range(20):
        same = np.random.default_rng(seed)
        weights = same.normal(size=(2, fields))
        law = weights.T @ weights + np.eye(fields)
        table = rng.multivariate_normal(np.zeros(fields), law, rows)
        moments = table.T @ table / rows
        basis = leading(moments, kept)
        said.append(unseen_error(moments, rows, kept))
        shown.append(np.trace(law) - np.trace(basis.T @ law @ basis))
        seen.append(np.trace(moments) - np.trace(basis.T @ moments @ basis))
    assert np.mean(said) == pytest.approx(np.mean(shown), rel=0.03)
    assert np.mean(seen) < np.mean(said)


def test_many_rows_leave_nothing_to_correct_and_the_same_rows_give_the_same_number():
    rng = np.random.default_rng(1)
    table = rows_of(rng, 5000, 6)
    moments = table.T @ table / 5000
    basis = leading(moments, 2)
    seen = np.trace(moments) - np.trace(basis.T @ moments @ basis)
    assert unseen_error(moments, 1e9, 2) == pytest.approx(seen, rel=1e-4)
    assert unseen_error(moments, 5000, 2) == unseen_error(moments, 5000, 2)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="59 rows are fewer than 10 for each of 6 fields"):
        unseen_error(np.eye(6), FOLDS * 6 - 1, 2)
