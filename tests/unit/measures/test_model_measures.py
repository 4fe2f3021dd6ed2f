from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from monitor.domain.estimate import Absence
from monitor.domain.field import Decision, Field, FieldKind, FieldRole, Label
from monitor.domain.window import Window
from monitor.measures.drift import decision_rate, label_rate, score_mean
from monitor.measures.measure import ProfilePair
from monitor.measures.performance import auc
from monitor.measures.quality import freshness, rows
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
LAST = datetime(2026, 1, 1, 23, tzinfo=UTC)
SCORE = Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE)
DECISION, LABEL = Decision("d", ("1",)), Label("y", ("1",))


def pair(reference, current, windows=1.0):
    draft = GridDraft((SCORE,), {}, DECISION, LABEL)
    draft.add_field("score", pa.array(reference[0], pa.float64()))
    grid = draft.grid()
    profiles = []
    for score, decisions, labels in (reference, current):
        builder = ProfileBuilder(grid)
        builder.add_rows(len(score), LAST if len(score) else None, LAST if len(score) else None)
        scores = pa.array(score, pa.float64())
        builder.add_field("score", scores, len(score))
        builder.add_outcomes(
            len(score), {}, pa.array(decisions, pa.int64()), pa.array(labels, pa.int64()), scores
        )
        profiles.append(builder.profile)
    return ProfilePair(grid, *profiles, WINDOW, windows)


def scored(n, seed, strength=2.0, base=0.0):
    rng = np.random.default_rng(seed)
    score = rng.normal(base, 1, n)
    labels = (rng.random(n) < 1 / (1 + np.exp(-strength * score))).astype(int)
    return score.tolist(), (score > 0).astype(int).tolist(), labels.tolist()


def test_the_mean_score_moves_in_standard_deviations_of_the_baseline():
    reference, current = scored(2000, 1), scored(800, 2, base=0.5)
    found = score_mean.measure(pair(reference, current))
    deviation = np.std(reference[0], ddof=1)
    assert found.then == pytest.approx(np.mean(reference[0]))
    assert found.now == pytest.approx(np.mean(current[0]))
    assert found.value == pytest.approx((np.mean(current[0]) - np.mean(reference[0])) / deviation)
    assert found.detail["sd"] == pytest.approx(deviation)
    assert found.low < found.value < found.high


def test_a_falling_score_has_a_negative_value_and_interval():
    found = score_mean.measure(pair(scored(2000, 1), scored(800, 2, base=-0.5)))
    assert found.value < 0
    assert found.high < 0


def test_scores_whose_square_is_beyond_a_double_have_a_reason():
    outcomes = [1] * 50, [1] * 50
    found = score_mean.measure(pair(([0.0] * 50, *outcomes), ([-1e300] * 50, *outcomes)))
    assert found.reason is Absence.UNDEFINED


def test_shares_are_of_the_known_rows():
    reference = ([0.0] * 10, [1] * 4 + [0] * 6, [1] * 5 + [0] * 5)
    current = ([0.0] * 10, [1] * 4 + [None] * 6, [0] * 2 + [None] * 8)
    decisions = decision_rate.measure(pair(reference, current))
    assert (decisions.then, decisions.now, decisions.n) == (0.4, 1.0, 4)
    labels = label_rate.measure(pair(reference, current))
    assert (labels.then, labels.now, labels.value) == (0.5, 0.0, -0.5)


def test_labels_that_have_not_come_are_no_labels():
    reference, current = scored(500, 1), scored(300, 2)
    waiting = (current[0], current[1], [None] * 300)
    for measure in (label_rate.measure, auc.DROP.measure):
        assert measure(pair(reference, waiting)).reason is Absence.NO_LABELS
        assert measure(pair(waiting, current)).reason is Absence.NO_BASELINE


def test_a_model_that_forgot_how_to_rank_loses_auc():
    found = auc.DROP.measure(pair(scored(3000, 1), scored(1500, 2, strength=0.0)))
    assert found.then > 0.8
    assert found.now == pytest.approx(0.5, abs=0.05)
    assert found.low > 0.25
    assert found.detail["now_negatives"] + found.detail["now_positives"] == 1500


@pytest.mark.slow
def test_an_unchanged_model_keeps_its_auc_within_the_interval():
    outside = 0
    for seed in range(60):
        found = auc.DROP.measure(pair(scored(800, 2 * seed), scored(300, 2 * seed + 1)))
        outside += not found.low <= 0 <= found.high
    assert outside <= 7


def test_labels_of_one_class_have_no_auc():
    reference, current = scored(500, 1), scored(300, 2)
    one = (current[0], current[1], [1] * 300)
    found = auc.DROP.measure(pair(reference, one))
    assert found.reason is Absence.UNDEFINED
    assert "300 positive" in found.explanation
    single = (current[0], current[1], [1] + [0] * 299)
    assert auc.DROP.measure(pair(reference, single)).reason is Absence.INSUFFICIENT_DATA


def test_labels_without_a_score_are_no_data():
    reference, current = scored(500, 1), scored(300, 2)
    broken = ([None] * 300, current[1], current[2])
    assert auc.DROP.measure(pair(reference, broken)).reason is Absence.NO_DATA


def test_rows_are_held_against_the_average_window():
    found = rows.measure(pair(scored(3000, 1), scored(500, 2), windows=3.0))
    assert (found.then, found.now, found.value) == (1000, 500, -0.5)
    assert -0.56 < found.low < -0.5 < found.high < -0.44
    nothing = rows.measure(pair(scored(3000, 1), ([], [], []), windows=3.0))
    assert nothing.value == -1
    assert nothing.high < -0.99


def test_freshness_is_the_silence_before_the_end():
    found = freshness.measure(pair(scored(30, 1), scored(30, 2)))
    assert found.value == 3600
    assert freshness.measure(pair(scored(30, 1), ([], [], []))).reason is Absence.NO_DATA
