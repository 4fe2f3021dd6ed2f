"""Disparities against published tables and Fairlearn."""

from functools import partial

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_negative_rate,
    true_positive_rate,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, precision_score

from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.field import Effect
from monitor.domain.limit import Band
from monitor.measures.disparity import selection_rate as selection
from monitor.measures.disparity.of_rate import measures_of
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import GroupPair

pytestmark = pytest.mark.oracle

rate_module, selection_rate_ratio, selection_rate_difference, selection_rate_ratio_change = (
    selection.MEASURES
)


def population(counts, reference, baseline=None, band=None):
    """Build a pair from group → (positive, known)."""
    tables = []
    for side in (baseline or counts, counts):
        table = np.zeros((len(counts), 3, 3), np.int64)
        for place, group in enumerate(counts):
            positive, known = side[group]
            table[place, :2, 2] = known - positive, positive
        tables.append(table)
    names = tuple(counts)
    return GroupPair("p", names, *tables, names.index(reference), Effect.FAVOURABLE, band or Band())


FAIRLEARN = {
    "selection_rate": selection_rate,
    "non_selection_rate": lambda _, d: 1 - np.mean(d),
    "true_positive_rate": true_positive_rate,
    "false_positive_rate": false_positive_rate,
    "true_negative_rate": true_negative_rate,
    "false_negative_rate": false_negative_rate,
    "positive_predictive_value": partial(precision_score, zero_division=np.nan),
    "negative_predictive_value": partial(precision_score, zero_division=np.nan, pos_label=0),
    "false_discovery_rate": lambda y, d: 1 - precision_score(y, d, zero_division=np.nan),
    "false_omission_rate": lambda y, d: (
        1 - precision_score(y, d, zero_division=np.nan, pos_label=0)
    ),
    "error_rate": lambda y, d: 1 - accuracy_score(y, d),
}
ANY_SIZE = Band(min_rows=1, min_expected=0.0)
TABLES = st.lists(st.lists(st.integers(0, 25), min_size=4, max_size=4), min_size=2, max_size=4)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(TABLES)
def test_every_rate_equals_fairlearns_where_both_are_defined(counts):
    tables = np.zeros((len(counts), 3, 3), np.int64)
    tables[:, :2, :2] = np.reshape(counts, (-1, 2, 2))
    if tables.sum() < 2:  # fairlearn takes no single row
        return
    groups, decisions, labels = (
        np.repeat(codes.ravel(), tables.ravel()) for codes in np.indices(tables.shape)
    )
    frame = MetricFrame(
        metrics=FAIRLEARN, y_true=labels, y_pred=decisions, sensitive_features=groups
    )
    names = tuple(f"g{place}" for place in range(len(tables)))
    pair = GroupPair("p", names, tables, tables, 0, Effect.FAVOURABLE, ANY_SIZE)
    for metric, rate in RATES.items():
        levels, ratios, differences = (measure.measure(pair) for measure in measures_of(rate)[:3])
        _, rows = rate.count(tables)
        theirs = {place: frame.by_group[metric].get(place) for place in range(len(tables))}
        for place, name in enumerate(names):
            level = levels[name]
            assert isinstance(level, Estimate) == (rows[place] > 0)
            if isinstance(level, Estimate):
                assert level.value == pytest.approx(theirs[place], abs=1e-12)
            if place == 0:
                continue
            if isinstance(ratios[name], Estimate):
                assert ratios[name].value == pytest.approx(theirs[place] / theirs[0], rel=1e-12)
            if isinstance(differences[name], Estimate):
                assert differences[name].value == pytest.approx(
                    theirs[place] - theirs[0], abs=1e-12
                )
            assert isinstance(differences[name], Estimate) == (rows[[0, place]].min() > 0)


def test_the_change_of_a_ratio_alarms_rarely_when_nothing_changed():
    rng = np.random.default_rng(41)
    alarms = 0
    for _ in range(400):
        then, now = (
            {"a": (rng.binomial(1000, 0.3), 1000), "b": (rng.binomial(100, 0.3), 100)}
            for _ in range(2)
        )
        found = selection_rate_ratio_change.measure(population(now, "a", then))["b"]
        alarms += found.p_value < 0.05
    assert alarms / 400 <= 0.075


@pytest.mark.slow
def test_the_error_over_a_family_of_equal_groups_is_kept():
    rng = np.random.default_rng(42)
    sizes = {"w": 797, "h": 408, "b": 390, "n": 119, "a": 616, "i": 41, "t": 213}
    suspected = joint = 0
    for _ in range(150):
        counts = {name: (rng.binomial(size, 0.5), size) for name, size in sizes.items()}
        found = [
            result
            for result in selection_rate_ratio.measure(population(counts, "w")).values()
            if isinstance(result, Estimate)
        ]
        suspected += any(ratio.p_adjusted < 0.05 for ratio in found)
        joint += any(not ratio.family_low <= 1 <= ratio.family_high for ratio in found)
    assert suspected / 150 <= 0.08
    assert joint / 150 <= 0.08


def test_holms_family_is_the_population():
    counts = {"a": (500, 1000), "b": (90, 200), "c": (60, 200), "tiny": (1, 3)}
    found = selection_rate_ratio.measure(population(counts, "a"))
    expected = [
        stats.chi2_contingency([[500, 500], [x, 200 - x]], correction=False).pvalue
        for x in (90, 60)
    ]
    assert found["b"].p_value == pytest.approx(expected[0])
    assert found["b"].p_adjusted == pytest.approx(expected[0])
    assert found["c"].p_adjusted == pytest.approx(2 * expected[1])
    assert isinstance(found["tiny"], Unmeasurable)
