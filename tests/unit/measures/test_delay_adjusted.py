"""The labels that have come, and the rest as expected: between the two, and better than either."""

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.profile.profile import merged
from monitor.uncertainty.expected import LEAST_EXPECTED, calibrate, expected_auc
from tests.unit.measures.test_performance import MEASURES, cases, pair, unlabelled

NAMES = ("auc", "accuracy", "f1", "precision", "recall")
BASELINE = cases(20_000, 1)


def adjusted(name, current, baseline=BASELINE):
    return MEASURES[f"{name}_delay_adjusted"].measure(pair(baseline, current))


def partly(sample, known):
    """Return a sample in which only the labels of some rows have come."""
    scores, decisions, labels = sample
    return scores, decisions, [y if here else None for y, here in zip(labels, known, strict=True)]


def truth(name, sample):
    return MEASURES[name].measure(pair(BASELINE, sample)).value


@pytest.mark.parametrize("name", NAMES)
def test_without_labels_it_is_the_estimate_and_with_all_of_them_what_they_say(name):
    sample = cases(3000, 2, tilt=1.0)
    nothing = pair(BASELINE, unlabelled(sample))
    estimate = MEASURES[f"estimated_{name}"].measure(nothing)
    found = MEASURES[f"{name}_delay_adjusted"].measure(nothing)
    assert (found.value, found.low, found.high) == (estimate.value, estimate.low, estimate.high)
    assert (found.detail["labelled"], found.detail["waiting"]) == (0, 3000)
    assert "realised" not in found.detail
    whole = adjusted(name, sample)
    assert whole.value == pytest.approx(truth(name, sample), abs=1e-12)
    assert whole.detail["realised"] == pytest.approx(whole.value, abs=1e-12)
    assert (whole.detail["labelled"], whole.detail["waiting"]) == (3000, 0)
    assert whole.low < whole.value < whole.high


def test_the_confusion_table_is_counted_where_labels_are_and_expected_where_not():
    """By hand: two scores, of which the baseline says 0.2 and 0.8."""
    baseline = (
        [0.3] * 500 + [0.7] * 500,
        [0] * 500 + [1] * 500,
        [1] * 100 + [0] * 400 + [1] * 400 + [0] * 100,
    )
    # Low score: 10 labelled (1 positive), 40 waiting; high: 30 labelled (15 positive), 20 waiting.
    current = (
        [0.3] * 50 + [0.7] * 50,
        [0] * 50 + [1] * 50,
        [1] + [0] * 9 + [None] * 40 + [1] * 15 + [0] * 15 + [None] * 20,
    )
    hits, misses = 15 + 20 * 0.8, 1 + 40 * 0.2
    expected = {
        "accuracy": (hits + 50 - misses) / 100,
        "precision": hits / 50,
        "recall": hits / (hits + misses),
        "f1": 2 * hits / (50 + hits + misses),
        "auc": (hits * (50 - misses) + (hits * (50 - hits) + misses * (50 - misses)) / 2)
        / ((hits + misses) * (100 - hits - misses)),
    }
    for name, value in expected.items():
        found = adjusted(name, current, baseline)
        assert found.value == pytest.approx(value, abs=1e-12), name
        assert (found.detail["labelled"], found.detail["waiting"], found.n) == (40, 60, 100)


def weighed(sample, known):
    """Return the mean absolute errors of three ways to say the F1 of all rows."""
    part, whole = partly(sample, known), truth("f1", sample)
    return {
        "adjusted": abs(adjusted("f1", part).value - whole),
        "estimated": abs(MEASURES["estimated_f1"].measure(pair(BASELINE, part)).value - whole),
        "labels": abs(MEASURES["f1"].measure(pair(BASELINE, part)).value - whole),
    }


@pytest.mark.slow
def test_it_beats_the_labels_alone_where_high_scores_get_theirs_first():
    rng = np.random.default_rng(8)
    errors = []
    for seed in range(12):
        sample = cases(3000, 100 + seed)
        errors.append(weighed(sample, rng.random(3000) < np.square(sample[0])))
    mean = {name: np.mean([item[name] for item in errors]) for name in errors[0]}
    assert mean["adjusted"] < mean["labels"] / 3


@pytest.mark.slow
def test_it_beats_the_estimate_where_the_outcome_has_become_more_frequent():
    """The prevalence rises by half at each score, and half of the labels have come."""
    rng = np.random.default_rng(9)
    errors = []
    for seed in range(12):
        scores, decisions, _ = cases(3000, 200 + seed)
        chances = np.minimum(1.5 * np.array(scores), 1)
        sample = scores, decisions, (rng.random(3000) < chances).astype(int).tolist()
        errors.append(weighed(sample, rng.random(3000) < 0.5))
    mean = {name: np.mean([item[name] for item in errors]) for name in errors[0]}
    assert mean["adjusted"] < 0.6 * mean["estimated"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_its_interval_contains_what_all_labels_show(name):
    rng = np.random.default_rng(10)
    inside = []
    for seed in range(300):
        sample = cases(1000, 1000 + seed)
        found = adjusted(name, partly(sample, rng.random(1000) < 0.4), cases(3000, 5000 + seed))
        inside.append(found.low <= truth(name, sample) <= found.high)
    assert np.mean(inside) > 0.93  # wider than need be: labels that have come cannot surprise


def test_a_window_stored_before_labels_were_counted_by_decision_has_none():
    found = pair(BASELINE, cases(2000, 2))
    before = replace(profile_from_bytes(profile_to_bytes(found.current)), labelled_by_decision=None)
    there = profile_from_bytes(profile_to_bytes(before))
    assert there.labelled_by_decision is None
    for week in (merged([there, found.current]), merged([found.current, there])):
        assert week.labelled_by_decision is None
        assert week.score_by_decision is not None
    for name in NAMES[1:]:
        result = MEASURES[f"{name}_delay_adjusted"].measure(replace(found, current=there))
        assert result.reason is Absence.NO_DATA
        assert "before" in result.explanation
    assert isinstance(
        MEASURES["auc_delay_adjusted"].measure(replace(found, current=there)), Estimate
    )


def test_labels_by_decision_come_back_as_they_went():
    current = pair(BASELINE, partly(cases(500, 3), np.arange(500) % 3 == 0)).current
    there = profile_from_bytes(profile_to_bytes(current))
    assert there.labelled_by_decision.tolist() == current.labelled_by_decision.tolist()
    assert there.labelled_by_decision.sum() == current.score_by_label.sum() == 167
    assert (there.labelled_by_decision <= there.score_by_decision).all()


def test_an_auc_of_too_few_rows_of_a_class_is_none():
    calibration = calibrate([0.0, 1.0], [50, 50], [50, 50])
    scores = np.array([0.0, 1.0])
    assert expected_auc(calibration, scores, [0, 0], [[1, 0], [5, 5]]) is None
    assert expected_auc(calibration, scores, [0, 0], [[LEAST_EXPECTED, 0], [0, 5]]).value == 1.0
