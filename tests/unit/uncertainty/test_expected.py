"""What is expected without labels, against what drawn labels show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.uncertainty.auc import auc
from monitor.uncertainty.average_precision import average_precision
from monitor.uncertainty.expected import calibrate, expected_auc, expected_table
from monitor.uncertainty.proportion import wilson, wilson_of_variance

FEW = settings(max_examples=150, deadline=None, derandomize=True)
CELLS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=12)


def both_classes(cells):
    negatives, positives = np.array(cells).T
    return negatives.sum() > 1 and positives.sum() > 1


def learned(scores, chances, rows, rng):
    hits = rng.binomial(rows, chances)
    return calibrate(scores, rows - hits, hits)


def test_chances_are_pooled_until_they_no_longer_fall():
    found = calibrate([1.0, 2.0, 3.0, 4.0], [3, 1, 3, 0], [1, 3, 1, 4])
    assert found.chances == pytest.approx([0.25, 0.5, 0.5, 1.0])
    assert found.blocks.tolist() == [0, 1, 1, 2]
    assert found.of(np.array([0.0, 1.5, 2.5, 9.0])) == pytest.approx([0.25, 0.375, 0.5, 1.0])


def test_a_block_of_few_rows_that_are_alike_is_not_certain():
    one = calibrate([1.0], [0], [1]).variances[0]
    many = calibrate([1.0], [0], [1000]).variances[0]
    assert one == pytest.approx(1 / 18)  # of Beta(2, 1)
    assert 0 < many < 1e-5


def test_a_score_without_rows_has_no_chance():
    with pytest.raises(ValueError, match="without rows"):
        calibrate([1.0, 2.0], [1, 0], [1, 0])


@FEW
@given(CELLS.filter(both_classes))
def test_chances_never_fall_and_keep_the_number_of_positives(cells):
    counts = np.array([cell for cell in cells if sum(cell)])
    scores = np.arange(len(counts), dtype=float)
    found = calibrate(scores, counts[:, 0], counts[:, 1])
    assert (np.diff(found.chances) >= -1e-12).all()
    assert np.dot(found.of(scores), counts.sum(axis=1)) == pytest.approx(counts[:, 1].sum())


@FEW
@given(CELLS.filter(both_classes))
def test_an_expected_area_is_that_of_the_expected_table(cells):
    counts = np.array([cell for cell in cells if sum(cell)])
    scores = np.arange(len(counts), dtype=float)
    found = calibrate(scores, counts[:, 0], counts[:, 1])
    rows, chances = counts.sum(axis=1), found.of(scores)
    expected = expected_auc(found, scores, rows)
    assert expected.value == pytest.approx(auc(rows * (1 - chances), rows * chances).value)
    # Pooling what lies in the wrong order can only help: never below that of the labels themselves.
    assert expected.value >= auc(counts[:, 0], counts[:, 1]).value - 1e-12


def test_too_few_expected_rows_of_a_class_have_no_area():
    found = calibrate([1.0, 2.0], [99, 98], [1, 2])
    assert expected_auc(found, np.array([1.0, 2.0]), np.array([10, 10])) is None


def test_variances_are_those_of_drawn_labels_and_baselines():
    """Draw baselines and windows of which everything is known, and look how far estimates lie."""
    rng = np.random.default_rng(8)
    scores = np.linspace(0.025, 0.975, 20)
    chances = scores**1.5
    window = rng.multinomial(1500, np.full(20, 1 / 20))
    decided = np.stack([window * (scores <= 0.5), window * (scores > 0.5)])
    gaps, areas, stated = [], [], []
    for _ in range(400):
        calibration = learned(scores, chances, np.full(20, 150), rng)
        table = expected_table(calibration, scores, *decided)
        hits = rng.binomial(decided, chances)
        expected = expected_auc(calibration, scores, window)
        gaps.append([hits[1].sum() - table.hits, hits[0].sum() - table.misses])
        drawn = hits.sum(axis=0)
        areas.append(auc(window - drawn, drawn).value - expected.value)
        stated.append([*table.covariance.ravel(), expected.drawn + expected.fitted])
    covariance = np.cov(np.array(gaps).T)
    mean = np.mean(stated, axis=0)
    assert mean[[0, 3]] == pytest.approx(np.diag(covariance), rel=0.2)
    assert mean[4] == pytest.approx(np.var(areas), rel=0.2)


@pytest.mark.slow
@FEW
@given(CELLS.filter(both_classes), st.randoms(use_true_random=False))
def test_an_average_precision_lies_between_what_its_cells_can_hide(cells, random):
    negatives, positives = np.array(cells).T
    found = average_precision(negatives, positives)
    labels = []
    for negative, positive in cells:
        cell = [0] * negative + [1] * positive
        random.shuffle(cell)
        labels += cell
    raw = average_precision([1 - label for label in labels], labels)
    assert found.least - 1e-12 <= raw.value <= found.most + 1e-12
    assert found.least - 1e-12 <= found.value <= found.most + 1e-12
    assert 0 <= found.interval.low <= found.value <= found.interval.high + 1e-12 <= 1 + 2e-12


def test_the_error_of_an_average_precision_is_that_of_drawn_rows():
    rng = np.random.default_rng(9)
    shares = rng.dirichlet(np.ones(60))
    shares[:30] *= np.linspace(1, 0.2, 30)
    shares[30:] *= np.linspace(0.1, 0.5, 30)
    shares /= shares.sum()
    drawn = [
        average_precision(counts[:30], counts[30:])
        for counts in rng.multinomial(2000, shares, size=400)
    ]
    assert np.mean([one.standard_error for one in drawn]) == pytest.approx(
        np.std([one.value for one in drawn]), rel=0.15
    )


def test_an_average_precision_takes_both_classes():
    with pytest.raises(ValueError, match="both classes"):
        average_precision([0, 0], [1, 1])


def test_a_counted_share_has_the_interval_of_its_trials():
    low, high = wilson_of_variance(0.3, 0.3 * 0.7 / 50, 1, 1000)
    assert (low, high) == pytest.approx(tuple(map(float, wilson(15, 50))))
    assert float(wilson_of_variance(1.0, 0.0, 20, 40).low) == pytest.approx(
        float(wilson(20, 20).low)
    )
    assert wilson_of_variance(0.5, 1e-12, 1, 100) == wilson(50, 100)
