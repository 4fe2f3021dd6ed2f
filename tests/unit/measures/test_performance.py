"""Levels, changes and estimates: what they say when something is missing, and how often they err."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Decision, Field, FieldKind, FieldRole, Label
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import Family, ProfilePair
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
SCORE = Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE)
CLASSES, NUMBER = Label("y", ("1",)), Label("y")
MEASURES = {item.about.id: item for item in CATALOGUE if item.about.family is Family.PERFORMANCE}
LOSSES = {"log_loss", "brier", "calibration_error"}


def profiled(grid, scores, decisions, labels):
    builder = ProfileBuilder(grid)
    rows = len(scores)
    builder.add_rows(rows, WINDOW.start if rows else None, WINDOW.start if rows else None)
    column = pa.array(scores, pa.float64())
    builder.add_field("score", column, rows)
    kind = pa.float64() if not grid.label.positive else pa.int64()
    outcomes = pa.array(decisions, pa.int64()), pa.array(labels, kind)
    builder.add_outcomes(rows, {}, *outcomes, column)
    return builder.profile


def pair(reference, current, label=CLASSES):
    draft = GridDraft((SCORE,), {}, Decision("d", ("1",)), label)
    draft.add_field("score", pa.array(reference[0], pa.float64()))
    grid = draft.grid()
    return ProfilePair(grid, profiled(grid, *reference), profiled(grid, *current), WINDOW, 1.0)


def cases(rows, seed, *, order=1.0, tilt=0.0):
    """Return scores that are chances, decisions and labels.

    Args:
        rows: How many.
        seed: Of the generator.
        order: How much of the score's order the labels keep; 0 for none.
        tilt: How far scores are pulled up, labels with them.
    """
    rng = np.random.default_rng(seed)
    scores = rng.beta(2 + tilt, 4, rows)
    chances = order * scores + (1 - order) * scores.mean()
    labels = (rng.random(rows) < chances).astype(int)
    return scores.tolist(), (scores > 0.5).astype(int).tolist(), labels.tolist()


def measured(name, *args):
    return MEASURES[name].measure(pair(*args))


def applying(found):
    return {
        name: item.measure(found) for name, item in MEASURES.items() if item.applies(found.grid)
    }


def unlabelled(sample):
    return sample[0], sample[1], [None] * len(sample[0])


def test_a_window_without_labels_has_estimates_and_nothing_else():
    found = applying(pair(cases(4000, 1), unlabelled(cases(2000, 2))))
    for name, result in found.items():
        if name.startswith("estimated_") or name.endswith("_delay_adjusted"):
            assert isinstance(result, Estimate), name
            assert (result.n, result.n_reference) == (2000, 4000)
        else:
            assert result.reason is Absence.NO_LABELS, name


def test_a_baseline_without_labels_has_levels_of_the_window_and_nothing_else():
    found = applying(pair(unlabelled(cases(4000, 1)), cases(2000, 2)))
    for name, result in found.items():
        if "_" in name and name not in {"average_precision", "log_loss", "calibration_error"}:
            assert result.reason is Absence.NO_BASELINE, name
        else:
            assert isinstance(result, Estimate), name


def test_a_baseline_stored_before_errors_were_kept_says_so():
    found = pair(cases(4000, 1), cases(2000, 2))
    found = replace(found, reference=replace(found.reference, errors=None, score_by_decision=None))
    for name, result in applying(found).items():
        if name.endswith("_rise"):
            assert result.reason is Absence.NO_BASELINE, name
            assert "register a new baseline" in result.explanation
        else:
            assert isinstance(result, Estimate), name


def test_a_window_stored_before_decisions_were_counted_by_score_has_no_estimate_of_them():
    found = pair(cases(4000, 1), cases(2000, 2))
    found = replace(found, current=replace(found.current, score_by_decision=None))
    result = MEASURES["estimated_f1"].measure(found)
    assert result.reason is Absence.NO_DATA
    assert "before" in result.explanation


def test_a_score_that_is_no_chance_has_an_order_but_no_loss():
    def spread(sample):
        return [10 * score for score in sample[0]], sample[1], sample[2]

    found = applying(pair(spread(cases(4000, 1)), spread(cases(2000, 2))))
    for name, result in found.items():
        if name.removesuffix("_rise") in LOSSES:
            assert result.reason is Absence.UNDEFINED
            assert "no probability" in result.explanation
        else:
            assert isinstance(result, Estimate), name


@pytest.mark.parametrize(
    ("decisions", "labels", "undefined"),
    [
        (0, None, {"precision"}),
        (None, 0, {"recall"}),
        (0, 0, {"precision", "recall", "f1"}),
    ],
)
def test_what_has_nothing_to_divide_by_is_undefined(decisions, labels, undefined):
    scores, decided, labelled = cases(2000, 2)
    current = (
        scores,
        decided if decisions is None else [decisions] * 2000,
        labelled if labels is None else [labels] * 2000,
    )
    found = applying(pair(cases(4000, 1), current))
    for name in ("accuracy", "precision", "recall", "f1"):
        if name in undefined:
            assert found[name].reason is Absence.UNDEFINED
            assert found[f"{name}_drop"].reason is Absence.UNDEFINED
        else:
            assert isinstance(found[name], Estimate)
    if decisions == 0:
        assert found["estimated_precision"].reason is Absence.UNDEFINED


def test_without_a_positive_decision_or_a_chance_of_a_positive_label_nothing_is_estimated():
    rising = ([0.1] * 200 + [0.9] * 200, [0] * 400, [0] * 200 + [1] * 200)
    low = ([0.1] * 100, [0] * 100, [0] * 100)
    found = applying(pair(rising, low))
    for name in ("estimated_f1", "estimated_recall", "estimated_precision"):
        assert found[name].reason is Absence.UNDEFINED, name
    assert found["estimated_accuracy"].value == 1.0
    assert found["estimated_auc"].reason is Absence.INSUFFICIENT_DATA
    twenty = ([0.1] * 100, [0] * 100, [0] * 80 + [1] * 20)
    assert measured("concept_drift", rising, twenty).reason is Absence.INSUFFICIENT_DATA


def test_scores_whose_sum_is_beyond_a_double_are_not_calibrated():
    rng = np.random.default_rng(5)
    scores = [1.7e308, 1.6e308, *rng.random(598)]
    huge = (scores, [1] * 600, rng.integers(0, 2, 600).tolist())
    for name in ("estimated_auc", "estimated_f1", "concept_drift", "label_rate_gap"):
        found = measured(name, cases(4000, 1), huge)
        assert found.reason is Absence.UNDEFINED, name
        assert "beyond a double" in found.explanation


def test_one_row_has_no_interval_and_therefore_no_mean():
    for name in ("log_loss", "brier"):
        assert measured(name, cases(4000, 1), cases(1, 2)).reason is Absence.INSUFFICIENT_DATA
    single = ([1.0], [0], [2.0])
    many = ([1.0, 2.0, 3.0], [0, 0, 0], [1.0, 2.5, 3.0])
    assert measured("mae", many, single, NUMBER).reason is Absence.INSUFFICIENT_DATA
    assert measured("rmse", many, single, NUMBER).reason is Absence.INSUFFICIENT_DATA


def test_numbers_are_in_the_unit_of_the_label():
    many = ([1.0, 2.0, 3.0, 9.0], [0] * 4, [1.0, 4.0, 3.0, 6.0])
    found = applying(pair(many, many, NUMBER))
    assert set(found) == {"mae", "mae_rise", "rmse", "rmse_rise", "mean_error", "mean_error_change"}
    assert found["mae"].value == pytest.approx(1.25)
    assert found["mean_error"].value == pytest.approx(0.25)
    assert found["rmse"].value == pytest.approx((13 / 4) ** 0.5)
    assert found["rmse"].low == 0.0  # four rows say little


def test_errors_beyond_a_double_are_undefined():
    huge = ([1.7e308, 1.0, 2.0], [0] * 3, [-1.7e308, 1.0, 2.0])
    for name in ("mae", "rmse", "mean_error"):
        found = measured(name, huge, huge, NUMBER)
        assert isinstance(found, Unmeasurable)
        assert found.reason is Absence.UNDEFINED


def test_a_numeric_label_without_a_predicted_number_asks_for_a_new_baseline():
    found = pair(cases(400, 1), cases(200, 2), NUMBER)
    found = replace(found, grid=replace(found.grid, score=""))
    result = MEASURES["mae"].measure(found)
    assert result.reason is Absence.NO_BASELINE
    assert "register a new one" in result.explanation


def test_changes_are_above_0_when_the_model_has_become_worse():
    found = applying(pair(cases(6000, 1), cases(4000, 2, order=0.3)))
    for name, result in found.items():
        if name.endswith(("_drop", "_rise")) and not name.startswith("calibration"):
            assert result.value > 0, name
            assert result.value == pytest.approx(abs(result.then - result.now))
    assert found["auc_drop"].low > 0
    assert found["brier_rise"].low > 0


def test_labels_that_scores_no_longer_tell_are_concept_drift():
    found = measured("concept_drift", cases(6000, 1), cases(4000, 2, order=0.3))
    assert found.then == pytest.approx(
        measured("auc", cases(6000, 1), cases(4000, 3)).value, abs=0.02
    )
    assert found.value == pytest.approx(found.now - found.then)
    assert found.high < -0.05


def test_other_inputs_alone_are_no_concept_drift():
    current = cases(4000, 2, tilt=3.0)
    found = applying(pair(cases(6000, 1), current))
    assert found["concept_drift"].low < 0 < found["concept_drift"].high
    for name in ("auc", "accuracy", "f1", "precision", "recall"):
        estimate = found[f"estimated_{name}"]
        assert estimate.low < found[name].value < estimate.high, name
        assert abs(estimate.value - found[name].value) < 0.05
        assert estimate.now == estimate.value
        assert estimate.then is not None


def test_labels_that_come_more_often_than_scores_say_are_concept_drift_too():
    scores, decisions, labels = cases(4000, 2)
    rng = np.random.default_rng(7)
    more = [int(label or rng.random() < 0.2) for label in labels]
    found = applying(pair(cases(6000, 1), (scores, decisions, more)))
    gap = found["label_rate_gap"]
    assert gap.value == pytest.approx(gap.now - gap.then)
    assert gap.now == np.mean(more)
    assert gap.then == pytest.approx(np.mean(scores), abs=0.02)
    assert 0.09 < gap.low < gap.value < gap.high < 0.18


@pytest.mark.slow
def test_the_interval_of_a_gap_between_labels_and_scores_covers_none_where_there_is_none():
    inside = 0
    for seed in range(80):
        found = measured(
            "label_rate_gap", cases(2000, 2 * seed), cases(700, 2 * seed + 1, tilt=2.0)
        )
        inside += found.low <= 0 <= found.high
    assert inside >= 70  # of 80 at 95 %


def test_whose_labels_come_first_is_no_concept_drift():
    scores, decisions, labels = cases(6000, 2)
    early = [label if score > 0.4 else None for score, label in zip(scores, labels, strict=True)]
    found = measured("concept_drift", cases(6000, 1), (scores, decisions, early))
    assert found.low < 0 < found.high
    assert found.n == sum(label is not None for label in early)


@pytest.mark.slow
def test_estimates_from_a_small_baseline_do_not_make_concept_drift():
    """Chances that are learned from few labels flatter, and that is taken off again."""
    values, outside = [], 0
    for seed in range(60):
        found = measured("concept_drift", cases(400, 2 * seed), cases(1000, 2 * seed + 1))
        values.append(found.value)
        outside += not found.low <= 0 <= found.high
        assert found.detail["flattery"] > 0
    assert abs(np.mean(values)) < 0.01
    assert outside <= 6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["auc", "accuracy", "f1", "precision", "recall"])
def test_the_interval_of_an_estimate_covers_what_labels_show(name):
    inside = 0
    for seed in range(80):
        found = pair(cases(3000, 2 * seed), cases(600, 2 * seed + 1))
        estimate = MEASURES[f"estimated_{name}"].measure(found)
        inside += estimate.low <= MEASURES[name].measure(found).value <= estimate.high
    assert inside >= 70  # of 80 at 95 %


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f1", "average_precision", "brier", "log_loss", "auc"])
def test_the_interval_of_a_level_covers_the_truth(name):
    truth = measured(name, cases(50, 0), cases(200_000, 1)).value
    inside = 0
    for seed in range(100):
        found = measured(name, cases(50, 0), cases(400, seed + 2))
        inside += found.low <= truth <= found.high
    assert inside >= 89  # of 100 at 95 %


def test_a_calibrated_score_may_be_called_so():
    outside = 0
    for seed in range(40):
        found = measured("calibration_error", cases(2000, 0), cases(800, seed + 1))
        outside += found.low > 0
        assert found.detail["groups"] == 10
    assert outside <= 4
    wrong = measured("calibration_error", cases(2000, 0), cases(800, 1, order=0.0))
    assert wrong.low > 0


OUTCOMES = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=50)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(OUTCOMES)
def test_levels_of_decisions_are_what_they_are_defined_as(outcomes):
    decisions, labels = (list(map(int, column)) for column in zip(*outcomes, strict=True))
    sample = ([0.5] * len(outcomes), decisions, labels)
    found = applying(pair(cases(200, 1), sample))
    hits = sum(d and y for d, y in outcomes)
    for name, right, of in (
        ("accuracy", sum(d == y for d, y in outcomes), len(outcomes)),
        ("precision", hits, sum(decisions)),
        ("recall", hits, sum(labels)),
        ("f1", 2 * hits, sum(decisions) + sum(labels)),
    ):
        result = found[name]
        if not of:
            assert result.reason is Absence.UNDEFINED
        else:
            assert result.value == pytest.approx(right / of)
            assert 0 <= result.low <= result.value <= result.high <= 1
