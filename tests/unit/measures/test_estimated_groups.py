"""Rates of groups before labels are there: what is expected, of whom, and when it is not known."""

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Effect, ObservedWhen
from monitor.domain.limit import Band
from monitor.measures.disparity import (
    estimated_error_rate,
    estimated_false_positive_rate,
    estimated_positive_predictive_value,
    estimated_true_positive_rate,
)
from monitor.measures.disparity.rates import RATES
from monitor.measures.group_scores import ScoresOfGroups
from monitor.measures.measure import GroupPair

MEASURES = {
    module.MEASURE.metric: module.MEASURE.measure
    for module in (
        estimated_true_positive_rate,
        estimated_false_positive_rate,
        estimated_positive_predictive_value,
        estimated_error_rate,
    )
}


def scored(*groups):
    """Return the scores of groups, each given as rows by (decision, label): counts by cell."""
    cells = len(next(iter(groups[0].values())))
    rows = np.zeros((len(groups), 3, 3, cells), np.int64)
    for group, tables in enumerate(groups):
        for (decision, label), counts in tables.items():
            rows[group, decision, label] = counts
    return ScoresOfGroups(rows, {}, np.zeros((3, 3, cells), np.int64), 0.0, 1.0)


def of(then, now, names=("f", "m"), observed=None):
    return GroupPair(
        "sex",
        names,
        then.rows.sum(axis=-1),
        now.rows.sum(axis=-1),
        0,
        Effect.HARMFUL,
        Band(),
        observed=observed,
        scores=now,
        scores_then=then,
    )


# Two cells; the decision is positive in the upper one. Of f's rows in the lower cell one in five is
# positive and four of five in the upper one; of m's one in ten and one in two.
THEN = scored(
    {(0, 0): [80, 0], (0, 1): [20, 0], (1, 0): [0, 20], (1, 1): [0, 80]},
    {(0, 0): [90, 0], (0, 1): [10, 0], (1, 0): [0, 50], (1, 1): [0, 50]},
)
NOW = scored({(0, 2): [40, 0], (1, 2): [0, 60]}, {(0, 2): [70, 0], (1, 2): [0, 30]})


def test_each_group_is_expected_as_its_own_labels_say():
    expected = {}
    for name, low, high, negative, positive in (("f", 0.2, 0.8, 40, 60), ("m", 0.1, 0.5, 70, 30)):
        hits, misses = positive * high, negative * low
        expected[name] = {
            "true_positive_rate": hits / (hits + misses),
            "false_positive_rate": (positive - hits) / (100 - hits - misses),
            "positive_predictive_value": high,
            "error_rate": (positive - hits + misses) / 100,
        }
    for metric, measure in MEASURES.items():
        found = measure(of(THEN, NOW))
        assert set(found) == {"f", "m"}
        for name, result in found.items():
            assert result.value == pytest.approx(expected[name][metric], abs=1e-12), (metric, name)
            assert (result.n, result.n_reference) == (100, 200)
            assert result.detail["labels"] == 200
            assert result.detail["flattery"] == pytest.approx(0.0, abs=1e-12)
            assert result.low < result.value < result.high


def test_then_is_what_the_labels_of_the_baseline_showed():
    for metric, measure in MEASURES.items():
        events, rows = RATES[metric].count(THEN.rows.sum(axis=-1))
        for group, result in enumerate(measure(of(THEN, NOW)).values()):
            assert result.then == pytest.approx(events[group] / rows[group])


def test_labels_of_the_window_change_nothing_that_is_expected():
    labelled = NOW.rows.copy()
    labelled[:, 1, 1], labelled[:, 1, 2] = labelled[:, 1, 2], 0
    for measure in MEASURES.values():
        some, none = measure(of(THEN, replace(NOW, rows=labelled))), measure(of(THEN, NOW))
        assert [item.value for item in some.values()] == [item.value for item in none.values()]


def test_a_group_of_few_labels_borrows_from_nobody():
    few = THEN.rows.copy()
    few[1] = few[1] // 10  # m: 6 positive, 14 negative labels
    for measure in MEASURES.values():
        found = measure(of(replace(THEN, rows=few), NOW))
        assert isinstance(found["f"], Estimate)
        assert found["m"].reason is Absence.INSUFFICIENT_DATA
        assert "14 negative and 6 positive" in found["m"].explanation
        assert found["m"].n_reference == 20


@pytest.mark.parametrize(
    ("then", "now", "reason"),
    [
        (None, NOW, Absence.NO_BASELINE),
        (THEN, None, Absence.NO_BASELINE),
        (scored({(0, 2): [9, 9]}, {(0, 2): [9, 9]}), NOW, Absence.NO_BASELINE),
        (THEN, scored({(2, 2): [9, 9]}, {(2, 1): [9, 9]}), Absence.NO_DATA),
    ],
)
def test_what_is_missing_is_the_reason(then, now, reason):
    pair = replace(of(THEN, NOW), scores_then=then, scores=now)
    for measure in MEASURES.values():
        assert {item.reason for item in measure(pair).values()} == {reason}


def test_nobody_chosen_has_no_predictive_value():
    now = scored({(0, 2): [50, 0]}, {(0, 2): [50, 0]})
    found = {metric: measure(of(THEN, now))["f"] for metric, measure in MEASURES.items()}
    assert found["positive_predictive_value"].reason is Absence.UNDEFINED
    assert found["true_positive_rate"].value == 0.0
    assert found["error_rate"].value == pytest.approx(0.2)


def test_what_labels_never_show_is_not_expected_of_scores():
    pair = of(THEN, NOW, observed=ObservedWhen.POSITIVE)
    for metric in ("true_positive_rate", "false_positive_rate", "error_rate"):
        for result in MEASURES[metric](pair).values():
            assert result.reason is Absence.UNDEFINED
    assert isinstance(MEASURES["positive_predictive_value"](pair)["f"], Estimate)


@pytest.mark.slow
@pytest.mark.parametrize("metric", MEASURES)
def test_intervals_contain_what_the_labels_of_each_group_show(metric):
    """Two groups for which a score means different things, drawn again and again."""
    rng = np.random.default_rng(7)
    cells = 40
    chance = np.stack([np.linspace(0.05, 0.9, cells), np.linspace(0.02, 0.55, cells) ** 1.5])
    inside = []
    for _ in range(300):
        sides = []
        for rows in (3000, 1000):
            drawn = np.zeros((2, 3, 3, cells), np.int64)
            for group in range(2):
                cell = rng.integers(0, cells, rows)
                label = (rng.random(rows) < chance[group, cell]).astype(int)
                np.add.at(drawn, (group, (cell >= 25).astype(int), label, cell), 1)
            sides.append(drawn)
        unlabelled = np.zeros_like(sides[1])
        unlabelled[:, :, 2] = sides[1].sum(axis=2)
        found = MEASURES[metric](of(replace(THEN, rows=sides[0]), replace(NOW, rows=unlabelled)))
        events, among = RATES[metric].count(sides[1].sum(axis=-1))
        for group, result in enumerate(found.values()):
            inside.append(result.low <= events[group] / among[group] <= result.high)
    assert 0.92 < np.mean(inside) < 0.99
